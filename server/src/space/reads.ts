import { LRUCache } from 'lru-cache';
import type { Blob, Listed, Store, Upload } from '../store/store.ts';

/** Milliseconds. */
const LATELY = 60_000;
const MOST = 100_000;

/** A store that knows what was opened in the last minute: who makes room spares it. */
export class WatchedStore implements Store {
  readonly #store: Store;
  readonly #opened: LRUCache<string, number>;
  readonly #now: () => number;

  constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
    this.#opened = new LRUCache({ maxSize: MOST, sizeCalculation: () => 1 });
  }

  wasReadLately(digest: string): boolean {
    return (this.#opened.get(digest) ?? Number.NEGATIVE_INFINITY) > this.#now() - LATELY;
  }

  open(digest: string): Promise<Blob | undefined> {
    this.#opened.set(digest, this.#now());
    return this.#store.open(digest);
  }

  begin(algorithms?: readonly string[]): Promise<Upload> {
    return this.#store.begin(algorithms);
  }

  stat(digest: string): Promise<{ readonly size: number } | undefined> {
    return this.#store.stat(digest);
  }

  delete(digest: string): Promise<boolean> {
    return this.#store.delete(digest);
  }

  quarantine(digest: string): Promise<boolean> {
    return this.#store.quarantine(digest);
  }

  list(after?: string): AsyncIterable<Listed> {
    return this.#store.list(after);
  }

  check(): Promise<void> {
    return this.#store.check();
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
