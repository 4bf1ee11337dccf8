/**
 * Blobs by SHA-256. Which name means which digest is not known here.
 * Implementations are held to `store.contract.ts`.
 */
export interface Store {
  /** Takes bytes of unknown digest. `algorithms`: hashed beside SHA-256 while the bytes pass. */
  begin(algorithms?: readonly string[]): Promise<Upload>;
  /** Undefined when there is no such blob. Throws `StoreError` when the store cannot say. */
  open(digest: string): Promise<Blob | undefined>;
  stat(digest: string): Promise<{ readonly size: number } | undefined>;
  /** True when the blob was there. */
  delete(digest: string): Promise<boolean>;
  /**
   * Takes a blob that is not what its digest says out of service and keeps its bytes to be looked at, in `quarantine/<hex>`.
   * True when the blob was there.
   */
  quarantine(digest: string): Promise<boolean>;
  /** In order of digest, those after `after`. */
  list(after?: string): AsyncIterable<Listed>;
  /** Resolves when the store can be written and read; throws `StoreError` naming what is wrong. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** `modified`: epoch milliseconds; nobody stored it later than `STORED_LATELY` after that. */
export interface Listed {
  readonly digest: string;
  readonly size: number;
  readonly modified: number;
}

/** Bytes that can be read: a blob at rest, or an upload that still grows. */
export interface Readable {
  /** Bytes; undefined while an upload's length is not known. */
  readonly size: number | undefined;
  /**
   * Chunks of `[start, end)`; default: all. A chunk's memory is reused once the chunk after the next is asked for, so a
   * consumer waits until it is written. Throws when the upload it follows is aborted: the consumer must break off.
   */
  stream(start?: number, end?: number): AsyncIterable<Uint8Array>;
  /** Frees descriptors; streams under way finish. */
  release(): void;
}

export interface Blob extends Readable {
  readonly digest: string;
  readonly size: number;
  bytes(): Promise<Buffer>;
  /** An address where anybody may read it for so many seconds; absent: the store has none. */
  redirect?(seconds: number, as: ServedAs): Promise<string>;
}

export interface ServedAs {
  /** Content-Type. */
  readonly type: string;
  /** Content-Disposition. */
  readonly disposition?: string;
}

/** Storing what is there makes it young again when it was stored longer ago than this, in milliseconds: whoever sweeps spares the young. */
export const STORED_LATELY = 10 * 60_000;

export interface Upload {
  /** Bytes written so far. */
  readonly written: number;
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Makes the bytes durable under their digest; "already there" is success.
   * Throws `IntegrityError` when they are not what was expected: nothing is kept then.
   */
  commit(expected?: Expected): Promise<Committed>;
  abort(reason?: Error): Promise<void>;
  /** Of what was written so far, by algorithm, lower-case hex; `sha256` always. */
  hashes(): Promise<Readonly<Record<string, string>>>;
  /**
   * Follows the upload while it grows, from its first byte; `size` when the final length is known beforehand.
   * The very last byte written is held back until `commit` has succeeded, so that nobody ever holds a complete wrong file.
   */
  follow(size?: number): Readable;
  /** All that has been written, the last byte too: for whoever decides whether it is committed, before it is. */
  inspect(): Readable;
}

export interface Expected {
  /** `sha512:…` in lower-case hex; its algorithm was given to `begin`. */
  readonly digest?: string;
  readonly size?: number;
}

export interface Committed {
  /** `sha256:` and lower-case hex. */
  readonly digest: string;
  readonly size: number;
  /** By algorithm, lower-case hex; `sha256` always. */
  readonly hashes: Readonly<Record<string, string>>;
}

/** The bytes are not the ones that were announced. */
export class IntegrityError extends Error {
  override readonly name = 'IntegrityError';

  constructor(
    readonly what: 'digest' | 'size',
    readonly expected: string,
    readonly actual: string,
  ) {
    super(`${what} is ${actual}, expected ${expected}`);
  }
}

/** The store itself failed: full, read-only, unreachable. `reason` is fit for a person. */
export class StoreError extends Error {
  override readonly name = 'StoreError';

  constructor(
    readonly reason: 'full' | 'read_only' | 'unreachable' | 'corrupt',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
