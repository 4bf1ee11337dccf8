import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createZstdDecompress } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { IntegrityError } from '../store/store.ts';
import {
  BackupError,
  COMPLETE,
  type Completion,
  completionOf,
  digestOf,
  MANIFEST,
  type Manifest,
  manifestOf,
  type Part,
} from './archive.ts';

/** Who takes what is in a backup. What was handed over is known to be whole only when `readArchive` has resolved. */
export interface ArchiveSink {
  manifest(manifest: Manifest): Promise<void>;
  part(part: Part, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  blob(digest: string, size: number, chunks: AsyncIterable<Uint8Array>): Promise<void>;
}

export interface ArchiveRead {
  readonly manifest: Manifest;
  readonly completion: Completion;
}

export interface ArchiveProgress {
  /** Bytes of the file. */
  readonly done: number;
  readonly of: number;
}

/** First bytes of a zstd frame, RFC 8878 3.1.1. */
const ZSTD = '28b52ffd';
type Entry = AsyncIterable<Uint8Array> & { readonly header: Header };

const LARGEST_DOCUMENT = 16 * 1024 * 1024;

/** Reads a backup to its end and checks all of it. Throws `BackupError` with one line. */
export async function readArchive(
  file: string,
  sink: ArchiveSink,
  progress: (progress: ArchiveProgress) => void = () => {},
): Promise<ArchiveRead> {
  const of = await sizeOf(file);
  const source = createReadStream(file, { highWaterMark: 1024 * 1024 });
  const unpack = createZstdDecompress();
  const tar = extract();
  let done = 0;
  source.on('data', (chunk) => {
    done += chunk.length;
    progress({ done, of });
  });
  // Told by whoever iterates; an event that nobody hears would end the process.
  tar.on('error', () => {});
  source.on('error', (error) => tar.destroy(error));
  unpack.on('error', (error) => tar.destroy(error));
  source.pipe(unpack).pipe(tar as unknown as NodeJS.WritableStream);
  const reading = new Reading(file, sink);
  try {
    for await (const entry of tar) await reading.entry(entry as unknown as Entry);
    return reading.end();
  } catch (error) {
    if (!isDamage(error)) throw error;
    throw new BackupError(`${file} is damaged or cut off (${(error as Error).message}): take another backup`, {
      cause: error,
    });
  } finally {
    source.destroy();
    unpack.destroy();
  }
}

class Reading {
  readonly #file: string;
  readonly #sink: ArchiveSink;
  #manifest: { readonly value: Manifest; readonly sha256: string } | undefined;
  #completion: Completion | undefined;
  readonly #expected = new Map<string, Part>();
  #blobs = { count: 0, bytes: 0 };

  constructor(file: string, sink: ArchiveSink) {
    this.#file = file;
    this.#sink = sink;
  }

  async entry(entry: Entry): Promise<void> {
    const { name, size, type } = entry.header;
    if (type !== 'file') throw this.#foreign(name);
    if (this.#completion) throw this.#foreign(name);
    if (!this.#manifest) {
      if (name !== MANIFEST) throw this.#foreign(name);
      return this.#begin(await this.#document(entry, size));
    }
    const digest = digestOf(name);
    if (digest !== undefined) return this.#blob(digest, size, entry);
    if (name === COMPLETE) {
      this.#completion = completionOf(await this.#document(entry, size), this.#file);
      return;
    }
    const part = this.#expected.get(name);
    if (!part) throw this.#foreign(name);
    return this.#part(part, size, entry);
  }

  end(): ArchiveRead {
    if (!this.#manifest) throw new BackupError(`${this.#file} is no Entrepot backup: there is nothing in it`);
    if (!this.#completion || this.#expected.size > 0) {
      throw new BackupError(`${this.#file} is cut off: its end is missing; take another backup`);
    }
    const { blobs, manifest_sha256 } = this.#completion;
    if (manifest_sha256 !== this.#manifest.sha256) throw this.#damaged(MANIFEST);
    if (blobs.count !== this.#blobs.count || blobs.bytes !== this.#blobs.bytes) throw this.#damaged('blobs');
    return { manifest: this.#manifest.value, completion: this.#completion };
  }

  async #begin(text: string): Promise<void> {
    const value = manifestOf(text, this.#file);
    this.#manifest = { value, sha256: createHash('sha256').update(text).digest('hex') };
    for (const part of value.parts) this.#expected.set(part.name, part);
    await this.#sink.manifest(value);
  }

  async #part(part: Part, size: number, entry: Entry): Promise<void> {
    if (size !== part.size) throw this.#damaged(part.name);
    this.#expected.delete(part.name);
    const hashed = new Hashed(entry);
    await this.#sink.part(part, hashed.chunks());
    if (hashed.digest() !== part.sha256) throw this.#damaged(part.name);
  }

  async #blob(digest: string, size: number, entry: Entry): Promise<void> {
    const hashed = new Hashed(entry);
    await this.#sink.blob(digest, size, hashed.chunks()).catch((error: unknown) => {
      throw error instanceof IntegrityError ? this.#damaged(digest) : error;
    });
    if (`sha256:${hashed.digest()}` !== digest) throw this.#damaged(digest);
    this.#blobs = { count: this.#blobs.count + 1, bytes: this.#blobs.bytes + size };
  }

  async #document(entry: Entry, size: number): Promise<string> {
    if (size > LARGEST_DOCUMENT) throw this.#foreign(entry.header.name);
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString();
  }

  #foreign(name: string): BackupError {
    return new BackupError(`${this.#file} is no Entrepot backup: ${JSON.stringify(name.slice(0, 200))} is in it`);
  }

  #damaged(name: string): BackupError {
    return new BackupError(`${this.#file} is damaged: ${name} is not what it was when the backup was made`);
  }
}

/** Hashes what passes. */
class Hashed {
  readonly #hash = createHash('sha256');
  readonly #from: AsyncIterable<Uint8Array>;
  #ended = false;

  constructor(from: AsyncIterable<Uint8Array>) {
    this.#from = from;
  }

  async *chunks(): AsyncIterable<Uint8Array> {
    for await (const chunk of this.#from) {
      this.#hash.update(chunk);
      yield chunk;
    }
    this.#ended = true;
  }

  digest(): string {
    if (!this.#ended) throw new TypeError('the sink left bytes unread');
    return this.#hash.digest('hex');
  }
}

/** Throws `BackupError` unless it is a file that begins as a backup does. */
async function sizeOf(file: string): Promise<number> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${error.code})`;
    throw new BackupError(`${file}: ${why}`, { cause: error });
  });
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new BackupError(`${file} is no file`);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    if (bytesRead < 4 || buffer.toString('hex') !== ZSTD) {
      throw new BackupError(`${file} is no Entrepot backup: it is no tar compressed with zstd`);
    }
    return found.size;
  } finally {
    await handle.close();
  }
}

/** What the unpackers say of bytes that are not what they were. */
function isDamage(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof BackupError) return false;
  const code = 'code' in error ? String(error.code) : '';
  return (
    /^(ZSTD_|Z_|ERR_ZLIB)/.test(code) ||
    /unexpected end|invalid (tar )?header|header exceeds|premature close/i.test(error.message)
  );
}
