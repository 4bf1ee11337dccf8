import type { ObjectRow } from '../../ledger/ledger.ts';
import type { Blob, Store } from '../../store/store.ts';
import type { Renderer } from '../answer/renderer.ts';
import type { Events } from '../events.ts';
import { Fault } from '../fault.ts';
import type { FileTable } from '../file-table.ts';
import type { AnyFormat, ArtifactTarget, Body, CallTarget, IndexTarget, Publication } from '../format.ts';
import type { Log } from '../log.ts';
import type { Objects } from '../objects.ts';
import type { Ask, Content, Delivery, Listing, Source, SourceDocument } from '../source.ts';
import { storing } from '../stored.ts';
import { HostedPackages } from './hosted-packages.ts';
import type { HostedSettings } from './hosted-settings.ts';
import { HostedPublisher, type Publisher, type Receipt } from './publisher.ts';
import type { Incoming } from './reception.ts';
import { Upkeep } from './upkeep.ts';

export interface HostedDeps {
  readonly settings: HostedSettings;
  readonly format: AnyFormat;
  readonly store: Store;
  readonly objects: Objects;
  readonly files: FileTable;
  readonly renderer: Renderer;
  readonly events: Events;
  readonly log: Log;
  readonly now: () => number;
  /** What was answered from it until now may have another answer. */
  readonly changed: () => void;
  /** Throws `withheld` for names that are claimed for others. */
  readonly requireOwn: (names: readonly string[]) => void;
  /** There is something new of a package. */
  readonly published: (name: string) => void;
}

/** A reader and a writer may miss each other so often before the bytes are taken for lost. */
const TRIES = 3;

/** Seconds until it is worth asking again for bytes that are lost: a person has to bring them back. */
const LOST = 300;

/** A repository that holds what is published to it: files under their paths, and the indexes composed of them. */
export class HostedSource implements Source, Publisher {
  readonly upkeep: Upkeep;
  readonly #deps: HostedDeps;
  readonly #packages: HostedPackages;
  readonly #publisher: HostedPublisher;

  constructor(deps: HostedDeps) {
    const { settings, events, changed, now } = deps;
    const common = { ...deps, ...settings, repository: settings.name };
    this.#deps = deps;
    this.#packages = new HostedPackages(common);
    const removed = (paths: readonly string[] | 'all'): void => {
      this.#packages.forget();
      changed();
      if (paths.length > 0)
        events.emit({ kind: 'evicted', at: now(), repository: settings.name, details: { paths, why: 'upkeep' } });
    };
    this.upkeep = new Upkeep({ ...common, removed });
    this.#publisher = new HostedPublisher({ ...deps, packages: this.#packages, upkeep: this.upkeep });
  }

  /** It was deleted: what is still on its way is not taken any more. */
  retire(): void {
    this.#publisher.retire();
  }

  /** Something was evicted. */
  forget(): void {
    this.#packages.forget();
  }

  publish(publication: Publication, incoming: Incoming): Promise<Receipt> {
    return this.#publisher.publish(publication, incoming);
  }

  async artifact(target: ArtifactTarget, _ask: Ask): Promise<Delivery> {
    const { digest, size, name, version } = await this.#row(target);
    const file = {
      path: target.path,
      role: target.role,
      digest,
      size,
      ...(name === undefined ? {} : { name }),
      ...(version === undefined ? {} : { version }),
    };
    return { repository: this.#deps.settings.name, firstParty: true, file, open: () => this.#open(target) };
  }

  async index(target: IndexTarget, _ask: Ask): Promise<Listing> {
    const { settings, format } = this.#deps;
    const found = format.hosting?.compose && (await this.#packages.document(target));
    if (!found) throw this.#absent(target.name ?? target.path);
    await this.#study(target, found.document);
    const member = { repository: settings.name, documents: [found.document], rules: [], options: {}, firstParty: true };
    return { members: [member], cache: 'hit', freshUntil: found.until };
  }

  async call(target: CallTarget, _ask: Ask): Promise<Body> {
    if (target.answer) return target.answer;
    throw this.#absent(target.path);
  }

  async #row({ path }: ArtifactTarget): Promise<ObjectRow> {
    const { settings, objects, now } = this.#deps;
    const row = await objects.get(settings.name, path);
    if (!row) throw this.#absent(path);
    if (row.fetchedAt + (settings.maxAge ?? Number.POSITIVE_INFINITY) > now()) return row;
    this.upkeep.check(now());
    throw this.#absent(path);
  }

  /** Between the row and its blob another may have been put in the place of both: then that one is meant. */
  async #open(target: ArtifactTarget): Promise<Content> {
    const { settings, store, objects, log, now } = this.#deps;
    const { path } = target;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const row = await this.#row(target);
      const blob = await storing(store.open(row.digest));
      if (blob?.size === row.size) {
        this.upkeep.read(path, now());
        return contentOf(row, blob, target.mutable === true || settings.maxAge !== undefined ? now() : row.freshUntil);
      }
      blob?.release();
      objects.forget(settings.name, [path]);
    }
    log.error('the bytes of a published file are gone', { repository: settings.name, path });
    if (isMissable(target)) throw this.#absent(path);
    throw new Fault('unavailable', `The bytes of ${path} in "${settings.name}" are damaged: publish them again.`, {
      details: { retryAfter: LOST },
    });
  }

  /** Which files it lists, and of which releases: a virtual that merges looks there. */
  async #study(target: IndexTarget, document: SourceDocument): Promise<void> {
    const { settings, format, files, renderer } = this.#deps;
    if (document.hosted === undefined || files.has(settings.name, target.path, document.digest)) return;
    const documents = [{ ...document, bytes: document.hosted, isHosted: true }];
    const studied = await renderer.study({ format: format.id, documents, options: {} });
    if (studied.kind === 'malformed') throw new Error(`what was published of ${target.path} is ${studied.message}`);
    files.put(settings.name, target.path, document.digest, studied.files);
  }

  #absent(path: string): Fault {
    return new Fault('not_found', `"${this.#deps.settings.name}" has no ${path}.`);
  }
}

/** An entry of a build cache, which is made anew when it is not there. */
function isMissable({ mutable, role }: ArtifactTarget): boolean {
  return mutable === true && role === 'metadata';
}

/** What may be replaced at any time makes no answer that holds for longer than itself. */
function contentOf(row: ObjectRow, body: Blob, freshUntil: number): Content {
  const { type, tag, digest, fetchedAt } = row;
  const lastModified = new Date(fetchedAt).toUTCString();
  return { cache: 'hit', type, tag, digest, lastModified, body, freshUntil, settle: async () => {} };
}
