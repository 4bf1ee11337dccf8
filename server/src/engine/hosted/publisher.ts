import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { FOREVER, type HostedChange, type ObjectRow } from '../../ledger/ledger.ts';
import { IntegrityError, type Store, type Upload } from '../../store/store.ts';
import { tagOf } from '../answer/tag.ts';
import type { Events } from '../events.ts';
import { Fault } from '../fault.ts';
import type {
  AnyFormat,
  ArtifactTarget,
  Body,
  Change,
  ChangePublication,
  FilePublication,
  FileRemoval,
  HostedPackage,
  NewFile,
  Publication,
  Sent,
} from '../format.ts';
import type { Objects } from '../objects.ts';
import { packageUrl } from '../purl.ts';
import { storing } from '../stored.ts';
import { faultOf, understood } from '../understood.ts';
import { namesIn } from '../virtual/claimed.ts';
import type { HostedPackages } from './hosted-packages.ts';
import type { HostedSettings } from './hosted-settings.ts';
import { type Incoming, Reception } from './reception.ts';
import type { Upkeep } from './upkeep.ts';

/** What became of a publication. */
export interface Receipt {
  readonly result: 'created' | 'replaced' | 'known' | 'changed' | 'removed';
  /** Of the one file that it was. */
  readonly digest?: string;
  readonly tag?: string;
  /** What the protocol's client expects to hear. */
  readonly answer?: Body;
}

/** What can be published to. */
export interface Publisher {
  /** Resolves when it is durable and served. Throws `Fault`; then all is as it was. */
  publish(publication: Publication, incoming: Incoming): Promise<Receipt>;
}

export interface PublisherDeps {
  readonly settings: HostedSettings;
  readonly format: AnyFormat;
  readonly store: Store;
  readonly objects: Objects;
  readonly packages: HostedPackages;
  readonly upkeep: Upkeep;
  readonly events: Events;
  readonly now: () => number;
  /** What was answered from this repository until now may have another answer. */
  readonly changed: () => void;
  /** Throws `withheld` for names that are claimed for others. */
  readonly requireOwn: (names: readonly string[]) => void;
  /** There is something new of a package. */
  readonly published: (name: string) => void;
}

/** How often a change is made anew because somebody else was quicker. */
const TRIES = 5;

/** What is published to a hosted repository: first its bytes, then all of its rows in one transaction. */
export class HostedPublisher implements Publisher {
  readonly #deps: PublisherDeps;
  /** The last publication under way of each path and package. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #isRetired = false;

  constructor(deps: PublisherDeps) {
    this.#deps = deps;
  }

  /** It was deleted: what is still on its way is not taken any more. */
  retire(): void {
    this.#isRetired = true;
  }

  async publish(publication: Publication, incoming: Incoming): Promise<Receipt> {
    switch (publication.kind) {
      case 'file':
        return this.#file(publication, incoming);
      case 'removal':
        return this.#inTurn(publication.file.path, () => this.#remove(publication));
      case 'change':
        return this.#change(publication, incoming);
    }
  }

  async #file(publication: FilePublication, { size, type, digests = [], chunks }: Incoming): Promise<Receipt> {
    const { file } = publication;
    this.#requireOwn(namesIn(this.#deps.format, file));
    this.#requireFits(file.path, size ?? 0);
    const upload = await storing(this.#deps.store.begin(digests.map((digest) => digest.slice(0, digest.indexOf(':')))));
    try {
      for await (const chunk of chunks) {
        this.#requireFits(file.path, upload.written + chunk.length);
        await storing(upload.write(chunk));
      }
      await requireAnnounced(upload, size, digests);
      return await this.#inTurn(file.path, () => this.#keep(publication, type, upload));
    } catch (error) {
      await upload.abort();
      if (!(error instanceof IntegrityError)) throw error;
      throw new Fault('invalid', `${file.path} was not taken: its ${error.message}.`, { cause: error });
    }
  }

  /** Blob first, row second: whatever breaks off before the row is there leaves the file that was there. */
  async #keep({ file, replaces }: FilePublication, type: string | undefined, upload: Upload): Promise<Receipt> {
    const { objects, settings, upkeep, now, changed } = this.#deps;
    const { before, row } = await objects.keep(async () => {
      this.#requireThere();
      const before = await objects.get(settings.name, file.path);
      const { sha256 } = await storing(upload.hashes());
      const isKnown = before?.digest === `sha256:${sha256}`;
      if (!replaces && before && !isKnown) throw this.#taken(file.path, false);
      const row = this.#rowOf(file, file.type ?? type, await storing(upload.commit()));
      if (replaces) await this.#replace(row, isKnown);
      else if (!isKnown) await this.#commit({ files: [{ object: row }] });
      return { before, row };
    });
    upkeep.wrote(file.path, row.size - (before?.size ?? 0), now());
    if (before && before.digest !== row.digest) upkeep.replaced();
    if (!before) changed();
    const result = before === undefined ? 'created' : before.digest === row.digest ? 'known' : 'replaced';
    return { result, digest: row.digest, tag: result === 'known' && !replaces ? (before?.tag ?? row.tag) : row.tag };
  }

  async #replace(row: ObjectRow, isKnown: boolean): Promise<void> {
    await this.#deps.objects.record(row);
    if (!isKnown) this.#tell({ files: [row.path] });
  }

  async #remove({ file, frees }: FileRemoval): Promise<Receipt> {
    const { objects, settings } = this.#deps;
    const before = await objects.get(settings.name, file.path);
    if (!before) throw new Fault('not_found', `"${settings.name}" has no ${file.path}.`);
    await this.#commit({ removed: [{ path: file.path, frees }] });
    this.#settled([], [before.size]);
    return { result: 'removed' };
  }

  async #change(publication: ChangePublication, incoming: Incoming): Promise<Receipt> {
    this.#requireRoom(publication, incoming.size ?? 0);
    const reception = new Reception({ ...this.#deps, requireFits: (name, size) => this.#requireFits(name, size) });
    try {
      const sent = await reception.take(publication.body, incoming).catch((error: unknown) => {
        throw faultOf(error);
      });
      const name = understood(() => publication.package(sent));
      return await this.#inTurn(`package ${name}`, () => this.#apply(name, publication, sent, reception));
    } finally {
      await reception.end();
    }
  }

  async #apply(name: string, publication: ChangePublication, sent: Sent, reception: Reception): Promise<Receipt> {
    const { objects, packages } = this.#deps;
    const committed = new Map<NewFile['from'], Kept>();
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const before = await packages.package(name);
      const change = understood(() => publication.change(sent, before));
      if (change.files !== undefined && change.files.length > 0) this.#requireOwn([name]);
      const done = await objects.keep(() =>
        this.#make(name, before, change, (from) => this.#stored(from, reception, committed)),
      );
      if (done) return { result: 'changed', answer: change.answer };
    }
    throw new Fault('unavailable', `${name} is being changed by others: ask again.`, { details: { retryAfter: 1 } });
  }

  /** False: the package is not what it was any more. */
  async #make(
    name: string,
    before: HostedPackage | undefined,
    { files = [], metadata = new Map(), removed = [], document }: Change,
    stored: (from: NewFile['from']) => Promise<Kept>,
  ): Promise<boolean> {
    this.#requireThere();
    const known = new Map(before?.files.map((file) => [file.path, file]));
    const added = files.filter(({ target, from }) => {
      const file = known.get(target.path);
      if (!file) return true;
      if (file.digest !== digestOf(from)) throw this.#taken(target.path, file.removedAt !== undefined);
      return file.removedAt !== undefined;
    });
    const isSaid = document === undefined || isDeepStrictEqual(document, before?.document);
    if (added.length === 0 && metadata.size === 0 && removed.length === 0 && isSaid) return true;
    const rows: ObjectRow[] = [];
    for (const { target, from } of added) {
      const published = known.get(target.path)?.publishedAt;
      rows.push(this.#rowOf({ ...target, name }, target.type, await stored(from), published));
    }
    const isDone = await this.#commit({
      package: name,
      expect: before?.revision ?? 0,
      files: rows.map((object, at) => ({ object, ...jsonOf('metadata', added[at]?.metadata) })),
      metadata: [...metadata].map(([path, value]) => ({ path, metadata: JSON.stringify(value) })),
      removed: removed.map((path) => ({ path, frees: false })),
      ...jsonOf('document', document),
    });
    const sizeOf = (path: string): number => known.get(path)?.size ?? 0;
    if (isDone) this.#settled(rows, removed.map(sizeOf));
    return isDone;
  }

  async #stored(from: NewFile['from'], reception: Reception, committed: Map<NewFile['from'], Kept>): Promise<Kept> {
    const known = committed.get(from);
    if (known) return known;
    let upload: Upload;
    if ('bytes' in from) {
      upload = await storing(this.#deps.store.begin());
      await storing(upload.write(from.bytes));
    } else upload = reception.uploadOf(from);
    const kept = await storing(upload.commit());
    committed.set(from, kept);
    return kept;
  }

  async #commit(change: Partial<HostedChange>): Promise<boolean> {
    const { objects, settings, format, now } = this.#deps;
    const outcome = await objects.publish({
      repository: settings.name,
      format: format.id,
      at: now(),
      files: [],
      metadata: [],
      removed: [],
      ...change,
    });
    if (outcome.is === 'taken') throw this.#taken(outcome.path, outcome.removed);
    if (outcome.is !== 'done') return false;
    const { package: name, files = [], removed = [] } = change;
    if (name !== undefined && files.length > 0) this.#deps.published(name);
    this.#tell({
      ...(name === undefined ? {} : { purl: packageUrl(format, {}, name) }),
      files: files.map(({ object }) => object.path),
      ...(removed.length === 0 ? {} : { removed: removed.map(({ path }) => path) }),
    });
    return true;
  }

  #tell(details: Readonly<Record<string, unknown>>): void {
    const { events, settings, now } = this.#deps;
    events.emit({ kind: 'published', at: now(), repository: settings.name, details });
  }

  #settled(rows: readonly ObjectRow[], removed: readonly number[]): void {
    const { packages, upkeep, now, changed } = this.#deps;
    packages.forget();
    changed();
    for (const { path, size } of rows) upkeep.wrote(path, size, now());
    for (const size of removed) upkeep.shrank(size);
    if (removed.length > 0) upkeep.replaced();
  }

  /** One after the other, in the order in which their last bytes came. */
  async #inTurn<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
    const turn = (this.#turns.get(path) ?? Promise.resolve()).then(work, work);
    this.#turns.set(path, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(path) === turn) this.#turns.delete(path);
    }
  }

  #rowOf(
    { path, role, name, version }: ArtifactTarget,
    type: string | undefined,
    { digest, size }: Kept,
    published?: number,
  ): ObjectRow {
    const { settings, format, now } = this.#deps;
    const at = now();
    return {
      repository: settings.name,
      format: format.id,
      path,
      kind: 'artifact',
      role,
      digest,
      size,
      type: mediaType(type),
      url: '',
      upstream: '',
      tag: tagOf(digest),
      fetchedAt: at,
      checkedAt: at,
      freshUntil: FOREVER,
      ...(name === undefined
        ? {}
        : { name, purl: packageUrl(format, {}, name, version), publishedAt: published ?? at, publishedBy: 'server' }),
      ...(version === undefined ? {} : { version }),
    };
  }

  /** What others have claimed is theirs to publish; to remove it from here is possible. */
  #requireOwn(names: readonly string[]): void {
    try {
      this.#deps.requireOwn(names);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const { message, details } = error;
      const said = message.replace(/ is not asked of /, ' cannot be published to ');
      throw new Fault('conflict', said, { cause: error, details });
    }
  }

  #requireThere(): void {
    if (this.#isRetired) throw new Fault('not_found', `"${this.#deps.settings.name}" was deleted meanwhile.`);
  }

  /** A document holds its files as base64, which takes a third more. */
  #requireRoom({ body }: ChangePublication, size: number): void {
    if (body.shape === 'none' || size <= body.limit) return;
    this.#requireFits('what is published', body.shape === 'json' ? ((size - body.limit) * 3) / 4 : size - body.limit);
  }

  #requireFits(what: string, size: number): void {
    const {
      name,
      maxSize = Number.POSITIVE_INFINITY,
      maxArtifactSize = Number.POSITIVE_INFINITY,
    } = this.#deps.settings;
    const [most, limit] = maxArtifactSize <= maxSize ? [maxArtifactSize, 'max_artifact_size'] : [maxSize, 'max_size'];
    if (size <= most) return;
    throw new Fault('too_large', `${what} is larger than the ${most} bytes that "${name}" takes (${limit}).`);
  }

  #taken(path: string, removed: boolean): Fault {
    const file = path.slice(path.lastIndexOf('/') + 1);
    const since = removed ? ' It was removed since; its name still means those bytes.' : '';
    return new Fault(
      'conflict',
      `File already exists: "${this.#deps.settings.name}" has published ${file} with other bytes, and a release is published once.${since}`,
    );
  }
}

type Kept = Pick<ObjectRow, 'digest' | 'size'>;

function digestOf(from: NewFile['from']): string {
  const hex = 'bytes' in from ? createHash('sha256').update(from.bytes).digest('hex') : from.hashes['sha256'];
  return `sha256:${hex}`;
}

function jsonOf<Key extends string>(key: Key, value: unknown): { readonly [K in Key]?: string } {
  return (value === undefined ? {} : { [key]: JSON.stringify(value) }) as { readonly [K in Key]?: string };
}

/** Throws `IntegrityError`. */
async function requireAnnounced(upload: Upload, size: number | undefined, digests: readonly string[]): Promise<void> {
  if (size !== undefined && size !== upload.written)
    throw new IntegrityError('size', String(size), String(upload.written));
  if (digests.length === 0) return;
  const hashes = await storing(upload.hashes());
  for (const digest of digests) {
    const algorithm = digest.slice(0, digest.indexOf(':'));
    const actual = `${algorithm}:${hashes[algorithm]}`;
    if (actual !== digest) throw new IntegrityError('digest', digest, actual);
  }
}

function mediaType(sent: string | undefined): string {
  return sent !== undefined && /^[\w.+-]+\/[\w.+-]+(?:\s*;[\x20-\x7e]*)?$/.test(sent) && sent.length <= 200
    ? sent
    : 'application/octet-stream';
}
