import type { FileHandle } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import { codeOf } from './failure.ts';
import type { Files } from './files.ts';

/** A share in an open file, which is closed when the last share is released and the cache has forgotten it. */
export interface Lease {
  readonly handle: FileHandle;
  readonly size: number;
  another(): Lease;
  release(): void;
}

/** Opens blobs for reading and keeps the descriptors of large ones, which are read again and again. */
export class Descriptors {
  readonly #files: Files;
  readonly #worthKeeping: number;
  readonly #kept: LRUCache<string, Lease>;
  /** Grows with every `forget`: a file opened before its deletion must not be kept after it. */
  #generation = 0;

  /** `worthKeeping`: bytes below which a blob is rather kept in memory by whoever serves it. */
  constructor(files: Files, { count = 256, worthKeeping = 256 * 1024 } = {}) {
    this.#files = files;
    this.#worthKeeping = worthKeeping;
    this.#kept = new LRUCache({ max: count, dispose: (lease) => lease.release() });
  }

  /** Undefined when there is no such file. */
  async open(path: string): Promise<Lease | undefined> {
    const kept = this.#kept.get(path);
    if (kept) return kept.another();
    const generation = this.#generation;
    const handle = await this.#files.open(path, 'r').catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (!handle) return undefined;
    const { size } = await handle.stat();
    const lease = share({ handle, size, holders: 0 });
    if (size >= this.#worthKeeping && generation === this.#generation) this.#kept.set(path, lease.another());
    return lease;
  }

  forget(path: string): void {
    this.#generation += 1;
    this.#kept.delete(path);
  }

  close(): void {
    this.#generation += 1;
    this.#kept.clear();
  }
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly size: number;
  holders: number;
}

/** Closing waits for reads under way; a close that fails leaves nothing to do. */
function share(file: OpenFile): Lease {
  file.holders += 1;
  let held = true;
  return {
    handle: file.handle,
    size: file.size,
    another: () => share(file),
    release: () => {
      if (!held) return;
      held = false;
      file.holders -= 1;
      if (file.holders === 0) file.handle.close().catch(() => {});
    },
  };
}

export function leaseOf(handle: FileHandle): Lease {
  return share({ handle, size: 0, holders: 0 });
}
