import { type ArtifactDeps, Artifacts } from './artifacts.ts';
import { collect } from './collect.ts';
import { type DocumentDeps, Documents } from './documents.ts';
import { Fault } from './fault.ts';
import type { ArtifactTarget, Body, CallTarget, IndexTarget, Place } from './format.ts';
import { encodePath } from './path.ts';
import { fileAt, placesOf } from './places.ts';
import type { Ask, Content, Delivery, FileFacts, Listing, Source } from './source.ts';

export type RemoteDeps = DocumentDeps & Omit<ArtifactDeps, 'locating'>;

/** The most that the answer of a call may have: it is passed on whole. */
const LARGEST_CALL = 16 * 1024 * 1024;

/** A repository that mirrors an upstream and keeps what it fetched. */
export class RemoteSource implements Source {
  readonly #deps: RemoteDeps;
  readonly #documents: Documents;
  readonly #artifacts: Artifacts;

  constructor(deps: RemoteDeps) {
    this.#deps = deps;
    this.#documents = new Documents(deps);
    this.#artifacts = new Artifacts({ ...deps, locating: (target) => this.#documents.locating(target) });
  }

  async index(target: IndexTarget, _ask: Ask): Promise<Listing> {
    const { documents, ...held } = await this.#documents.index(target);
    return {
      ...held,
      members: [{ repository: this.#deps.settings.name, documents, rules: [], options: this.#deps.settings.options }],
    };
  }

  async artifact(target: ArtifactTarget, _ask: Ask): Promise<Delivery> {
    const file = await this.#file(target);
    const { name, url } = this.#deps.settings;
    return {
      repository: name,
      upstream: url,
      file,
      open: async (): Promise<Content> => ({ ...(await this.#artifacts.open(target, file)), settle: async () => {} }),
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
    return fileAt(target, await this.#file(target), await this.#documents.locating(target));
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
  async #file(target: ArtifactTarget): Promise<FileFacts> {
    const indexes = this.#deps.format.factsOf(target);
    const known = this.#listed(target, indexes);
    if (known) return known;
    if (indexes.length === 0 || target.unlisted) return unlisted(target);
    const outcome = await this.#ask(target, indexes, false);
    if (typeof outcome === 'object' && !(outcome instanceof Fault)) return outcome;
    const recorded = await this.#recorded(target);
    if (recorded) return recorded;
    if (outcome instanceof Fault) throw outcome;
    return this.#askedAgain(target, indexes);
  }

  #listed(target: ArtifactTarget, indexes: readonly IndexTarget[]): FileFacts | undefined {
    for (const index of indexes) {
      const file = this.#deps.files.find(this.#deps.settings.name, index.path, target.path);
      if (file) return { ...file, path: target.path };
    }
    return undefined;
  }

  /** The file, 'unlisted' when the indexes do not have it, or why they could not be asked. */
  async #ask(
    target: ArtifactTarget,
    indexes: readonly IndexTarget[],
    again: boolean,
  ): Promise<FileFacts | Fault | 'unlisted'> {
    let outage: Fault | undefined;
    for (const index of indexes) {
      try {
        await this.#documents.index(index, again);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        if (error.code !== 'not_found') outage = error;
        continue;
      }
      const file = this.#listed(target, [index]);
      if (file) return file;
    }
    return outage ?? 'unlisted';
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
  async #askedAgain(target: ArtifactTarget, indexes: readonly IndexTarget[]): Promise<FileFacts> {
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

function unlisted(target: ArtifactTarget): FileFacts {
  return {
    path: target.path,
    role: target.role,
    ...(target.name === undefined ? {} : { name: target.name }),
    ...(target.version === undefined ? {} : { version: target.version }),
  };
}
