import { Readable as NodeReadable } from 'node:stream';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { type Readable, StoreError } from '../store/store.ts';
import { collect } from './collect.ts';
import { Malformed } from './format.ts';

const MOST_ENTRIES = 100_000;
/** Bytes. */
const LARGEST = 1024 ** 2;
/** Bytes that are read in one go: headers stand side by side. */
const PIECE = 64 * 1024;

/**
 * The one entry of a zip file whose name matches, unpacked; undefined: none does, and of several no one knows which is meant.
 * Throws `Malformed` for what is no zip, `StoreError`.
 */
export async function entryOfZip(body: Readable, pattern: RegExp): Promise<Buffer | undefined> {
  try {
    const zip = await fromRandomAccessReaderPromise(new ZipReader(body), body.size ?? 0, {
      decodeStrings: false,
      autoClose: false,
    });
    const entry = await entryNamed(zip, pattern);
    return entry && (await unpacked(zip, entry));
  } catch (error) {
    if (error instanceof StoreError || error instanceof Malformed) throw error;
    throw new Malformed(`The file is no zip that can be read: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

async function entryNamed(zip: ZipFile, pattern: RegExp): Promise<Entry | undefined> {
  if (zip.entryCount > MOST_ENTRIES)
    throw new Malformed(`The file has ${zip.entryCount} entries, more than ${MOST_ENTRIES}`);
  const found: Entry[] = [];
  for await (const entry of zip.eachEntry()) {
    if (pattern.test(entry.fileNameRaw.toString())) found.push(entry);
  }
  return found.length === 1 ? found[0] : undefined;
}

/** An entry may unpack to more than it says: yauzl ends the stream then. */
async function unpacked(zip: ZipFile, entry: Entry): Promise<Buffer> {
  if (entry.uncompressedSize > LARGEST)
    throw new Malformed(`${entry.fileNameRaw} in the file has more than ${LARGEST} bytes`);
  return collect(await zip.openReadStreamPromise(entry), entry.uncompressedSize);
}

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
    if (window.length < length) throw new Malformed('The file is a zip that breaks off');
    this.#window = { start: position, bytes: window };
    return window.subarray(0, length);
  }
}

/** Each with memory of its own: whoever gets it may keep it. */
async function* pieces(body: Readable, start: number, end: number): AsyncGenerator<Buffer, void> {
  for await (const chunk of body.stream(start, end))
    for (let at = 0; at < chunk.length; at += PIECE) yield Buffer.from(chunk.subarray(at, at + PIECE));
}
