import { collect } from '../collect.ts';
import { Fault, faultOnly } from '../fault.ts';
import type { ArtifactTarget, Body, CallTarget, IndexTarget, Place } from '../format.ts';
import { encodePath } from '../path.ts';
import type { Ask, CacheState, Content, Delivery, FileFacts, Listing, Source } from '../source.ts';
import { targetAt } from '../understood.ts';
import { type ArtifactDeps, Artifacts } from './artifacts.ts';
import { type DateDeps, Dates } from './dates.ts';
import { type DocumentDeps, Documents } from './documents.ts';
import { factsOfTarget } from './facts.ts';
import { fileAt, placesOf } from './places.ts';
import { type SightDeps, Sights } from './sights.ts';
import { ContentSums, type SumDeps } from './sums.ts';

export type RemoteDeps = Omit<DocumentDeps, 'keepFile' | 'received'> &
  Omit<ArtifactDeps, 'locating' | 'sums'> &
  Omit<DateDeps, 'locating' | 'read'> &
  Omit<SightDeps, 'read' | 'kept'> &
  Pick<SumDeps, 'outdated'>;

/** A file's facts; with how its own document was had, where the file is one. */
interface Known {
  readonly file: FileFacts;
  readonly cache?: CacheState;
}

/** Lists that had to be forgotten are read again for a file that none of the others has, this often at most: milliseconds. */
const BETWEEN_REVIVALS = 60_000;

/** The most that the answer of a call may have: it is passed on whole. */
const LARGEST_CALL = 16 * 1024 * 1024;

/** A repository that mirrors an upstream and keeps what it fetched. */
export class RemoteSource implements Source {
  readonly #deps: RemoteDeps;
  readonly #documents: Documents;
  readonly #artifacts: Artifacts;
  readonly #dates: Dates;
  readonly #sights: Sights;
  #revived: { readonly at: number; readonly done: Promise<void> } | undefined;

  constructor(deps: RemoteDeps) {
    this.#deps = deps;
    const sums = new ContentSums({ ...deps, document: (target) => this.#documents.bytes(target) });
    this.#documents = new Documents({
      ...deps,
      keepFile: (target, again) => this.#artifacts.keep(target, again),
      received: (target) => sums.received(target),
    });
    const locating = (target: ArtifactTarget) => this.#documents.locating(target);
    this.#artifacts = new Artifacts({ ...deps, sums, locating });
    this.#dates = new Dates({ ...deps, locating, read: (target) => this.#documents.index(target) });
    this.#sights = new Sights({
      ...deps,
      read: async (target, pages) => (await this.#documents.index(target, 'when_stale', pages)).documents,
      kept: async (target) => (await this.#documents.index(target, 'never')).documents,
    });
  }

  async index(target: IndexTarget, { kept }: Ask): Promise<Listing> {
    const { documents, ...held } = await this.#documents.index(target, kept ? 'never' : 'when_stale');
    if (!kept) await this.#sights.note(target, documents);
    const { name, sights } = target;
    return {
      ...held,
      members: [
        {
          repository: this.#deps.settings.name,
          documents,
          rules: [],
          options: this.#deps.settings.options,
          dates: (before) => this.#dates.listed(target, documents, { before, kept }),
          ...(sights === undefined || name === undefined ? {} : { meanings: () => this.#sights.meanings(name) }),
        },
      ],
    };
  }

  async artifact(target: ArtifactTarget, _ask: Ask): Promise<Delivery> {
    const { file, cache } = await this.#file(target);
    const { name, url } = this.#deps.settings;
    if (file.refused !== undefined) {
      const details = { rule: `${this.#deps.format.id}.unsupported`, package: file.name, version: file.version };
      throw new Fault('withheld', `${file.refused}.`, { details: { ...details, repository: name } });
    }
    return {
      repository: name,
      upstream: url,
      file,
      lastModified: () => this.#dates.modified(target, file),
      ...(file.details === undefined ? {} : { described: () => this.#dates.described(file) }),
      ...(target.part === undefined ? {} : { carriers: (digest: string) => this.#sights.carriers(target, digest) }),
      open: async (): Promise<Content> => {
        const opened = await this.#artifacts.open(target, file);
        return { ...opened, ...(cache === undefined ? {} : { cache }), settle: async () => {} };
      },
    };
  }

  async call(target: CallTarget, _ask: Ask): Promise<Body> {
    if (target.answer) return target.answer;
    const { exchange, settings } = this.#deps;
    const response = await exchange.send(await this.#placeOfCall(target), {});
    if (response.status >= 500 || response.status === 401 || response.status === 403 || response.status === 429) {
      await response.discard();
      throw exchange.refused(response);
    }
    try {
      return {
        bytes: await collect(response.body(LARGEST_CALL), undefined),
        type: response.headers['content-type'] ?? 'application/octet-stream',
        status: response.status,
      };
    } catch (error) {
      const failed = exchange.failed(error);
      if (failed instanceof Fault) throw failed;
      throw new Fault('upstream_unavailable', `The upstream of "${settings.name}" broke off.`, { cause: error });
    }
  }

  /** Where the upstream keeps it, as far as can be known. */
  async placesOf(target: ArtifactTarget | IndexTarget): Promise<readonly Place[]> {
    if (target.kind === 'index') return placesOf(target, await this.#documents.locating(target));
    return fileAt(target, (await this.#file(target)).file, await this.#documents.locating(target));
  }

  async #placeOfCall(target: CallTarget): Promise<Place> {
    if (!this.#deps.format.discovery?.(target)) return target.place ?? { path: encodePath(target.path) };
    const [place] = placesOf(target, await this.#documents.locating(target));
    if (!place) throw new Fault('not_found', `The upstream of "${this.#deps.settings.name}" has no ${target.path}.`);
    return place;
  }

  /** Forgets what memory holds of these paths, after they were evicted. */
  forget(paths: readonly string[] | 'all'): void {
    if (paths === 'all') {
      this.#documents.forget();
      this.#artifacts.absences.clear();
    } else {
      for (const path of paths) {
        this.#documents.absences.forget(path);
        this.#artifacts.absences.forget(path);
      }
    }
  }

  /** Which release it belongs to, as the index that describes it says; where no index can be had, as we recorded it. */
  async #file(target: ArtifactTarget): Promise<Known> {
    const indexes = this.#deps.format.factsOf(target);
    const noted = indexes.filter((index) => this.#sights.isNoted(index));
    const known = this.#listed(target, noted) ?? (target.listedAnywhere && (await this.#listedAnywhere(target)));
    if (known) return { file: known };
    if (indexes.length === 0 || target.unlisted) {
      const guessed = target.listedAnywhere ? ({ guessed: true } as const) : {};
      return { file: { ...factsOfTarget(this.#own(target)), ...guessed } };
    }
    const outcome = await this.#ask(target, indexes, false);
    if (typeof outcome === 'object' && !(outcome instanceof Fault)) return outcome;
    const recorded = await this.#recorded(target);
    if (recorded) return { file: recorded };
    if (outcome instanceof Fault) throw outcome;
    return this.#askedAgain(target, indexes);
  }

  /** Whose file it is as this remote's options say: a virtual has read its path by those of its first member. */
  #own(target: ArtifactTarget): ArtifactTarget {
    const { format, settings } = this.#deps;
    const own = targetAt(format, settings.options, target.path);
    if (own?.kind !== 'artifact' || own.path !== target.path) return target;
    const { name: _name, version: _version, ...rest } = target;
    const { name, version } = own;
    return { ...rest, ...(name === undefined ? {} : { name }), ...(version === undefined ? {} : { version }) };
  }

  #listed(target: ArtifactTarget, indexes: readonly IndexTarget[]): FileFacts | undefined {
    for (const index of indexes) {
      const file = this.#deps.files.find(this.#deps.settings.name, index.path, target.path);
      if (file) return { ...file, path: target.path };
    }
    return undefined;
  }

  async #listedAnywhere({ path }: ArtifactTarget): Promise<FileFacts | undefined> {
    const { files, settings } = this.#deps;
    const find = () => files.findAnywhere(settings.name, path);
    const found = find();
    if (found) return found;
    const now = this.#deps.now();
    if (this.#revived && now - this.#revived.at > BETWEEN_REVIVALS && files.wasShort(settings.name))
      this.#revived = undefined;
    this.#revived ??= { at: now, done: this.#documents.revive() };
    await this.#revived.done.catch((error: unknown) => {
      this.#revived = undefined;
      throw error;
    });
    return find();
  }

  /** The file, 'unlisted' when the indexes do not have it, or why they could not be asked. */
  async #ask(
    target: ArtifactTarget,
    indexes: readonly IndexTarget[],
    again: boolean,
  ): Promise<Known | Fault | 'unlisted'> {
    let outage: Fault | undefined;
    for (const index of indexes) {
      const outcome = await this.#askOne(target, index, again);
      if (outcome instanceof Fault) outage = outcome;
      else if (outcome !== 'unlisted') return outcome;
    }
    return outage ?? 'unlisted';
  }

  /** An index that is not there lists nothing; asked anew, a stale copy of it may not list what is there by now. */
  async #askOne(target: ArtifactTarget, index: IndexTarget, again: boolean): Promise<Known | Fault | 'unlisted'> {
    const isItself = index.path === target.path;
    const held = await this.#documents.index(index, again ? 'always' : 'when_stale').catch(faultOnly);
    if (held instanceof Fault) return held.code === 'not_found' && !isItself ? 'unlisted' : held;
    await this.#sights.note(index, held.documents);
    const file = this.#listed(target, [index]);
    if (file) return { file, ...(isItself ? { cache: held.cache } : {}) };
    if (!again || held.cache !== 'stale') return 'unlisted';
    const message = `The upstream of "${this.#deps.settings.name}" could not be asked whether it has ${target.path} by now.`;
    return new Fault('upstream_unavailable', message);
  }

  async #recorded(target: ArtifactTarget): Promise<FileFacts | undefined> {
    const row = await this.#deps.objects.get(this.#deps.settings.name, target.path);
    if (!row) return undefined;
    return {
      path: target.path,
      role: target.role,
      url: row.url,
      ...(row.name === undefined ? {} : { name: row.name }),
      ...(row.version === undefined ? {} : { version: row.version }),
      ...(row.expected === undefined ? {} : { digest: row.expected }),
      ...(row.publishedAt === undefined || row.publishedBy === undefined
        ? {}
        : { published: { at: row.publishedAt, by: row.publishedBy } }),
    };
  }

  /** Just published: our copy of the index may be older than the file. Asked once per `negative_ttl`. */
  async #askedAgain(target: ArtifactTarget, indexes: readonly IndexTarget[]): Promise<Known> {
    const absences = this.#artifacts.absences;
    const unlistedFault = new Fault('not_found', `No index of "${this.#deps.settings.name}" lists ${target.path}.`);
    if (absences.find(target.path, this.#deps.now())) throw unlistedFault;
    const outcome = await this.#ask(target, indexes, true);
    if (outcome instanceof Fault) throw outcome;
    if (outcome !== 'unlisted') return outcome;
    absences.add(target.path, this.#deps.now(), 404);
    throw unlistedFault;
  }
}
