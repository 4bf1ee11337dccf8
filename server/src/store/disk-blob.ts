import type { Lease } from './descriptors.ts';
import { fill, readChunks } from './positional.ts';
import { type Blob, StoreError } from './store.ts';

/** A blob at rest. */
export class DiskBlob implements Blob {
  readonly digest: string;
  readonly size: number;
  readonly #path: string;
  readonly #lease: Lease;

  constructor(digest: string, path: string, lease: Lease) {
    this.digest = digest;
    this.size = lease.size;
    this.#path = path;
    this.#lease = lease;
  }

  stream(start = 0, end = this.size): AsyncIterable<Uint8Array> {
    const lease = this.#lease.another();
    return releasing(readChunks(lease.handle, this.#path, start, Math.min(end, this.size)), lease);
  }

  async bytes(): Promise<Buffer> {
    const lease = this.#lease.another();
    try {
      const buffer = Buffer.allocUnsafeSlow(this.size);
      const filled = await fill(lease.handle, this.#path, buffer, 0);
      if (filled < this.size) throw new StoreError('corrupt', `${this.#path} ends at ${filled} of ${this.size} bytes`);
      return buffer;
    } finally {
      lease.release();
    }
  }

  release(): void {
    this.#lease.release();
  }
}

/** Holds the file open from the moment the stream is asked for until it ends, fails or is given up. */
export function releasing(
  chunks: AsyncGenerator<Uint8Array, void, undefined>,
  lease: Lease,
): AsyncIterable<Uint8Array> {
  const close = <Result>(result: Result): Result => {
    lease.release();
    return result;
  };
  return {
    [Symbol.asyncIterator]: () => ({
      next: () =>
        chunks.next().then(
          (result) => (result.done ? close(result) : result),
          (error: unknown) => close(Promise.reject(error)),
        ),
      return: () => chunks.return().then(close),
    }),
  };
}
