import { setTimeout as sleep } from 'node:timers/promises';
import { BlobGoing, type Ledger } from '../ledger/ledger.ts';
import type { Blob, Committed, Expected, Listed, Readable, Store, Upload } from '../store/store.ts';

/** Milliseconds between storing a blob and putting on record what means it: nobody deletes it so long. */
const RESERVED = 5 * 60_000;
/** How often a deletion under way is waited for, and for how many milliseconds each time. */
const TRIES = 40;
const BETWEEN = 100;

/**
 * A store that several processes share. Before a blob is stored its digest is reserved in the ledger: then no other process
 * deletes it until it is on record what means it, and none that had begun to is still at it.
 */
export class ReservingStore implements Store {
  readonly #store: Store;
  readonly #ledger: Pick<Ledger, 'reserve'>;
  readonly #now: () => number;
  readonly #reserved: number;

  /** `reserved`: milliseconds. */
  constructor(store: Store, ledger: Pick<Ledger, 'reserve'>, now: () => number, reserved = RESERVED) {
    this.#store = store;
    this.#ledger = ledger;
    this.#now = now;
    this.#reserved = reserved;
  }

  async begin(algorithms?: readonly string[]): Promise<Upload> {
    return new ReservingUpload(await this.#store.begin(algorithms), (digest, size) => this.#reserve(digest, size));
  }

  open(digest: string): Promise<Blob | undefined> {
    return this.#store.open(digest);
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

  async #reserve(digest: string, size: number): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const at = this.#now();
      try {
        return await this.#ledger.reserve({ digest, size }, at + this.#reserved, at);
      } catch (error) {
        if (!(error instanceof BlobGoing) || tries === TRIES) throw error;
        await sleep(BETWEEN);
      }
    }
  }
}

class ReservingUpload implements Upload {
  readonly #upload: Upload;
  readonly #reserve: (digest: string, size: number) => Promise<void>;

  constructor(upload: Upload, reserve: (digest: string, size: number) => Promise<void>) {
    this.#upload = upload;
    this.#reserve = reserve;
  }

  get written(): number {
    return this.#upload.written;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#upload.write(chunk);
  }

  /** Throws what a store throws, and `LedgerError`. */
  async commit(expected?: Expected): Promise<Committed> {
    const { sha256 } = await this.#upload.hashes();
    try {
      await this.#reserve(`sha256:${sha256}`, this.#upload.written);
    } catch (error) {
      await this.#upload.abort(error instanceof Error ? error : undefined);
      throw error;
    }
    return this.#upload.commit(expected);
  }

  abort(reason?: Error): Promise<void> {
    return this.#upload.abort(reason);
  }

  hashes(): Promise<Readonly<Record<string, string>>> {
    return this.#upload.hashes();
  }

  follow(size?: number): Readable {
    return this.#upload.follow(size);
  }

  inspect(): Readable {
    return this.#upload.inspect();
  }
}
