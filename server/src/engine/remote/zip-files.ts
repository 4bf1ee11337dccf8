import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { crc32, inflateRawSync } from 'node:zlib';
import { type Entry, fromRandomAccessReaderPromise, type ZipFile } from 'yauzl';
import { type Readable, StoreError } from '../../store/store.ts';
import { Malformed, type ZippedFile } from '../format.ts';
import { ZipReader } from './zip-reader.ts';

const MOST_FILES = 100_000;
/** Bytes: of all files unpacked, and of all their names. */
const MOST_UNPACKED = 1024 ** 3;
const MOST_NAMED = 32 * 1024 ** 2;
/** Bytes that are unpacked, or hashed, in one go. */
const PIECE = 64 * 1024;
/** Small files in one go. */
const TURN = 16;
const STORED = 0;
const SLASH = 0x2f;

/**
 * What is in a zip file, by its central directory, in its order; folders too. Piece by piece: other work gets its turn between. Throws `Malformed` for what is no zip or too much of one, `StoreError`.
 */
export async function filesOfZip(body: Readable): Promise<ZippedFile[]> {
  try {
    const reader = new ZipReader(body, 'it breaks off');
    const zip = await fromRandomAccessReaderPromise(reader, body.size ?? 0, { decodeStrings: false });
    return await filesOf(zip, reader);
  } catch (error) {
    if (error instanceof StoreError || error instanceof Malformed) throw error;
    throw new Malformed(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

async function filesOf(zip: ZipFile, reader: ZipReader): Promise<ZippedFile[]> {
  const files: ZippedFile[] = [];
  let unpacked = 0;
  let named = 0;
  if (zip.entryCount > MOST_FILES) throw new Malformed(`it has ${zip.entryCount} files, over ${MOST_FILES}`);
  for await (const entry of zip.eachEntry()) {
    unpacked += entry.uncompressedSize;
    named += entry.fileNameLength;
    if (unpacked > MOST_UNPACKED) throw new Malformed(`it unpacks to more than ${MOST_UNPACKED} bytes`);
    if (named > MOST_NAMED) throw new Malformed(`its files' names have more than ${MOST_NAMED} bytes`);
    files.push(await fileOf(zip, reader, entry));
    if (files.length % TURN === 0) await setImmediate();
  }
  return files;
}

async function fileOf(zip: ZipFile, reader: ZipReader, entry: Entry): Promise<ZippedFile> {
  const name = entry.fileNameRaw.toString('latin1');
  const sum = new Sum();
  if (entry.canDecodeFileData() && Math.max(entry.compressedSize, entry.uncompressedSize) <= PIECE)
    sum.add(await wholeOf(zip, reader, entry));
  else for await (const piece of await zip.openReadStreamPromise(entry)) sum.add(piece);
  // As in Go's archive/zip, 0 stands for "not known".
  if (entry.crc32 !== 0 && sum.crc32 !== entry.crc32)
    throw new Malformed(`the checksum of ${JSON.stringify(name)} is wrong`);
  return { name, sha256: sum.sha256() };
}

/** Most files are small: a stream for each would take ten times as long. */
async function wholeOf(zip: ZipFile, reader: ZipReader, entry: Entry): Promise<Buffer> {
  const { compressionMethod, compressedSize, uncompressedSize } = entry;
  const isFolder = uncompressedSize === 0 && entry.fileNameRaw.at(-1) === SLASH;
  if (isFolder) return Buffer.alloc(0);
  const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
  const packed = await reader.bytes(fileDataStart, compressedSize);
  if (compressionMethod === STORED) return packed;
  const bytes = inflateRawSync(packed, { maxOutputLength: uncompressedSize + 1 });
  if (bytes.length !== uncompressedSize) throw new Malformed('a file in it has another size than it says');
  return bytes;
}

class Sum {
  crc32 = 0;
  readonly #hash = createHash('sha256');

  add(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.crc32 = crc32(bytes, this.crc32);
  }

  /** In lower-case hex. */
  sha256(): string {
    return this.#hash.digest('hex');
  }
}
