import { randomUUID } from 'node:crypto';
import { FOREVER, type ObjectRow } from '../ledger/ledger.ts';
import { IntegrityError, type Readable, type Store, type Upload } from '../store/store.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import { collect } from './collect.ts';
import { isOutage, storing } from './documents.ts';
import type { Exchange } from './exchange.ts';
import { Fault } from './fault.ts';
import { Flights } from './flight.ts';
import type { AnyFormat, ArtifactTarget } from './format.ts';
import { Absences, conditions, freshnessOf, usableOnError, type Verdict, verdict } from './freshness.ts';
import type { Log } from './log.ts';
import type { Objects } from './objects.ts';
import { fileAt, type Locating } from './places.ts';
import type { RemoteSettings } from './remote-settings.ts';
import type { CacheState, FileFacts } from './source.ts';

export interface ArtifactDeps {
  readonly settings: RemoteSettings;
  readonly format: AnyFormat;
  readonly exchange: Exchange;
  readonly store: Store;
  readonly objects: Objects;
  readonly log: Log;
  readonly now: () => number;
  readonly locating: (target: ArtifactTarget) => Promise<Locating>;
}

/** A file's bytes: at rest, or still arriving. */
export interface Opened {
  readonly cache: CacheState;
  readonly type: string;
  readonly tag: string;
  readonly lastModified?: string;
  readonly digest?: string;
  readonly freshUntil: number;
  readonly body: Readable;
}

/** One file on its way from the upstream; it goes on when the client that started it leaves. */
interface Fetch {
  readonly type: string;
  readonly size: number | undefined;
  readonly tag: string;
  readonly lastModified?: string;
  readonly upload: Upload;
  /** Rejects with the fault that broke it off; nothing is kept then. */
  readonly done: Promise<ObjectRow>;
}

type Fetched = Fetch | { readonly unchanged: ObjectRow };

/** A file this small is checked whole before its first byte is sent, so that a wrong one gets a proper error. */
const CHECKED_FIRST = 64 * 1024;
const LONGEST_CHECKSUM = 4096;

/** A remote's artifacts: fetched once however many ask, streamed while they arrive, kept only when they are what was announced. */
export class Artifacts {
  readonly absences: Absences;
  readonly #deps: ArtifactDeps;
  readonly #fetching = new Map<string, Promise<Fetched>>();
  readonly #behind = new Flights<void>();

  constructor(deps: ArtifactDeps) {
    this.#deps = deps;
    this.absences = new Absences(deps.settings.negativeTtl);
  }

  async open(target: ArtifactTarget, file: FileFacts): Promise<Opened> {
    const row = await this.#deps.objects.get(this.#deps.settings.name, target.path);
    if (!row) return this.#fetch(target, file, undefined);
    this.#refuseMutation(row, file);
    const judged = this.#judged(target, file, row);
    if (judged === 'revalidate_first') return this.#revalidate(target, file, row);
    if (judged === 'revalidate_behind') this.#revalidateBehind(target, file, row);
    return (await this.#kept(row, judged === 'fresh' ? 'hit' : 'stale')) ?? this.#fetch(target, file, undefined);
  }

  /** A copy of another upstream stands for this one's file only where the index announces its very digest. */
  #judged(target: ArtifactTarget, file: FileFacts, row: ObjectRow): Verdict {
    const terms = this.#deps.settings.termsOf(target);
    if (row.upstream !== this.#deps.settings.url && file.digest === undefined) return 'revalidate_first';
    return terms === 'immutable' ? 'fresh' : verdict(row, terms, this.#deps.now());
  }

  /** Undefined when the blob is gone: it is fetched anew. */
  async #kept(row: ObjectRow, cache: CacheState): Promise<Opened | undefined> {
    const blob = await storing(this.#deps.store.open(row.digest));
    if (!blob) {
      this.#deps.log.error('a blob is gone and is fetched again', {
        repository: row.repository,
        path: row.path,
        digest: row.digest,
      });
      return undefined;
    }
    return { ...this.#described(row), cache, body: blob };
  }

  async #revalidate(target: ArtifactTarget, file: FileFacts, row: ObjectRow): Promise<Opened> {
    try {
      return await this.#fetch(target, file, row);
    } catch (error) {
      const terms = this.#deps.settings.termsOf(target);
      if (
        !(error instanceof Fault) ||
        !isOutage(error) ||
        terms === 'immutable' ||
        !usableOnError(row, terms, this.#deps.now())
      )
        throw error;
      this.#deps.log.warn('serving a stale file', { repository: row.repository, path: row.path, error });
      const stale = await this.#kept(row, 'stale');
      if (!stale) throw error;
      return stale;
    }
  }

  #revalidateBehind(target: ArtifactTarget, file: FileFacts, row: ObjectRow): void {
    this.#behind
      .run(target.path, async () => (await this.#fetch(target, file, row)).body.release())
      .catch((error: unknown) =>
        this.#deps.log.warn('revalidation failed', { repository: row.repository, path: row.path, error }),
      );
  }

  async #fetch(target: ArtifactTarget, file: FileFacts, row: ObjectRow | undefined): Promise<Opened> {
    const fetched = await this.#join(target, file, row);
    if ('unchanged' in fetched) {
      const kept = await this.#kept(fetched.unchanged, 'revalidated');
      return kept ?? this.#fetch(target, file, undefined);
    }
    if (fetched.size !== undefined && fetched.size <= CHECKED_FIRST) {
      const kept = await this.#kept(await fetched.done, 'miss');
      if (kept) return kept;
    }
    return {
      cache: 'miss',
      type: fetched.type,
      tag: fetched.tag,
      freshUntil: this.#deps.now(),
      ...(fetched.lastModified === undefined ? {} : { lastModified: fetched.lastModified }),
      ...(file.digest?.startsWith('sha256:') ? { digest: file.digest } : {}),
      body: fetched.upload.follow(fetched.size),
    };
  }

  #join(target: ArtifactTarget, file: FileFacts, row: ObjectRow | undefined): Promise<Fetched> {
    const running = this.#fetching.get(target.path);
    if (running) return running;
    const started = this.#start(target, file, row);
    this.#fetching.set(target.path, started);
    const over = () => this.#fetching.delete(target.path);
    started.then((fetched) => ('unchanged' in fetched ? over() : fetched.done.then(over, over)), over);
    return started;
  }

  async #start(target: ArtifactTarget, known: FileFacts, row: ObjectRow | undefined): Promise<Fetched> {
    const { settings, exchange, objects, store } = this.#deps;
    const now = this.#deps.now();
    const absence = this.absences.find(target.path, now);
    if (absence) throw this.#absent(target, absence.status);
    const file = await this.#withChecksum(target, known);
    const answer = await exchange.get(
      fileAt(target, file, await this.#deps.locating(target)),
      row?.upstream === settings.url ? conditions(row) : {},
    );
    if (answer.kind === 'absent') {
      this.absences.add(target.path, now, answer.status);
      if (row) await objects.drop(row);
      throw this.#absent(target, answer.status);
    }
    if (answer.kind === 'unchanged') {
      const kept = row as ObjectRow;
      const freshness = freshnessOf(answer.headers, now, this.#ttl(target));
      return { unchanged: await objects.refresh(kept, { ...kept, ...freshness }) };
    }
    const { response } = answer;
    const size = lengthOf(response);
    const wrong = this.#plainlyWrong(target, file, response, size);
    if (wrong) {
      await response.discard();
      throw wrong;
    }
    const algorithm = file.digest?.split(':', 1)[0];
    const upload = await storing(store.begin(algorithm === undefined ? [] : [algorithm])).catch(
      async (error: unknown) => {
        await response.discard();
        throw error;
      },
    );
    const type = target.type ?? response.headers['content-type'] ?? 'application/octet-stream';
    const tag = tagOf(file.digest);
    const done = this.#take(target, file, response, upload, { type, tag });
    done.catch((error: unknown) =>
      this.#deps.log.warn('a fetch failed', { repository: settings.name, path: target.path, error }),
    );
    const lastModified = response.headers['last-modified'];
    return { type, size, tag, upload, done, ...(lastModified === undefined ? {} : { lastModified }) };
  }

  /** A file beside it may announce the digest that no index does. */
  async #withChecksum(target: ArtifactTarget, file: FileFacts): Promise<FileFacts> {
    const beside = file.digest === undefined ? this.#deps.format.checksum?.of(target) : undefined;
    if (!beside) return file;
    const { name, version } = file;
    const release = { ...(name === undefined ? {} : { name }), ...(version === undefined ? {} : { version }) };
    const text = await this.#text(beside.target, release);
    const digest = text === undefined ? undefined : this.#deps.format.checksum?.read(text, beside.algorithm);
    return digest === undefined ? file : { ...file, digest };
  }

  /** Undefined when there is no such file, or one too long to be a checksum. */
  async #text(target: ArtifactTarget, release: Pick<FileFacts, 'name' | 'version'>): Promise<string | undefined> {
    try {
      const { body } = await this.open(target, { ...release, path: target.path, role: target.role });
      const bytes = await collect(body.stream(0, LONGEST_CHECKSUM + 1), undefined).finally(() => body.release());
      return bytes.length > LONGEST_CHECKSUM ? undefined : bytes.toString();
    } catch (error) {
      if (error instanceof Fault && error.code === 'not_found') return undefined;
      throw error;
    }
  }

  /**
   * Blob first, row second: a crash between leaves a blob that nothing names, which a sweep removes; the other order would
   * leave a name without bytes.
   */
  async #take(
    target: ArtifactTarget,
    file: FileFacts,
    response: UpstreamResponse,
    upload: Upload,
    kept: { readonly type: string; readonly tag: string },
  ): Promise<ObjectRow> {
    const { settings, objects } = this.#deps;
    try {
      for await (const chunk of response.body(settings.maxArtifactSize)) await storing(upload.write(chunk));
      const committed = await storing(
        upload.commit({
          ...(file.digest === undefined ? {} : { digest: file.digest }),
          ...(file.size === undefined ? {} : { size: file.size }),
        }),
      );
      const row = this.#row(target, file, response, { ...kept, digest: committed.digest, size: committed.size });
      await objects.record(row);
      return row;
    } catch (error) {
      const fault = this.#explained(target, error);
      await upload.abort(fault);
      throw fault;
    }
  }

  #row(
    target: ArtifactTarget,
    file: FileFacts,
    response: UpstreamResponse,
    kept: Pick<ObjectRow, 'type' | 'tag' | 'digest' | 'size'>,
  ): ObjectRow {
    const { settings, format } = this.#deps;
    const now = this.#deps.now();
    const purl = file.name === undefined ? undefined : settings.purlOf(file.name, file.version);
    return {
      repository: settings.name,
      format: format.id,
      path: target.path,
      kind: 'artifact',
      role: target.role,
      ...kept,
      url: response.url,
      upstream: settings.url,
      fetchedAt: now,
      ...freshnessOf(response.headers, now, this.#ttl(target)),
      ...(file.digest === undefined ? {} : { expected: file.digest }),
      ...(file.name === undefined ? {} : { name: file.name }),
      ...(file.version === undefined ? {} : { version: file.version }),
      ...(purl === undefined ? {} : { purl }),
      ...(file.published === undefined ? {} : { publishedAt: file.published.at, publishedBy: file.published.by }),
    };
  }

  #explained(target: ArtifactTarget, error: unknown): Fault {
    const failed = this.#deps.exchange.failed(error);
    if (failed instanceof Fault) return failed;
    if (failed instanceof IntegrityError) {
      return new Fault(
        'integrity',
        `The upstream of "${this.#deps.settings.name}" sent the wrong ${target.path}: ${failed.message}.`,
        { cause: failed },
      );
    }
    return new Fault('internal', 'The file could not be taken in.', { cause: failed });
  }

  /** What the headers already give away, while a proper error can still be sent. */
  #plainlyWrong(
    target: ArtifactTarget,
    file: FileFacts,
    response: UpstreamResponse,
    size: number | undefined,
  ): Fault | undefined {
    const { settings } = this.#deps;
    if (size !== undefined && size > settings.maxArtifactSize) {
      return new Fault(
        'too_large',
        `${target.path} has ${size} bytes; "${settings.name}" takes at most ${settings.maxArtifactSize} (max_artifact_size).`,
      );
    }
    if (size !== undefined && file.size !== undefined && size !== file.size) {
      return new Fault(
        'integrity',
        `The upstream of "${settings.name}" sent the wrong ${target.path}: it has ${size} bytes, its index says ${file.size}.`,
      );
    }
    if (
      (file.digest !== undefined || (target.type !== undefined && !target.type.startsWith('text/html'))) &&
      response.headers['content-type']?.startsWith('text/html') &&
      !/\.html?$/.test(target.path)
    ) {
      return new Fault(
        'integrity',
        `The upstream of "${settings.name}" sent a web page in place of ${target.path}: is there a login or a proxy in between?`,
      );
    }
    return undefined;
  }

  /** The index now announces other bytes under a name that never changes: neither is served before somebody looked. */
  #refuseMutation(row: ObjectRow, file: FileFacts): void {
    if (file.digest === undefined || row.expected === undefined || row.expected === file.digest) return;
    if (row.expected.split(':', 1)[0] !== file.digest.split(':', 1)[0]) return;
    throw new Fault(
      'integrity',
      `The upstream of "${row.repository}" changed ${row.path}: it was ${row.expected}, its index now says ${file.digest}. Evict it to take the new one.`,
    );
  }

  #described(row: ObjectRow): Omit<Opened, 'cache' | 'body'> {
    return {
      type: row.type,
      tag: row.tag,
      digest: row.digest,
      freshUntil: row.freshUntil,
      ...(row.lastModified === undefined ? {} : { lastModified: row.lastModified }),
    };
  }

  #ttl(target: ArtifactTarget): number {
    const terms = this.#deps.settings.termsOf(target);
    return terms === 'immutable' ? FOREVER : terms.ttl;
  }

  #absent(target: ArtifactTarget, upstreamStatus: number): Fault {
    return new Fault('not_found', `The upstream of "${this.#deps.settings.name}" has no ${target.path}.`, {
      details: { upstreamStatus },
    });
  }
}

function lengthOf(response: UpstreamResponse): number | undefined {
  const length = response.headers['content-length'];
  return length !== undefined && /^\d+$/.test(length) && response.headers['content-encoding'] === undefined
    ? Number(length)
    : undefined;
}

/** Made from the announced digest where there is one, so that a miss and the hits after it agree; else unique to this fetch. */
function tagOf(digest: string | undefined): string {
  return digest === undefined ? randomUUID() : digest.replace(':', '-').slice(0, 48);
}
