import { createHash } from 'node:crypto';
import { Readable as NodeReadable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { type Readable, StoreError } from '../store/store.ts';
import { Malformed, type ZippedFile } from './format.ts';

const MOST_FILES = 100_000;
/** Bytes: of all files unpacked, and of all their names. */
const MOST_UNPACKED = 1024 ** 3;
const MOST_NAMED = 32 * 1024 ** 2;
/** Bytes that are read, and hashed, in one go. */
const PIECE = 64 * 1024;

/**
 * What is in a zip file, by its central directory, in its order; folders too. Piece by piece: decompression has threads of its
 * own, and other work gets its turn between pieces. Throws `Malformed` for what is no zip or too much of one, `StoreError`.
 */
export async function filesOfZip(body: Readable): Promise<ZippedFile[]> {
  try {
    const zip = await fromRandomAccessReaderPromise(new ZipReader(body), body.size ?? 0, { decodeStrings: false });
    return await filesOf(zip);
  } catch (error) {
    if (error instanceof StoreError || error instanceof Malformed) throw error;
    throw new Malformed(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

async function filesOf(zip: ZipFile): Promise<ZippedFile[]> {
  const files: ZippedFile[] = [];
  let unpacked = 0;
  let named = 0;
  if (zip.entryCount > MOST_FILES) throw new Malformed(`it has ${zip.entryCount} files, over ${MOST_FILES}`);
  for await (const entry of zip.eachEntry()) {
    unpacked += entry.uncompressedSize;
    named += entry.fileNameLength;
    if (unpacked > MOST_UNPACKED) throw new Malformed(`it unpacks to more than ${MOST_UNPACKED} bytes`);
    if (named > MOST_NAMED) throw new Malformed(`its files' names have more than ${MOST_NAMED} bytes`);
    const name = entry.fileNameRaw.toString('latin1');
    const isFolder = name.endsWith('/') && entry.uncompressedSize === 0;
    files.push({ name, sha256: isFolder ? createHash('sha256').digest('hex') : await sha256Of(zip, entry, name) });
  }
  return files;
}

async function sha256Of(zip: ZipFile, entry: Entry, name: string): Promise<string> {
  const hash = createHash('sha256');
  let sum = 0;
  for await (const piece of await zip.openReadStreamPromise(entry)) {
    hash.update(piece);
    sum = crc32(piece, sum);
  }
  // As in Go's archive/zip, 0 stands for "not known".
  if (entry.crc32 !== 0 && sum !== entry.crc32) throw new Malformed(`the checksum of ${JSON.stringify(name)} is wrong`);
  return hash.digest('hex');
}

/** Reads a little more than it is asked for: headers stand side by side. */
class ZipReader extends RandomAccessReader {
  readonly #body: Readable;
  #window = { start: 0, bytes: Buffer.alloc(0) };

  constructor(body: Readable) {
    super();
    this.#body = body;
  }

  override _readStreamForRange(start: number, end: number): NodeReadable {
    return NodeReadable.from(pieces(this.#body, start, end), { objectMode: false, highWaterMark: PIECE });
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.#read(position, length).then(
      (bytes) => {
        bytes.copy(buffer, offset);
        callback(null);
      },
      (error: Error) => callback(error),
    );
  }

  async #read(position: number, length: number): Promise<Buffer> {
    const { start, bytes } = this.#window;
    if (position >= start && position + length <= start + bytes.length)
      return bytes.subarray(position - start, position - start + length);
    const read: Buffer[] = [];
    const end = Math.min(position + Math.max(length, PIECE), this.#body.size ?? 0);
    for await (const piece of pieces(this.#body, position, end)) read.push(piece);
    const window = Buffer.concat(read);
    if (window.length < length) throw new Malformed('it breaks off');
    this.#window = { start: position, bytes: window };
    return window.subarray(0, length);
  }
}

/** Each with memory of its own: whoever gets it may keep it. */
async function* pieces(body: Readable, start: number, end: number): AsyncGenerator<Buffer, void> {
  for await (const chunk of body.stream(start, end))
    for (let at = 0; at < chunk.length; at += PIECE) yield Buffer.from(chunk.subarray(at, at + PIECE));
}
