import type { Ledger, ObjectRow } from '../../ledger/ledger.ts';
import { IntegrityError, type Store } from '../../store/store.ts';
import type { JobDocument } from '../answer/render.ts';
import type { Renderer } from '../answer/renderer.ts';
import { collect } from '../collect.ts';
import { type Events, fetched } from '../events.ts';
import { Fault, isOutage } from '../fault.ts';
import type { FileTable } from '../file-table.ts';
import { Flights } from '../flight.ts';
import type { AnyFormat, ArtifactTarget, IndexTarget, Part } from '../format.ts';
import { grownCache } from '../grown-cache.ts';
import type { Log } from '../log.ts';
import type { CacheState, SourceDocument } from '../source.ts';
import { LostBlob, stored, storing } from '../stored.ts';
import { algorithmsOf, described, emptyAnswer, requireDigest, rootAt, sentWith, typeOf } from './described.ts';
import type { Answer, Exchange } from './exchange.ts';
import { Absences, conditions, freshnessOf, usableOnError, verdict } from './freshness.ts';
import { complete, whilePublishing } from './generations.ts';
import { Listings } from './listings.ts';
import { type Located, type Locating, placesOf } from './places.ts';
import type { RemoteSettings } from './remote-settings.ts';
import { documentRow } from './rows.ts';
import { type SharedDeps, SharedFetch } from './shared-fetch.ts';
import type { Studied, Understood } from './studied.ts';

export interface DocumentDeps extends SharedDeps {
  readonly settings: RemoteSettings;
  readonly format: AnyFormat;
  readonly exchange: Exchange;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly renderer: Renderer;
  readonly files: FileTable;
  readonly events: Events;
  readonly log: Log;
  /** Fetches a file that a root names and verifies it; `again`: also when it is here. */
  readonly keepFile: (target: ArtifactTarget, again: boolean) => Promise<void>;
  /** It came from the upstream, and is kept. */
  readonly received: (target: IndexTarget) => void;
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

/** When the upstream is asked of an index: `always` also while the copy is fresh, `never` even where there is none. */
export type Asking = 'when_stale' | 'always' | 'never';

/** Indexes are text and shrink to a tenth; the door undoes it, within `max_index_size`. */
const PACKED = 'gzip, br';
/** After an upstream failed, how long its stale copies answer before it is asked again. */
const BREATHER = 15_000;
/** A document that names more documents, which name more …: this deep and no further. */
const MOST_ROUNDS = 1000;
/** Rows read at a time. */
const ROWS = 1000;

/** A remote's index documents: kept as received, fresh by the remote's terms, never replaced by something that does not decode. */
export class Documents {
  readonly absences: Absences;
  readonly #listings: Listings;
  readonly #deps: DocumentDeps;
  readonly #flights = new Flights<Held>();
  readonly #shared: SharedFetch;
  readonly #studied = grownCache<Studied>(10_000);
  readonly #resting = grownCache<number>(10_000);

  constructor(deps: DocumentDeps) {
    this.#deps = deps;
    this.absences = new Absences(deps.settings.negativeTtl);
    this.#shared = new SharedFetch(deps, deps.settings.name, 'document');
    this.#listings = new Listings({ ...deps, read: (target) => this.#held(target, 'when_stale') });
  }

  /** `pages`: so many of the documents that complete it, if there are more; default: all, up to a bound that is a fault. */
  async index(target: IndexTarget, asking: Asking = 'when_stale', pages?: number): Promise<HeldIndex> {
    try {
      return await this.#index(target, asking, pages);
    } catch (error) {
      if (!(error instanceof LostBlob)) throw error;
      return this.#index(target, asking, pages);
    }
  }

  async #index(target: IndexTarget, asking: Asking, pages?: number): Promise<HeldIndex> {
    const held = new Map([[target.path, { target, ...(await this.#held(target, asking)) }]]);
    let incomplete = false;
    const tried = new Set([target.path]);
    for (;;) {
      const { more } = await this.#study(target, [...held.values()]);
      const missing = more.filter(({ path }) => !tried.has(path));
      if (missing.length === 0 || (pages !== undefined && tried.size >= pages)) break;
      if (tried.size > MOST_ROUNDS)
        throw new Fault(
          'too_large',
          `${target.path} of "${this.#deps.settings.name}" goes on for over ${MOST_ROUNDS} pages.`,
        );
      for (const next of missing) {
        tried.add(next.path);
        const found = await this.#completing(next, asking);
        if (found.held) held.set(next.path, { target: next, ...found.held });
        incomplete ||= found.outage;
      }
    }
    return this.#whole([...held.values()], incomplete);
  }

  /** As the upstream says it, kept or fetched. */
  async bytes(target: IndexTarget): Promise<Buffer> {
    return stored(this.#deps, (await this.#held(target, 'when_stale')).row);
  }

  /** What the format needs to say where a target is: with the upstream's discovery document, when it has one. */
  async locating(target: Located): Promise<Locating> {
    const { format, settings } = this.#deps;
    const discovery = format.discovery?.(target);
    const common = { format, options: settings.options, upstream: settings.url };
    if (!discovery) return common;
    const { row } = await this.#held(discovery, 'when_stale');
    const document = { bytes: await stored(this.#deps, row), ...described(row) };
    return { ...common, discovery: document };
  }

  /** Fills the file table again, after a start, from the parts that are here of the roots that are here. */
  async revive(): Promise<void> {
    const { format, settings, objects } = this.#deps;
    if (!format.index.parts) return;
    for (let after: string | undefined; ; ) {
      const rows = await objects.page(settings.name, ROWS, after);
      for (const row of rows) {
        const root = row.kind === 'index' ? rootAt(format, row.path) : undefined;
        if (root) await this.#revivePartsOf(root, row);
      }
      after = rows.at(-1)?.path;
      if (rows.length < ROWS) return;
    }
  }

  async #revivePartsOf(root: IndexTarget, row: ObjectRow): Promise<void> {
    const { settings, objects } = this.#deps;
    const { parts } = await this.#study(root, [{ target: root, row, cache: 'hit' }]);
    for (const { target } of parts) {
      const held = target.kind === 'index' ? await objects.get(settings.name, target.path) : undefined;
      if (held && target.kind === 'index') await this.#study(target, [{ target, row: held, cache: 'hit' }]);
    }
  }

  forget(): void {
    this.absences.clear();
    this.#resting.clear();
    this.#deps.files.forget(this.#deps.settings.name);
  }

  async #completing(target: IndexTarget, asking: Asking): Promise<{ held?: Held; outage: boolean }> {
    try {
      return { held: await this.#held(target, asking), outage: false };
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
        since: row.fetchedAt,
        ...described(row),
      })),
      cache: root.cache,
      freshUntil: incomplete ? Math.min(freshUntil, this.#deps.now() + this.#deps.settings.negativeTtl) : freshUntil,
    };
  }

  async #held(target: IndexTarget, asking: Asking): Promise<Held> {
    const { settings, objects } = this.#deps;
    const now = this.#deps.now();
    const found = await objects.get(settings.name, target.path);
    if (found && target.digest !== undefined && found.expected === target.digest) return { row: found, cache: 'hit' };
    const row = found?.upstream === settings.url ? found : undefined;
    if (asking === 'never') {
      if (row) return { row, cache: 'hit' };
      throw new Fault('not_found', `"${settings.name}" keeps no ${target.path}.`);
    }
    if (!row) return this.#refresh(target, undefined);
    if (asking === 'when_stale') {
      const judged = verdict(row, settings.index, now);
      if (judged === 'fresh') return { row, cache: 'hit' };
      if (this.#rests(target, now) && usableOnError(row, settings.index, now)) return { row, cache: 'stale' };
      if (judged === 'revalidate_behind') {
        this.#refresh(target, row).catch((error: unknown) =>
          this.#deps.log.warn('revalidation failed', { repository: settings.name, path: target.path, error }),
        );
        return { row, cache: 'stale' };
      }
    }
    return this.#refreshOrStale(target, row);
  }

  /** Not when our clock has jumped back since. */
  #rests({ path }: IndexTarget, now: number): boolean {
    const until = this.#resting.get(path);
    return until !== undefined && now < until && until <= now + BREATHER;
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
    const { settings, now } = this.#deps;
    const isFresh = (one: ObjectRow) =>
      one.upstream === settings.url && verdict(one, settings.index, now()) === 'fresh';
    const fetch = (known: ObjectRow | undefined) => this.#asked(target, known);
    return this.#flights.run(target.path, () => {
      if (this.absences.find(target.path, now())) return fetch(row);
      return this.#shared.run({
        path: target.path,
        known: row,
        again: row !== undefined && isFresh(row),
        found: (one) => (one.retractedAt === undefined && isFresh(one) ? { row: one, cache: 'hit' } : undefined),
        fetch,
      });
    });
  }

  #asked(target: IndexTarget, row: ObjectRow | undefined): Promise<Held> {
    const ask = () =>
      this.#ask(target, row).catch((error: unknown) => {
        this.#stillAbsent(target, error);
        throw error;
      });
    return row ? ask() : whilePublishing(ask);
  }

  /**
   * An upstream that is away still has no document that it did not have: apt reads Release only where InRelease is said to
   * be missing. Not for a package's: that would hand its name to the next member of a virtual repository.
   */
  #stillAbsent(target: IndexTarget, error: unknown): void {
    if (!(error instanceof Fault) || error.code !== 'upstream_unavailable' || target.scope !== 'repository') return;
    const absence = this.absences.last(target.path, this.#deps.now(), this.#deps.settings.index.ifError);
    if (absence) throw this.#absent(target, absence.status);
  }

  async #ask(target: IndexTarget, row: ObjectRow | undefined): Promise<Held> {
    const { settings, exchange, objects } = this.#deps;
    const absence = this.absences.find(target.path, this.#deps.now());
    if (absence) throw this.#absent(target, absence.status);
    const places = placesOf(target, await this.locating(target));
    const asked = await exchange.get(places, { 'accept-encoding': PACKED, ...(row ? conditions(row) : {}) });
    const answer = asked.kind === 'absent' && target.empty ? emptyAnswer(target.empty, settings.url) : asked;
    const now = this.#deps.now();
    this.#resting.delete(target.path);
    if (answer.kind === 'absent') {
      this.absences.add(target.path, now, answer.status);
      if (row) await objects.retract(row, now);
      throw this.#absent(target, answer.status);
    }
    const ttl = answer.place.ttl ?? settings.index.ttl;
    if (answer.kind === 'unchanged') {
      const kept = row as ObjectRow;
      const freshness = freshnessOf(answer.headers, now, ttl);
      return { row: await objects.refresh(kept, { ...kept, ...freshness }), cache: 'revalidated' };
    }
    const received = await this.#receive(target, answer, row, ttl);
    this.#deps.received(target);
    return { row: received, cache: 'miss' };
  }

  async #publishable(root: IndexTarget, parts: readonly Part[], row: ObjectRow | undefined): Promise<void> {
    const { settings, objects, keepFile } = this.#deps;
    const before = row ? (await this.#study(root, [{ target: root, row, cache: 'hit' }])).parts : [];
    await complete(root, parts, before, {
      repository: settings.name,
      objects,
      take: async (target, again) => {
        if (target.kind === 'index') await this.#held(target, again ? 'always' : 'when_stale');
        else await keepFile(target, again);
      },
    });
  }

  /** Reads the whole document, and keeps it only when it is what the protocol says it must be, and its parts are there. */
  async #receive(
    target: IndexTarget,
    { response }: Extract<Answer, { kind: 'body' }>,
    row: ObjectRow | undefined,
    ttl: number,
  ): Promise<ObjectRow> {
    const { store, objects, exchange, settings, format } = this.#deps;
    const { headers, url } = response;
    const expected = target.digest === undefined ? {} : { digest: target.digest };
    const upload = await storing(store.begin(algorithmsOf(target)));
    try {
      const length = Math.min(Number(headers['content-length'] ?? 0), settings.maxIndexSize);
      const body = response.body(settings.maxIndexSize);
      const bytes = await collect(body, length, (chunk) => storing(upload.write(chunk)));
      if (target.digest !== undefined) requireDigest(bytes, target.digest);
      const studied = await this.#understood(target, {
        target,
        bytes,
        ...described({ type: typeOf(headers), url, ...sentWith(headers) }),
      });
      if (studied.parts.length > 0) await this.#publishable(target, studied.parts, row);
      return await objects.keep(async () => {
        const committed = await storing(upload.commit(expected));
        const now = this.#deps.now();
        const next = documentRow(settings, format, target, { response, committed, before: row, now, ttl });
        await objects.record(next);
        this.#deps.events.emit(fetched(next));
        this.#remember(target, committed.digest, studied);
        return next;
      });
    } catch (error) {
      await upload.abort(error instanceof Error ? error : undefined);
      if (!(error instanceof IntegrityError)) throw exchange.failed(error);
      const message = `The upstream of "${settings.name}" sent the wrong ${target.path}: ${error.message}.`;
      throw new Fault('integrity', message, { cause: error });
    }
  }

  async #understood(target: IndexTarget, document: JobDocument): Promise<Understood> {
    const { settings, format, renderer } = this.#deps;
    const studied = await renderer.study({ format: format.id, documents: [document], options: settings.options });
    if (studied.kind === 'malformed') {
      throw new Fault(
        'upstream_unavailable',
        `The upstream of "${settings.name}" sent something that is no ${format.traits.title} index (${document.type}): ${studied.message}`,
      );
    }
    await this.#listings.record(
      target,
      studied.releases.map(({ name: _, ...release }) => release),
    );
    return studied;
  }

  /** Which documents complete these, and which are of their generation; the file table is filled on the way. */
  async #study(target: IndexTarget, held: readonly (Held & { target: IndexTarget })[]): Promise<Studied> {
    const { settings, format, renderer, files } = this.#deps;
    const generation = held.map(({ row }) => row.digest).join(' ');
    const known = this.#studied.get(`${target.path}\0${generation}`);
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

  #remember(target: IndexTarget, generation: string, { files, more, parts }: Understood): Studied {
    this.#deps.files.put(this.#deps.settings.name, target.path, generation, files);
    const studied = { more, parts };
    this.#studied.set(`${target.path}\0${generation}`, studied);
    return studied;
  }

  #absent(target: IndexTarget, upstreamStatus: number): Fault {
    return new Fault(
      'not_found',
      `The upstream of "${this.#deps.settings.name}" has no ${target.partial ? target.path : (target.name ?? target.path)}.`,
      { details: { upstreamStatus } },
    );
  }
}
