import { bytes, duration } from '../contract/index.ts';
import { FOREVER, type ObjectRow } from '../ledger/ledger.ts';
import { type Blob, IntegrityError, type Store, type Upload } from '../store/store.ts';
import { Fault } from './fault.ts';
import type { AnyFormat, ArtifactTarget, Body, CallTarget, IndexTarget, Publication } from './format.ts';
import type { Log } from './log.ts';
import type { Objects } from './objects.ts';
import type { Ask, Content, Delivery, Listing, Source } from './source.ts';
import { storing } from './stored.ts';
import { tagOf } from './tag.ts';
import { Upkeep } from './upkeep.ts';

/** A request's body on its way in. */
export interface Incoming {
  /** Bytes, where the request says so. */
  readonly size: number | undefined;
  /** Content type as sent. */
  readonly type: string | undefined;
  /** Nothing is asked of the client before the first chunk is. Throws `Fault` when it breaks off. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface Published {
  /** False: it stands in the place of an older one. */
  readonly created: boolean;
  readonly digest: string;
  readonly tag: string;
}

/** What can be published to. */
export interface Publisher {
  /** Resolves when it is durable and served. Throws `Fault`; then all is as it was. */
  publish(publication: Publication, incoming: Incoming): Promise<Published>;
}

export interface HostedSettings {
  readonly name: string;
  /** Bytes. */
  readonly maxSize?: number;
  readonly maxArtifactSize?: number;
  /** Milliseconds. */
  readonly maxAge?: number;
}

export interface HostedDeps {
  readonly settings: HostedSettings;
  readonly format: AnyFormat;
  readonly store: Store;
  readonly objects: Objects;
  readonly log: Log;
  readonly now: () => number;
}

/** A reader and a writer may miss each other so often before the bytes are taken for lost. */
const TRIES = 3;

export function hostedSettings(name: string, spec: Readonly<Record<string, unknown>>): HostedSettings {
  const { max_size: size, max_artifact_size: artifactSize, max_age: age } = spec;
  return {
    name,
    ...(typeof size === 'string' ? { maxSize: bytes(size) } : {}),
    ...(typeof artifactSize === 'string' ? { maxArtifactSize: bytes(artifactSize) } : {}),
    ...(typeof age === 'string' ? { maxAge: duration(age) } : {}),
  };
}

/** A repository that holds what is published to it: files under their paths, the last one that was put there whole. */
export class HostedSource implements Source, Publisher {
  readonly upkeep: Upkeep;
  readonly #deps: HostedDeps;
  /** The last publication under way of each path. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #isRetired = false;

  constructor(deps: HostedDeps) {
    this.#deps = deps;
    this.upkeep = new Upkeep({ ...deps, ...deps.settings, repository: deps.settings.name });
  }

  /** It was deleted: what is still on its way is not taken any more. */
  retire(): void {
    this.#isRetired = true;
  }

  async artifact(target: ArtifactTarget, _ask: Ask): Promise<Delivery> {
    const { digest, size } = await this.#row(target);
    const file = { path: target.path, role: target.role, digest, size };
    return { repository: this.#deps.settings.name, file, open: () => this.#open(target) };
  }

  async index(target: IndexTarget, _ask: Ask): Promise<Listing> {
    throw this.#absent(target.path);
  }

  async call(target: CallTarget, _ask: Ask): Promise<Body> {
    if (target.answer) return target.answer;
    throw this.#absent(target.path);
  }

  async publish({ file }: Publication, { size, type, chunks }: Incoming): Promise<Published> {
    this.#requireFits(file, size ?? 0);
    const upload = await storing(this.#deps.store.begin());
    try {
      for await (const chunk of chunks) {
        this.#requireFits(file, upload.written + chunk.length);
        await storing(upload.write(chunk));
      }
      return await this.#inTurn(file.path, () => this.#keep(file, type, upload, size));
    } catch (error) {
      await upload.abort();
      if (!(error instanceof IntegrityError)) throw error;
      throw new Fault('invalid', `${file.path} was not taken: its ${error.message}.`, { cause: error });
    }
  }

  /** Blob first, row second: whatever breaks off before the row is there leaves the file that was there. */
  async #keep(
    file: ArtifactTarget,
    type: string | undefined,
    upload: Upload,
    size: number | undefined,
  ): Promise<Published> {
    const { objects, settings, now } = this.#deps;
    const { before, row } = await objects.keep(async () => {
      if (this.#isRetired) throw new Fault('not_found', `"${settings.name}" was deleted meanwhile.`);
      const committed = await storing(upload.commit(size === undefined ? {} : { size }));
      const before = await objects.get(settings.name, file.path);
      const row = this.#rowOf(file, file.type ?? type, committed);
      await objects.record(row);
      return { before, row };
    });
    this.upkeep.wrote(file.path, row.size - (before?.size ?? 0), now());
    if (before && before.digest !== row.digest) this.upkeep.replaced();
    return { created: before === undefined, digest: row.digest, tag: row.tag };
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
        return contentOf(row, blob, now());
      }
      blob?.release();
      objects.forget(settings.name, [path]);
    }
    log.error('the bytes of a published file are gone', { repository: settings.name, path });
    throw this.#absent(path);
  }

  #rowOf(
    { path, role, name, version }: ArtifactTarget,
    type: string | undefined,
    { digest, size }: Pick<ObjectRow, 'digest' | 'size'>,
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
      ...(name === undefined ? {} : { name }),
      ...(version === undefined ? {} : { version }),
    };
  }

  #requireFits({ path }: ArtifactTarget, size: number): void {
    const {
      name,
      maxSize = Number.POSITIVE_INFINITY,
      maxArtifactSize = Number.POSITIVE_INFINITY,
    } = this.#deps.settings;
    const [most, limit] = maxArtifactSize <= maxSize ? [maxArtifactSize, 'max_artifact_size'] : [maxSize, 'max_size'];
    if (size <= most) return;
    throw new Fault('too_large', `${path} is larger than the ${most} bytes that "${name}" takes (${limit}).`);
  }

  #absent(path: string): Fault {
    return new Fault('not_found', `"${this.#deps.settings.name}" has no ${path}.`);
  }
}

/** It may be replaced at any time: no answer made of it holds for longer than itself. */
function contentOf(row: ObjectRow, body: Blob, now: number): Content {
  const { type, tag, digest } = row;
  return { cache: 'hit', type, tag, digest, body, freshUntil: now, settle: async () => {} };
}

function mediaType(sent: string | undefined): string {
  return sent !== undefined && /^[\w.+-]+\/[\w.+-]+(?:\s*;[\x20-\x7e]*)?$/.test(sent) && sent.length <= 200
    ? sent
    : 'application/octet-stream';
}
