import { FOREVER, type ObjectRow } from '../../ledger/ledger.ts';
import { IntegrityError, type Readable, type Store, type Upload } from '../../store/store.ts';
import type { UpstreamResponse } from '../../upstream/upstream.ts';
import { tagOf } from '../answer/tag.ts';
import { collect } from '../collect.ts';
import { type Events, fetched } from '../events.ts';
import { Fault, isOutage } from '../fault.ts';
import { Flights, joined } from '../flight.ts';
import type { AnyFormat, ArtifactTarget } from '../format.ts';
import type { Log } from '../log.ts';
import type { CacheState, FileFacts } from '../source.ts';
import { storing } from '../stored.ts';
import { lengthOf, servedAs } from './described.ts';
import type { Exchange } from './exchange.ts';
import { factsOfTarget } from './facts.ts';
import { Absences, conditions, freshnessOf, usableOnError, type Verdict, verdict } from './freshness.ts';
import { BESIDE, disputed, disputedByBytes, otherDigest } from './mutation.ts';
import { fileAt, type Locating } from './places.ts';
import { refuseImplausible } from './plausible.ts';
import type { RemoteSettings } from './remote-settings.ts';
import { artifactRow } from './rows.ts';
import { sameBytes } from './same-bytes.ts';
import { type SharedDeps, SharedFetch } from './shared-fetch.ts';
import type { ContentSums } from './sums.ts';

export interface ArtifactDeps extends SharedDeps {
  readonly settings: RemoteSettings;
  readonly format: AnyFormat;
  readonly exchange: Exchange;
  readonly store: Store;
  readonly events: Events;
  readonly log: Log;
  readonly locating: (target: ArtifactTarget) => Promise<Locating>;
  readonly sums: ContentSums;
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
  /** What is served is known only when all of it is here: it may be other bytes than those we had. */
  readonly recheck: boolean;
  /** Rejects with the fault that broke it off; nothing is kept then. */
  readonly done: Promise<ObjectRow>;
}

type Fetched = Fetch | { readonly kept: ObjectRow; readonly cache: CacheState };

/** A file this small is checked whole before its first byte is sent, so that a wrong one gets a proper error. */
const CHECKED_FIRST = 64 * 1024;
const LONGEST_CHECKSUM = 4096;

/** A remote's artifacts: fetched once however many ask, streamed while they arrive, kept only when they are what was announced. */
export class Artifacts {
  readonly absences: Absences;
  readonly #deps: ArtifactDeps;
  readonly #fetching = new Map<string, Promise<Fetched>>();
  readonly #landed = new WeakSet<Upload>();
  readonly #behind = new Flights<void>();
  readonly #shared: SharedFetch;

  constructor(deps: ArtifactDeps) {
    this.#deps = deps;
    this.absences = new Absences(deps.settings.negativeTtl);
    this.#shared = new SharedFetch(deps, deps.settings.name, 'file');
  }

  async open(target: ArtifactTarget, file: FileFacts): Promise<Opened> {
    const known = await this.#deps.objects.known(this.#deps.settings.name, target.path);
    if (!known || known.retractedAt !== undefined) return this.#fetch(target, file, known);
    await this.#refuseMutation(target, known, file);
    const judged = this.#judged(target, file, known);
    if (judged === 'revalidate_first') return this.#revalidate(target, file, known);
    if (judged === 'revalidate_behind') this.#revalidateBehind(target, file, known);
    return (await this.#kept(known, judged === 'fresh' ? 'hit' : 'stale')) ?? this.#fetch(target, file, undefined);
  }

  /** Has it, or fetches it whole; `again`: asks the upstream even so. */
  async keep(target: ArtifactTarget, again: boolean): Promise<void> {
    const row = await this.#deps.objects.get(this.#deps.settings.name, target.path);
    if (row && !again) return;
    const fetched = await this.#join(target, factsOfTarget(target), row);
    if ('upload' in fetched) await fetched.done;
  }

  /** A copy of another upstream stands for this one's file only where the index announces its very digest. */
  #judged(target: ArtifactTarget, file: FileFacts, row: ObjectRow): Verdict {
    if (target.digest !== undefined && row.expected === target.digest) return 'fresh';
    const terms = this.#deps.settings.termsOf(target);
    if (row.upstream !== this.#deps.settings.url && file.digest === undefined) return 'revalidate_first';
    return terms === 'immutable' ? 'fresh' : verdict(row, terms, this.#deps.now());
  }

  /** Undefined when the blob is gone, or was evicted a moment ago: it is fetched anew. */
  async #kept(row: ObjectRow, cache: CacheState): Promise<Opened | undefined> {
    const { store, objects, log } = this.#deps;
    const { repository, path, digest, size } = row;
    const blob = await storing(store.open(digest));
    if (blob?.size !== size) {
      blob?.release();
      if (blob) await storing(store.quarantine(digest));
      if ((await objects.known(repository, path))?.digest !== digest) return undefined;
      const what = blob ? 'was cut' : 'is gone';
      log.error(`a blob ${what} and is fetched again`, { repository, path, digest });
      return undefined;
    }
    return { ...servedAs(row), cache, body: blob };
  }

  async #revalidate(target: ArtifactTarget, file: FileFacts, row: ObjectRow): Promise<Opened> {
    try {
      return await this.#fetch(target, file, row);
    } catch (error) {
      const terms = this.#deps.settings.termsOf(target);
      if (
        !(error instanceof Fault) ||
        !isOutage(error) ||
        error.details['changed'] === true ||
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

  /** `known`: also what the upstream took back since. */
  async #fetch(target: ArtifactTarget, file: FileFacts, known: ObjectRow | undefined): Promise<Opened> {
    const landed = await this.#landing(target);
    if (landed) return landed;
    const fetched = await this.#join(target, file, known);
    if ('kept' in fetched) {
      const kept = await this.#kept(fetched.kept, fetched.cache);
      return kept ?? this.#fetch(target, file, undefined);
    }
    if (fetched.recheck || (fetched.size !== undefined && fetched.size <= CHECKED_FIRST)) {
      const kept = await this.#kept(await fetched.done, 'miss');
      if (kept) return kept;
    }
    return {
      cache: 'miss',
      type: fetched.type,
      tag: fetched.tag,
      freshUntil: Math.min(this.#deps.now() + this.#ttl(target), FOREVER),
      ...(fetched.lastModified === undefined ? {} : { lastModified: fetched.lastModified }),
      ...(file.digest?.startsWith('sha256:') ? { digest: file.digest } : {}),
      body: fetched.upload.follow(fetched.size),
    };
  }

  /** Of a fetch that has all of its bytes and is only being put on record. */
  async #landing(target: ArtifactTarget): Promise<Opened | undefined> {
    const running = await this.#fetching.get(target.path)?.catch(() => undefined);
    if (!running || 'kept' in running || !this.#landed.has(running.upload)) return undefined;
    const row = await running.done.catch(() => undefined);
    return row && this.#kept(row, 'hit');
  }

  #join(target: ArtifactTarget, file: FileFacts, known: ObjectRow | undefined): Promise<Fetched> {
    const running = this.#fetching.get(target.path);
    if (running) return joined(running);
    const started = this.#together(target, file, known);
    this.#fetching.set(target.path, started);
    const over = () => {
      if (this.#fetching.get(target.path) === started) this.#fetching.delete(target.path);
    };
    started.then((fetched) => ('kept' in fetched ? over() : fetched.done.then(over, over)), over);
    return started;
  }

  #together(target: ArtifactTarget, file: FileFacts, known: ObjectRow | undefined): Promise<Fetched> {
    const fetch = (row: ObjectRow | undefined) => this.#start(target, file, row);
    if (this.absences.find(target.path, this.#deps.now())) return fetch(known);
    return this.#shared.run({
      path: target.path,
      known,
      again: known !== undefined && this.#judged(target, file, known) === 'fresh',
      found: (row) => this.#recorded(target, file, row),
      fetch,
      ended: (fetched) => ('kept' in fetched ? undefined : fetched.done),
    });
  }

  /** By another process. */
  async #recorded(target: ArtifactTarget, file: FileFacts, row: ObjectRow): Promise<Fetched | undefined> {
    const isDoubtful = row.retractedAt !== undefined || row.disputed !== undefined;
    if (isDoubtful || otherDigest(row, file.digest) !== undefined) return undefined;
    if (this.#judged(target, file, row) !== 'fresh') return undefined;
    return (await storing(this.#deps.store.stat(row.digest))) && { kept: row, cache: 'hit' };
  }

  async #start(target: ArtifactTarget, announced: FileFacts, known: ObjectRow | undefined): Promise<Fetched> {
    const { settings, exchange, objects } = this.#deps;
    const now = this.#deps.now();
    const absence = this.absences.find(target.path, now);
    if (absence) throw this.#absent(target, absence.status);
    const file = await this.#withChecksum(target, announced);
    const places = fileAt(target, file, await this.#deps.locating(target));
    const ours = known?.upstream === settings.url ? known : undefined;
    const current = ours?.retractedAt === undefined ? ours : undefined;
    const present = ours ? undefined : await sameBytes(this.#deps, target, file, { places, ttl: this.#ttl(target) });
    if (present) return { kept: present, cache: 'miss' };
    const answer = await exchange.get(places, current ? conditions(current) : {});
    if (answer.kind === 'absent') {
      this.absences.add(target.path, now, answer.status);
      if (known) await objects.retract(known, now);
      throw this.#absent(target, answer.status);
    }
    if (answer.kind === 'unchanged') return this.#confirmed(target, current as ObjectRow, answer.headers);
    const before = settings.isMutable(target) ? undefined : ours;
    return this.#receive(target, file, answer.response, { before, recheck: (current ?? before) !== undefined });
  }

  async #confirmed(target: ArtifactTarget, held: ObjectRow, headers: UpstreamResponse['headers']): Promise<Fetched> {
    const { objects, now } = this.#deps;
    const row = await objects.refresh(held, { ...held, ...freshnessOf(headers, now(), this.#ttl(target)) });
    return { kept: disputedByBytes(row) ? await objects.dispute(row, undefined) : row, cache: 'revalidated' };
  }

  async #receive(
    target: ArtifactTarget,
    file: FileFacts,
    response: UpstreamResponse,
    { before, recheck }: { readonly before: ObjectRow | undefined; readonly recheck: boolean },
  ): Promise<Fetch> {
    const { settings, store, log } = this.#deps;
    const size = lengthOf(response);
    const algorithm = file.digest?.split(':', 1)[0];
    let upload: Upload;
    try {
      refuseImplausible(settings, target, file, { type: response.headers['content-type'], size });
      upload = await storing(store.begin(algorithm === undefined ? [] : [algorithm]));
    } catch (error) {
      await response.discard();
      throw error;
    }
    const type = target.type ?? response.headers['content-type'] ?? 'application/octet-stream';
    const tag = tagOf(file.digest);
    const done = this.#take(target, file, response, upload, { type, tag, before });
    done.catch((error: unknown) => log.warn('a fetch failed', { repository: settings.name, path: target.path, error }));
    const lastModified = response.headers['last-modified'];
    return { type, size, tag, upload, recheck, done, ...(lastModified === undefined ? {} : { lastModified }) };
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
    { before, ...kept }: { readonly type: string; readonly tag: string; readonly before: ObjectRow | undefined },
  ): Promise<ObjectRow> {
    const { settings, objects, format, sums } = this.#deps;
    try {
      for await (const chunk of response.body(settings.maxArtifactSize)) await storing(upload.write(chunk));
      if (upload.written === 0) refuseImplausible(settings, target, file, { type: undefined, size: 0 });
      const keep = async () => {
        const { digest, size } = await storing(
          upload.commit({
            ...(file.digest === undefined ? {} : { digest: file.digest }),
            ...(file.size === undefined ? {} : { size: file.size }),
          }),
        );
        this.#landed.add(upload);
        const now = this.#deps.now();
        const freshness = freshnessOf(response.headers, now, this.#ttl(target));
        const received = { ...kept, digest, size, url: response.url, fetchedAt: now, freshness };
        const row = artifactRow(settings, format, file, before ? { ...received, tag: before.tag } : received);
        if (before && before.digest !== digest) return this.#changed(before, row);
        await objects.record(row);
        this.#deps.events.emit(fetched(row));
        return row;
      };
      return await sums.keep(target, upload, () => objects.keep(keep));
    } catch (error) {
      const fault = this.#explained(target, error);
      // Before its readers are broken off: one that asks again must not join what has failed.
      this.#fetching.delete(target.path);
      await upload.abort(fault);
      throw fault;
    }
  }

  /** The upstream has other bytes under a name that never changes: they are kept beside the first. */
  async #changed(before: ObjectRow, other: ObjectRow): Promise<ObjectRow> {
    const { settings, objects, log } = this.#deps;
    const { repository, path } = before;
    await objects.record({ ...other, path: `${path}${BESIDE}${other.digest}` });
    const { digest: is, checkedAt, freshUntil } = other;
    log.error('the upstream changed a file that never changes', { repository, path, was: before.digest, is });
    const marked = await objects.dispute(await objects.refresh(before, { checkedAt, freshUntil }), is);
    if (settings.onMutation === 'refuse') throw disputed(marked, is);
    return marked.retractedAt === undefined ? marked : objects.restore(marked);
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

  /** The index now announces other bytes under a name that never changes, or they were seen: `on_mutation` decides. */
  async #refuseMutation(target: ArtifactTarget, row: ObjectRow, file: FileFacts): Promise<void> {
    const { settings, objects, log } = this.#deps;
    if (settings.isMutable(target) || row.upstream !== settings.url) return;
    const other = otherDigest(row, file.digest) ?? row.disputed;
    if (other === undefined) return;
    if (row.disputed === undefined) {
      const { repository, path } = row;
      log.error('the upstream changed a file that never changes', { repository, path, was: row.digest, is: other });
      await objects.dispute(row, other);
      if (other === file.digest) this.#keepOther(target, file, row);
    }
    if (settings.onMutation === 'refuse') throw disputed(row, other);
  }

  /** Evidence of what the upstream has now; nobody waits for it. */
  #keepOther(target: ArtifactTarget, file: FileFacts, row: ObjectRow): void {
    const { repository, path } = row;
    this.#join(target, file, row)
      .then(async (fetched) => 'upload' in fetched && (await fetched.done))
      .catch((error: unknown) => this.#deps.log.warn('what was changed is not kept', { repository, path, error }));
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
