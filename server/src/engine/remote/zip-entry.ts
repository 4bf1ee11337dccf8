import { type Entry, fromRandomAccessReaderPromise, type ZipFile } from 'yauzl';
import { type Readable, StoreError } from '../../store/store.ts';
import { collect } from '../collect.ts';
import { Malformed } from '../format.ts';
import { ZipReader } from './zip-reader.ts';

const MOST_ENTRIES = 100_000;
/** Bytes. */
const LARGEST = 1024 ** 2;

/**
 * The one entry of a zip file whose name matches, unpacked; undefined: none does, and of several no one knows which is meant.
 * Throws `Malformed` for what is no zip, `StoreError`.
 */
export async function entryOfZip(body: Readable, pattern: RegExp): Promise<Buffer | undefined> {
  try {
    const zip = await fromRandomAccessReaderPromise(
      new ZipReader(body, 'The file is a zip that breaks off'),
      body.size ?? 0,
      {
        decodeStrings: false,
        autoClose: false,
      },
    );
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
