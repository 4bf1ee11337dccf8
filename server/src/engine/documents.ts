import { LRUCache } from 'lru-cache';
import type { Ledger, ObjectRow } from '../ledger/ledger.ts';
import { type Store, StoreError } from '../store/store.ts';
import { collect } from './collect.ts';
import type { Exchange } from './exchange.ts';
import { Fault } from './fault.ts';
import type { FileTable } from './file-table.ts';
import { Flights } from './flight.ts';
import type { AnyFormat, IndexTarget, RawDocument } from './format.ts';
import { Absences, conditions, freshnessOf, usableOnError, verdict } from './freshness.ts';
import type { Log } from './log.ts';
import type { Objects } from './objects.ts';
import { type Located, type Locating, placesOf } from './places.ts';
import type { RemoteSettings } from './remote-settings.ts';
import type { JobDocument } from './render.ts';
import type { Renderer } from './renderer.ts';
import type { CacheState, SourceDocument } from './source.ts';

export interface DocumentDeps {
  readonly settings: RemoteSettings;
  readonly format: AnyFormat;
  readonly exchange: Exchange;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly objects: Objects;
  readonly renderer: Renderer;
  readonly files: FileTable;
  readonly log: Log;
  readonly now: () => number;
}

/** One document as we hold it. */
export interface Held {
  readonly row: ObjectRow;
  readonly cache: CacheState;
}

/** An index with the documents that complete it. */
export interface HeldIndex {
  readonly documents: readonly SourceDocument[];
  readonly cache: CacheState;
  readonly freshUntil: number;
}

/** Indexes are text and shrink to a tenth; the door undoes it, within `max_index_size`. */
const PACKED = 'gzip, br';
/** After an upstream failed, how long its stale copies answer before it is asked again. */
const BREATHER = 15_000;
/** A document that names more documents, which name more …: this deep and no further. */
const MOST_ROUNDS = 64;

/** A remote's index documents: kept as received, fresh by the remote's terms, never replaced by something that does not decode. */
export class Documents {
  readonly absences: Absences;
  readonly #deps: DocumentDeps;
  readonly #flights = new Flights<Held>();
  readonly #more = new LRUCache<string, readonly IndexTarget[]>({ max: 10_000 });
  readonly #resting = new Map<string, number>();

  constructor(deps: DocumentDeps) {
    this.#deps = deps;
    this.absences = new Absences(deps.settings.negativeTtl);
  }

  /** `again`: ask the upstream even while the copy is fresh. */
  async index(target: IndexTarget, again = false): Promise<HeldIndex> {
    try {
      return await this.#index(target, again);
    } catch (error) {
      if (!(error instanceof LostBlob)) throw error;
      return this.#index(target, again);
    }
  }

  async #index(target: IndexTarget, again: boolean): Promise<HeldIndex> {
    const held = new Map([[target.path, { target, ...(await this.#held(target, again)) }]]);
    let incomplete = false;
    const tried = new Set([target.path]);
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const missing = (await this.#study(target, [...held.values()])).filter(({ path }) => !tried.has(path));
      if (missing.length === 0) break;
      for (const next of missing) {
        tried.add(next.path);
        const found = await this.#completing(next, again);
        if (found.held) held.set(next.path, { target: next, ...found.held });
        incomplete ||= found.outage;
      }
    }
    return this.#whole([...held.values()], incomplete);
  }

  /** What the format needs to say where a target is: with the upstream's discovery document, when it has one. */
  async locating(target: Located): Promise<Locating> {
    const { format, settings } = this.#deps;
    const discovery = format.discovery?.(target);
    const common = { format, options: settings.options };
    if (!discovery) return common;
    const { row } = await this.#held(discovery, false);
    const document = { bytes: await stored(this.#deps, row), ...described(row) };
    return { ...common, discovery: document };
  }

  forget(): void {
    this.absences.clear();
    this.#resting.clear();
    this.#deps.files.forget(this.#deps.settings.name);
  }

  async #completing(target: IndexTarget, again: boolean): Promise<{ held?: Held; outage: boolean }> {
    try {
      return { held: await this.#held(target, again), outage: false };
    } catch (error) {
      if (!target.optional || !(error instanceof Fault)) throw error;
      return { outage: error.code !== 'not_found' };
    }
  }

  #whole(held: readonly (Held & { target: IndexTarget })[], incomplete: boolean): HeldIndex {
    const freshUntil = Math.min(...held.map(({ row }) => row.freshUntil));
    const root = held[0] as Held;
    return {
      documents: held.map(({ target, row }) => ({
        target,
        digest: row.digest,
        size: row.size,
        ...described(row),
      })),
      cache: root.cache,
      freshUntil: incomplete ? Math.min(freshUntil, this.#deps.now() + this.#deps.settings.negativeTtl) : freshUntil,
    };
  }

  async #held(target: IndexTarget, again: boolean): Promise<Held> {
    const { settings, objects } = this.#deps;
    const now = this.#deps.now();
    const row = await objects.get(settings.name, target.path);
    if (!row || row.upstream !== settings.url) return this.#refresh(target, undefined);
    if (!again) {
      const judged = verdict(row, settings.index, now);
      if (judged === 'fresh') return { row, cache: 'hit' };
      if ((this.#resting.get(target.path) ?? 0) > now && usableOnError(row, settings.index, now))
        return { row, cache: 'stale' };
      if (judged === 'revalidate_behind') {
        this.#refresh(target, row).catch((error: unknown) =>
          this.#deps.log.warn('revalidation failed', { repository: settings.name, path: target.path, error }),
        );
        return { row, cache: 'stale' };
      }
    }
    return this.#refreshOrStale(target, row);
  }

  async #refreshOrStale(target: IndexTarget, row: ObjectRow): Promise<Held> {
    const { settings, log } = this.#deps;
    try {
      return await this.#refresh(target, row);
    } catch (error) {
      const now = this.#deps.now();
      if (!(error instanceof Fault) || !isOutage(error) || !usableOnError(row, settings.index, now)) throw error;
      this.#resting.set(target.path, now + Math.min(BREATHER, settings.index.ttl + 1000));
      log.warn('serving a stale index', { repository: settings.name, path: target.path, error });
      return { row, cache: 'stale' };
    }
  }

  #refresh(target: IndexTarget, row: ObjectRow | undefined): Promise<Held> {
    return this.#flights.run(target.path, () => this.#ask(target, row));
  }

  async #ask(target: IndexTarget, row: ObjectRow | undefined): Promise<Held> {
    const { settings, exchange, objects, format } = this.#deps;
    const absence = this.absences.find(target.path, this.#deps.now());
    if (absence) throw this.#absent(target, absence.status);
    const places = placesOf(target, await this.locating(target));
    const answer = await exchange.get(places, { 'accept-encoding': PACKED, ...(row ? conditions(row) : {}) });
    const now = this.#deps.now();
    this.#resting.delete(target.path);
    if (answer.kind === 'absent') {
      this.absences.add(target.path, now, answer.status);
      if (row) await objects.drop(row);
      throw this.#absent(target, answer.status);
    }
    const ttl = answer.place.ttl ?? settings.index.ttl;
    if (answer.kind === 'unchanged') {
      const kept = row as ObjectRow;
      const freshness = freshnessOf(answer.headers, now, ttl);
      return { row: await objects.refresh(kept, { ...kept, ...freshness }), cache: 'revalidated' };
    }
    const received = await this.#receive(target, answer.response);
    const next: ObjectRow = {
      repository: settings.name,
      format: format.id,
      path: target.path,
      kind: 'index',
      role: 'index',
      ...received,
      upstream: settings.url,
      tag: received.digest,
      fetchedAt: now,
      ...(target.name === undefined ? {} : { name: target.name }),
      ...freshnessOf(answer.response.headers, now, ttl),
    };
    await objects.record(next);
    return { row: next, cache: 'miss' };
  }

  /** Reads the whole document, and keeps it only when it is what the protocol says it must be. */
  async #receive(
    target: IndexTarget,
    response: {
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      body(limit?: number): AsyncIterable<Uint8Array>;
    },
  ): Promise<Pick<ObjectRow, 'digest' | 'size' | 'type' | 'url'>> {
    const { store, exchange, settings } = this.#deps;
    const type = response.headers['content-type'] ?? 'application/octet-stream';
    const upload = await storing(store.begin());
    try {
      const length = Math.min(Number(response.headers['content-length'] ?? 0), settings.maxIndexSize);
      const body = response.body(settings.maxIndexSize);
      const bytes = await collect(body, length, (chunk) => storing(upload.write(chunk)));
      const lastModified = response.headers['last-modified'];
      const received = { type, url: response.url, ...(lastModified === undefined ? {} : { lastModified }) };
      const studied = await this.#understood(target, { target, bytes, ...received });
      const committed = await storing(upload.commit());
      this.#remember(target, committed.digest, studied);
      return { digest: committed.digest, size: committed.size, type, url: response.url };
    } catch (error) {
      await upload.abort(error instanceof Error ? error : undefined);
      throw exchange.failed(error);
    }
  }

  async #understood(target: IndexTarget, document: JobDocument): Promise<Understood> {
    const { settings, format, renderer, ledger } = this.#deps;
    const studied = await renderer.study({ format: format.id, documents: [document], options: settings.options });
    if (studied.kind === 'malformed') {
      throw new Fault(
        'upstream_unavailable',
        `The upstream of "${settings.name}" sent something that is no ${format.traits.title} index (${document.type}): ${studied.message}`,
      );
    }
    if (target.scope === 'package' && target.name !== undefined && !target.partial) {
      const releases = studied.releases.map(({ name: _, ...release }) => release);
      ledger
        .recordListing({
          repository: settings.name,
          format: format.id,
          name: target.name,
          at: this.#deps.now(),
          releases,
        })
        .catch((error: unknown) =>
          this.#deps.log.error('a listing was not recorded', { repository: settings.name, path: target.path, error }),
        );
    }
    return studied;
  }

  /** Which documents complete these; the file table is filled on the way. */
  async #study(
    target: IndexTarget,
    held: readonly (Held & { target: IndexTarget })[],
  ): Promise<readonly IndexTarget[]> {
    const { settings, format, renderer, files } = this.#deps;
    const generation = held.map(({ row }) => row.digest).join(' ');
    const known = this.#more.get(`${target.path}\0${generation}`);
    if (known && files.has(settings.name, target.path, generation)) return known;
    const documents = await Promise.all(
      held.map(async (one) => ({
        target: one.target,
        ...described(one.row),
        bytes: await stored(this.#deps, one.row),
      })),
    );
    const studied = await renderer.study({ format: format.id, documents, options: settings.options });
    if (studied.kind === 'malformed')
      throw new Fault(
        'upstream_unavailable',
        `The index ${target.path} of "${settings.name}" cannot be read: ${studied.message}`,
      );
    return this.#remember(target, generation, studied);
  }

  #remember(target: IndexTarget, generation: string, studied: Understood): readonly IndexTarget[] {
    this.#deps.files.put(this.#deps.settings.name, target.path, generation, studied.files);
    this.#more.set(`${target.path}\0${generation}`, studied.more);
    return studied.more;
  }

  #absent(target: IndexTarget, upstreamStatus: number): Fault {
    return new Fault(
      'not_found',
      `The upstream of "${this.#deps.settings.name}" has no ${target.partial ? target.path : (target.name ?? target.path)}.`,
      { details: { upstreamStatus } },
    );
  }
}

type Understood = Extract<Awaited<ReturnType<Renderer['study']>>, { kind: 'studied' }>;

export function isOutage(fault: Fault): boolean {
  return fault.code === 'upstream_unavailable' || fault.code === 'too_large' || fault.code === 'integrity';
}

/** What is known of a document besides its bytes. */
function described(row: Pick<ObjectRow, 'type' | 'url' | 'lastModified'>): Omit<RawDocument, 'bytes'> {
  const { type, url, lastModified } = row;
  return { type, url, ...(lastModified === undefined ? {} : { lastModified }) };
}

/** A row whose blob is gone: the row is dropped by the time this is thrown, so asking once more fetches it anew. */
export class LostBlob extends Error {
  override readonly name = 'LostBlob';
}

/** The bytes of a stored document. */
export async function stored(
  deps: { readonly store: Store; readonly objects: Objects },
  row: { readonly repository: string; readonly path: string; readonly digest: string },
): Promise<Buffer> {
  const blob = await storing(deps.store.open(row.digest));
  if (blob) return blob.bytes().finally(() => blob.release());
  await deps.objects.drop(row);
  throw new LostBlob(`the blob of ${row.path} in ${row.repository} is gone`);
}

/** A store that failed is an outage of ours. */
export async function storing<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StoreError)
      throw new Fault('unavailable', error.message, { cause: error, details: { retryAfter: 30 } });
    throw error;
  }
}
