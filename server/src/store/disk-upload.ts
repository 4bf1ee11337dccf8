import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { type Lease, leaseOf } from './descriptors.ts';
import { releasing } from './disk-blob.ts';
import { storeFailure } from './failure.ts';
import { CHUNK, fill, readChunks } from './positional.ts';
import {
  type Blob,
  type Committed,
  type Expected,
  IntegrityError,
  type Readable,
  StoreError,
  type Upload,
} from './store.ts';

/** What an upload needs of its store. */
export interface Place {
  /** Puts the complete, durable temporary file under its digest, or finds that it is there. */
  keep(temporary: string, digest: string, size: number): Promise<void>;
  discard(temporary: string): Promise<void>;
  open(digest: string): Promise<Blob | undefined>;
}

type State =
  | { readonly is: 'open' }
  | { readonly is: 'settling' }
  | { readonly is: 'committed'; readonly digest: string }
  | { readonly is: 'aborted'; readonly reason: Error };

/** Bytes on their way into the disk store: hashed while they are written, readable while they arrive. */
export class DiskUpload implements Upload {
  readonly #path: string;
  readonly #lease: Lease;
  readonly #place: Place;
  readonly #hashes: ReadonlyMap<string, Hash>;
  #written = 0;
  #state: State = { is: 'open' };
  #last: Promise<void> = Promise.resolve();
  /** Resolved and replaced whenever a follower may find more. */
  #growth = Promise.withResolvers<void>();

  constructor(path: string, handle: FileHandle, place: Place, algorithms: readonly string[]) {
    this.#path = path;
    this.#lease = leaseOf(handle);
    this.#place = place;
    this.#hashes = new Map(['sha256', ...algorithms].map((algorithm) => [algorithm, createHash(algorithm)]));
  }

  get written(): number {
    return this.#written;
  }

  write(chunk: Uint8Array): Promise<void> {
    this.#last = this.#last.then(() => this.#append(chunk));
    return this.#last;
  }

  async commit(expected: Expected = {}): Promise<Committed> {
    await this.#last;
    this.#mustBeOpen();
    this.#state = { is: 'settling' };
    try {
      const committed = this.#describe();
      verify(committed, expected);
      // The bytes are durable before their name exists: after a crash a blob is whole or not there.
      await this.#lease.handle.sync();
      await this.#place.keep(this.#path, committed.digest, committed.size);
      this.#settle({ is: 'committed', digest: committed.digest });
      return committed;
    } catch (error) {
      const reason = error instanceof IntegrityError ? error : storeFailure(error, this.#path);
      await this.#drop(reason);
      throw reason;
    }
  }

  async abort(reason: Error = new Error('the transfer was given up')): Promise<void> {
    if (this.#state.is !== 'open') return;
    await this.#drop(reason);
  }

  async hashes(): Promise<Readonly<Record<string, string>>> {
    await this.#last;
    this.#mustBeOpen();
    return Object.fromEntries([...this.#hashes].map(([algorithm, hash]) => [algorithm, hash.copy().digest('hex')]));
  }

  follow(size?: number): Readable {
    if (this.#state.is === 'committed') return atRest(this.#place, this.#state.digest, this.#written);
    const lease = this.#lease.another();
    return {
      size,
      stream: (start = 0, end = size ?? Number.POSITIVE_INFINITY) => {
        const own = lease.another();
        return releasing(this.#chunks(own, start, end, size), own);
      },
      release: () => lease.release(),
    };
  }

  inspect(): Readable {
    this.#mustBeOpen();
    const size = this.#written;
    const lease = this.#lease.another();
    return {
      size,
      stream: (start = 0, end = size) => {
        const own = lease.another();
        return releasing(readChunks(own.handle, this.#path, start, Math.min(end, size)), own);
      },
      release: () => lease.release(),
    };
  }

  async #append(chunk: Uint8Array): Promise<void> {
    this.#mustBeOpen();
    for (const hash of this.#hashes.values()) hash.update(chunk);
    try {
      for (let done = 0; done < chunk.length; ) {
        const { bytesWritten } = await this.#lease.handle.write(chunk, done, chunk.length - done, this.#written + done);
        done += bytesWritten;
      }
    } catch (error) {
      const failure = storeFailure(error, this.#path);
      await this.#drop(failure);
      throw failure;
    }
    this.#written += chunk.length;
    this.#wake();
  }

  async *#chunks(lease: Lease, start: number, end: number, size: number | undefined): AsyncGenerator<Uint8Array, void> {
    const buffers: Buffer[] = [];
    let position = start;
    for (let turn = 0; position < end; ) {
      const available = Math.min(this.#visible(size), end);
      if (available > position) {
        const length = Math.min(CHUNK, available - position);
        const buffer = roomFor(buffers, turn % 3, length);
        const filled = await fill(lease.handle, this.#path, buffer, position);
        if (filled < length) throw new StoreError('corrupt', `${this.#path} lost bytes while it was written`);
        position += length;
        turn += 1;
        yield buffer;
      } else if (this.#state.is === 'committed') {
        return;
      } else {
        await this.#growth.promise;
      }
    }
  }

  /** How far a follower may read; throws once it is certain that what it was promised will not come. */
  #visible(size: number | undefined): number {
    if (this.#state.is === 'aborted') throw this.#state.reason;
    if (this.#state.is !== 'committed') return this.#written - 1;
    if (size !== undefined && size !== this.#written) {
      throw new IntegrityError('size', String(size), String(this.#written));
    }
    return this.#written;
  }

  #describe(): Committed {
    const hashes = Object.fromEntries([...this.#hashes].map(([algorithm, hash]) => [algorithm, hash.digest('hex')]));
    return { digest: `sha256:${hashes['sha256']}`, size: this.#written, hashes };
  }

  #mustBeOpen(): void {
    if (this.#state.is === 'aborted') throw this.#state.reason;
    if (this.#state.is !== 'open') throw new Error('the upload is already committed');
  }

  async #drop(reason: Error): Promise<void> {
    this.#settle({ is: 'aborted', reason });
    await this.#place.discard(this.#path);
  }

  #settle(state: State): void {
    this.#state = state;
    this.#wake();
    this.#lease.release();
  }

  #wake(): void {
    this.#growth.resolve();
    this.#growth = Promise.withResolvers<void>();
  }
}

/** For who comes when the upload is complete and its own file may be closed. */
function atRest(place: Place, digest: string, size: number): Readable {
  return {
    size,
    async *stream(start, end) {
      const blob = await place.open(digest);
      if (!blob) throw new StoreError('unreachable', `${digest} was removed before it was read`);
      try {
        yield* blob.stream(start, end);
      } finally {
        blob.release();
      }
    },
    release: () => {},
  };
}

/** Throws `IntegrityError`. */
function verify(committed: Committed, expected: Expected): void {
  if (expected.size !== undefined && expected.size !== committed.size) {
    throw new IntegrityError('size', String(expected.size), String(committed.size));
  }
  if (expected.digest === undefined) return;
  const algorithm = expected.digest.slice(0, expected.digest.indexOf(':'));
  const actual = `${algorithm}:${committed.hashes[algorithm] ?? '(not computed)'}`;
  if (actual !== expected.digest) throw new IntegrityError('digest', expected.digest, actual);
}

/** Small pieces get small buffers: most followers wait for the network, not for the disk. */
function roomFor(buffers: Buffer[], turn: number, length: number): Buffer {
  const buffer = buffers[turn];
  if (buffer && buffer.length >= length) return buffer.subarray(0, length);
  const room = Buffer.allocUnsafeSlow(Math.min(CHUNK, 2 ** Math.ceil(Math.log2(length))));
  buffers[turn] = room;
  return room.subarray(0, length);
}
