import { LRUCache } from 'lru-cache';
import type { Freshness, Ledger, ObjectRow } from '../ledger/ledger.ts';
import { LedgerError } from '../ledger/ledger.ts';
import type { Store } from '../store/store.ts';
import { Fault } from './fault.ts';

/** The ledger's rows of what is cached, with the ones in use held in memory: a hit asks no database. */
export class Objects {
  readonly #rows: LRUCache<string, ObjectRow>;

  constructor(
    readonly ledger: Ledger,
    readonly store: Store,
    most = 20_000,
  ) {
    this.#rows = new LRUCache({ max: most });
  }

  async get(repository: string, path: string): Promise<ObjectRow | undefined> {
    const held = this.#rows.get(key(repository, path));
    if (held) return held;
    const row = await answered(this.ledger.object(repository, path));
    if (row) this.#rows.set(key(repository, path), row);
    return row;
  }

  /** Resolves when the row is durable. */
  async record(row: ObjectRow): Promise<void> {
    await answered(this.ledger.recordObject(row));
    this.#rows.set(key(row.repository, row.path), row);
  }

  /** The row's bytes are still what the upstream has. */
  async refresh(row: ObjectRow, freshness: Freshness): Promise<ObjectRow> {
    await answered(this.ledger.refreshObject(row.repository, row.path, freshness));
    const refreshed = { ...row, ...freshness };
    this.#rows.set(key(row.repository, row.path), refreshed);
    return refreshed;
  }

  /** The upstream has it no longer: drops the copy, and the blob when nothing else refers to it. */
  async drop(row: Pick<ObjectRow, 'repository' | 'path'>): Promise<void> {
    this.#rows.delete(key(row.repository, row.path));
    const { blobs } = await answered(this.ledger.evict({ repository: row.repository, path: row.path }));
    for (const digest of blobs) await this.store.delete(digest);
  }

  /** Forgets what memory holds, after rows were removed elsewhere. */
  forget(repository: string, paths: readonly string[] | 'all'): void {
    if (paths !== 'all') {
      for (const path of paths) this.#rows.delete(key(repository, path));
      return;
    }
    for (const held of this.#rows.keys()) if (held.startsWith(`${repository}\0`)) this.#rows.delete(held);
  }
}

/** A ledger that cannot answer is an outage of ours, never "there is none". */
async function answered<Result>(asked: Promise<Result>): Promise<Result> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof LedgerError)
      throw new Fault('unavailable', error.message, { cause: error, details: { retryAfter: 5 } });
    throw error;
  }
}

function key(repository: string, path: string): string {
  return `${repository}\0${path}`;
}
