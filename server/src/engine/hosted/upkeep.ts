import type { ObjectView } from '../../ledger/ledger.ts';
import { grownCache } from '../grown-cache.ts';
import type { Log } from '../log.ts';
import type { Objects } from '../objects.ts';

export interface UpkeepDeps {
  readonly repository: string;
  readonly objects: Objects;
  readonly log: Log;
  readonly now: () => number;
  /** Bytes. */
  readonly maxSize?: number;
  /** Milliseconds. */
  readonly maxAge?: number;
  /** Something was removed to keep within them. */
  readonly removed: (paths: readonly string[] | 'all') => void;
}

interface Entry {
  readonly path: string;
  readonly size: number;
  readonly writtenAt: number;
  readonly usedAt: number;
}

const PAGE = 1000;
/** Of `max_size`: what is removed at once, so that not every publication has to look through all that is there. */
const FREED = 0.1;
/** Milliseconds between two searches for what is too old. */
const OFTEN = 60_000;
const SELDOM = 3_600_000;

/**
 * Keeps a hosted repository within its size and age, behind the publications that make it grow: they never wait for it. Its
 * size is counted from the ledger, and then carried on in memory.
 */
export class Upkeep {
  readonly #deps: UpkeepDeps;
  /** Of this run: what is in the ledger follows a little later. */
  readonly #used = grownCache<number>(100_000);
  /** Undefined until it was counted. */
  #size: number | undefined;
  /** Bytes written since the count began. */
  #grown = 0;
  #lookForOldAt = 0;
  #replaced = false;
  #running = false;

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
  }

  read(path: string, now: number): void {
    this.#used.set(path, now);
  }

  /** `grown`: by so many bytes, with what it replaced taken off. */
  wrote(path: string, grown: number, now: number): void {
    this.#used.set(path, now);
    this.#grown += grown;
    if (this.#size !== undefined) this.#size += grown;
    this.check(now);
  }

  /** Something of so many bytes is gone. */
  shrank(by: number): void {
    this.#grown -= by;
    if (this.#size !== undefined) this.#size -= by;
  }

  /** There are bytes that nothing means any more. */
  replaced(): void {
    this.#replaced = true;
    this.check(this.#deps.now());
  }

  /** Does what is due, in the background. */
  check(now: number): void {
    if (this.#running || !(this.#replaced || this.#isFull() || this.#mayBeOld(now))) return;
    this.#running = true;
    void this.#work(now)
      .catch((error: unknown) => {
        this.#deps.log.warn('a hosted repository could not be tidied', { repository: this.#deps.repository, error });
        return false;
      })
      .then((again) => {
        this.#running = false;
        if (again) this.check(this.#deps.now());
      });
  }

  /** True when it got somewhere, so that another turn may. */
  async #work(now: number): Promise<boolean> {
    const { objects, maxAge } = this.#deps;
    let removed = 0;
    if (this.#isFull() || this.#mayBeOld(now)) {
      const entries = await this.#count();
      if (maxAge !== undefined) this.#lookForOldAt = now + Math.min(SELDOM, Math.max(OFTEN, maxAge / 10));
      for (const entry of this.#superfluous(entries, now)) removed += await this.#remove(entry);
    }
    const replaced = this.#replaced;
    this.#replaced = false;
    if (replaced && removed === 0) await objects.sweep(this.#deps.repository);
    return removed > 0 || replaced;
  }

  #isFull(): boolean {
    const { maxSize } = this.#deps;
    return maxSize !== undefined && (this.#size === undefined || this.#size > maxSize);
  }

  #mayBeOld(now: number): boolean {
    return this.#deps.maxAge !== undefined && now >= this.#lookForOldAt;
  }

  /** What is written meanwhile may be counted twice: that errs towards room. */
  async #count(): Promise<Entry[]> {
    const { objects, repository } = this.#deps;
    const entries: Entry[] = [];
    let size = 0;
    this.#grown = 0;
    for (let after: string | undefined; ; ) {
      const rows = await objects.page(repository, PAGE, after);
      for (const row of rows) {
        size += row.size;
        entries.push(this.#entry(row));
      }
      after = rows.at(-1)?.path;
      if (rows.length < PAGE) break;
    }
    this.#size = size + this.#grown;
    return entries;
  }

  #entry({ path, size, fetchedAt, lastPulledAt = 0 }: ObjectView): Entry {
    return { path, size, writtenAt: fetchedAt, usedAt: Math.max(fetchedAt, lastPulledAt, this.#used.get(path) ?? 0) };
  }

  /** All that is too old; then, while there is too much, what was used longest ago. */
  *#superfluous(entries: readonly Entry[], now: number): Iterable<Entry> {
    const { maxAge = Number.POSITIVE_INFINITY, maxSize = Number.POSITIVE_INFINITY } = this.#deps;
    const isOld = ({ writtenAt }: Entry) => writtenAt + maxAge <= now;
    for (const entry of entries) if (isOld(entry)) yield entry;
    if ((this.#size ?? 0) <= maxSize) return;
    const leastUsedFirst = entries.filter((entry) => !isOld(entry)).sort((one, other) => one.usedAt - other.usedAt);
    for (const entry of leastUsedFirst) {
      if ((this.#size ?? 0) <= maxSize * (1 - FREED)) return;
      yield entry;
    }
  }

  /** Nothing that was read or written since it was chosen. */
  async #remove({ path, usedAt }: Entry): Promise<number> {
    const { objects, repository } = this.#deps;
    if ((this.#used.get(path) ?? 0) > usedAt) return 0;
    const evicted = await objects.evict({ repository, path }, this.#deps.removed);
    if (this.#size !== undefined) this.#size -= evicted.bytes;
    return evicted.objects;
  }
}
