import type { LRUCache } from 'lru-cache';
import type {
  Evicted,
  Freshness,
  HostedChange,
  HostedOutcome,
  HostedPackageRow,
  Ledger,
  ObjectFilter,
  ObjectRow,
  ObjectView,
} from '../ledger/ledger.ts';
import { BlobGoing, LedgerError } from '../ledger/ledger.ts';
import type { Store } from '../store/store.ts';
import { Fault } from './fault.ts';
import { grownCache } from './grown-cache.ts';

/** The ledger's rows of what is cached, with the ones in use held in memory: a hit asks no database. */
export class Objects {
  readonly #rows: LRUCache<string, ObjectRow>;
  readonly #now: () => number;
  readonly #keeping = new Set<Promise<unknown>>();
  #evicting: Promise<unknown> = Promise.resolve();
  /** Grows whenever something was removed: what the ledger was asked before that may be what was. */
  #removals = 0;
  /** Of the fetches under way for which this process has a lease, by what they are of. */
  readonly #fences = new Map<string, number>();

  constructor(
    readonly ledger: Ledger,
    readonly store: Store,
    { most = 20_000, now = Date.now }: { readonly most?: number; readonly now?: () => number } = {},
  ) {
    this.#rows = grownCache(most);
    this.#now = now;
  }

  /** What may be served under that path. */
  async get(repository: string, path: string): Promise<ObjectRow | undefined> {
    const row = await this.known(repository, path);
    return row?.retractedAt === undefined ? row : undefined;
  }

  /** Also what the upstream took back since. */
  async known(repository: string, path: string): Promise<ObjectRow | undefined> {
    const held = this.#rows.get(key(repository, path));
    if (held) return held;
    const removals = this.#removals;
    const row = await answered(this.ledger.object(repository, path));
    // What was recorded while the ledger was asked is newer than its answer.
    const recorded = this.#rows.get(key(repository, path));
    if (row && !recorded && removals === this.#removals) this.#rows.set(key(repository, path), row);
    return recorded ?? row;
  }

  /** As the ledger has it, whatever memory says. */
  async reread(repository: string, path: string): Promise<ObjectRow | undefined> {
    this.forget(repository, [path]);
    return this.known(repository, path);
  }

  /** What is recorded of it until the function that this gives is called counts as fetched under that lease. */
  fetching(repository: string, path: string, fence: number): () => void {
    const name = key(repository, path);
    this.#fences.set(name, fence);
    return () => {
      if (this.#fences.get(name) === fence) this.#fences.delete(name);
    };
  }

  /** In order of path, after `after`; each with what its pulls say. */
  page(repository: string, limit: number, after: string | undefined, prefix = ''): Promise<ObjectView[]> {
    return answered(this.ledger.objects({ repository, prefix }, { limit, ...(after === undefined ? {} : { after }) }));
  }

  /**
   * For work that commits a blob and then records a row of it: no eviction comes in between, which would take the blob for
   * one that nothing refers to. It must not evict anything itself.
   */
  keep<Result>(work: () => Promise<Result>): Promise<Result> {
    const kept = this.#evicting.then(work);
    const settled = kept.catch(ignore);
    this.#keeping.add(settled);
    void settled.then(() => this.#keeping.delete(settled));
    return kept;
  }

  /** Resolves when the row is durable, or that of a later fetch is. */
  async record(row: ObjectRow): Promise<void> {
    const name = key(row.repository, row.path);
    const fence = this.#fences.get(name);
    const recorded = fence === undefined ? row : { ...row, fence };
    if ((await answered(this.ledger.recordObject(recorded))) === false) this.#rows.delete(name);
    else this.#rows.set(name, recorded);
  }

  /** A package of a hosted repository, as it was published. */
  hostedPackage(repository: string, name: string): Promise<HostedPackageRow | undefined> {
    return answered(this.ledger.hostedPackage(repository, name));
  }

  hostedNames(repository: string): Promise<string[]> {
    return answered(this.ledger.hostedNames(repository));
  }

  /** Resolves when all of it is durable, or nothing was done. */
  async publish(change: HostedChange): Promise<HostedOutcome> {
    const outcome = await answered(this.ledger.publish(change));
    if (outcome.is !== 'done') return outcome;
    for (const { object } of change.files) this.#rows.set(key(object.repository, object.path), object);
    this.forget(
      change.repository,
      change.removed.map(({ path }) => path),
    );
    return outcome;
  }

  /** The row's bytes are still what the upstream has. */
  async refresh(row: ObjectRow, freshness: Freshness): Promise<ObjectRow> {
    const refreshed = { ...row, ...freshness };
    const kept = await answered(this.ledger.refreshObject(row.repository, row.path, freshness, row.digest));
    if (kept === false) this.#rows.delete(key(row.repository, row.path));
    else this.#rows.set(key(row.repository, row.path), refreshed);
    return refreshed;
  }

  /** The upstream has it no longer: it is not served any more, and kept as evidence. */
  async retract(row: ObjectRow, at: number): Promise<void> {
    await answered(this.ledger.markObject(row.repository, row.path, { retractedAt: at }));
    this.#rows.set(key(row.repository, row.path), { ...row, retractedAt: at });
  }

  /** What it took back counts again. */
  async restore({ retractedAt: _, ...row }: ObjectRow): Promise<ObjectRow> {
    await answered(this.ledger.markObject(row.repository, row.path, { retractedAt: undefined }));
    this.#rows.set(key(row.repository, row.path), row);
    return row;
  }

  /** The upstream has other bytes under a name that never changes; undefined: it has these again. */
  async dispute(row: ObjectRow, other: string | undefined): Promise<ObjectRow> {
    await answered(this.ledger.markObject(row.repository, row.path, { disputed: other }));
    const { disputed: _, ...rest } = row;
    const marked = other === undefined ? rest : { ...rest, disputed: other };
    this.#rows.set(key(row.repository, row.path), marked);
    return marked;
  }

  /** Its blob is gone: drops the row, and every blob that nothing refers to. */
  async drop({ repository, path }: Pick<ObjectRow, 'repository' | 'path'>): Promise<void> {
    this.#rows.delete(key(repository, path));
    await this.evict({ repository, path });
  }

  /** Rows first, then memory (also the caller's, `forgotten`), then blobs. */
  evict(
    filter: ObjectFilter & { readonly all?: boolean },
    forgotten: (paths: readonly string[] | 'all') => void = ignore,
  ): Promise<Evicted> {
    return this.clear(async () => {
      const removed = await answered(this.ledger.evict(filter, this.#now()));
      const paths = filter.all ? 'all' : removed.paths;
      this.forget(filter.repository, paths);
      forgotten(paths);
      return removed;
    });
  }

  /**
   * Deletes the blobs that `work` condemned in the ledger; nothing is being kept meanwhile. A crash in between leaves blobs that
   * the ledger knows to be on their way out, never a row without its bytes.
   */
  clear<Result extends { readonly blobs: readonly string[] }>(work: () => Promise<Result>): Promise<Result> {
    const before = Promise.all([this.#evicting, ...this.#keeping]);
    const cleared = before.then(async () => {
      const result = await work();
      await this.#delete(result.blobs);
      return result;
    });
    this.#evicting = cleared.catch(ignore);
    return cleared;
  }

  /** What takes too long is left to whoever looks for deletions that were broken off. */
  async #delete(digests: readonly string[]): Promise<void> {
    const until = this.#now() + LONGEST;
    for (let from = 0; from < digests.length && this.#now() < until; from += AT_A_TIME) {
      const some = digests.slice(from, from + AT_A_TIME);
      await Promise.all(some.map((digest) => this.store.delete(digest)));
      await answered(this.ledger.buried(some));
    }
  }

  /** Removes the blobs in whose place others were put: every eviction does, also one of a path that nothing can have. */
  async sweep(repository: string): Promise<void> {
    await this.evict({ repository, path: '\n' });
  }

  /** Forgets what memory holds, after rows were removed elsewhere. */
  forget(repository: string, paths: readonly string[] | 'all'): void {
    this.#removals += 1;
    if (paths !== 'all') {
      for (const path of paths) this.#rows.delete(key(repository, path));
      return;
    }
    for (const held of this.#rows.keys()) if (held.startsWith(`${repository}\0`)) this.#rows.delete(held);
  }
}

/** Milliseconds for one round of deletions, and how many are under way. */
const LONGEST = 20_000;
const AT_A_TIME = 16;

/** A ledger that cannot answer is an outage of ours, never "there is none". */
async function answered<Result>(asked: Promise<Result>): Promise<Result> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof LedgerError)
      throw new Fault('unavailable', error.message, {
        cause: error,
        details: error instanceof BlobGoing ? { retryAfter: 1, going: true } : { retryAfter: 5 },
      });
    throw error;
  }
}

function ignore(): void {}

function key(repository: string, path: string): string {
  return `${repository}\0${path}`;
}
