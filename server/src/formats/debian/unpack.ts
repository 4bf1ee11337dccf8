import { createRequire } from 'node:module';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { Malformed } from '../../engine/format.ts';
import { bunzipped, TooLarge } from './bunzip.ts';
import { xzStreams } from './xz-size.ts';

/** Bytes, unpacked. */
const LARGEST = 1024 ** 3;
/** Some seconds' worth. */
const LARGEST_BZIP2 = 128_000_000;

const READERS: readonly (readonly [magic: string, unpack: (bytes: Uint8Array, limit: number) => Uint8Array])[] = [
  ['1f8b', (bytes, limit) => gunzipSync(bytes, { maxOutputLength: limit })],
  ['28b52ffd', unzstd],
  ['fd377a585a00', unxz],
  ['425a68', (bytes, limit) => bunzipped(bytes, Math.min(limit, LARGEST_BZIP2))],
];

/** What the library answers with `info`, which its types lack. */
interface WithInfo {
  readonly buffer: Uint8Array;
  /** `bytesWritten`: how much was read. */
  readonly engine: { readonly bytesWritten: number };
}

/** What a compressed index says, by its first bytes; anything else is taken as text. Throws `Malformed`, also for a bomb. */
export function unpacked(bytes: Uint8Array, limit = LARGEST): Uint8Array {
  const start = Buffer.from(bytes.subarray(0, 6)).toString('hex');
  const [, unpack] = READERS.find(([magic]) => start.startsWith(magic)) ?? [];
  if (!unpack) return bytes;
  try {
    return unpack(bytes, limit);
  } catch (error) {
    if (error instanceof Malformed) throw error;
    if (isTooLarge(error)) throw new Malformed('It unpacks to more than is read here', { cause: error });
    throw new Malformed('It does not unpack: it is damaged or incomplete', { cause: error });
  }
}

/** The library reads one frame at a time. */
function unzstd(bytes: Uint8Array, limit: number): Uint8Array {
  const frames: Uint8Array[] = [];
  let left = limit;
  for (let at = 0; at < bytes.length; ) {
    const { buffer, engine } = zstdDecompressSync(bytes.subarray(at), {
      maxOutputLength: Math.max(1, left),
      info: true,
    }) as unknown as WithInfo;
    frames.push(buffer);
    left -= buffer.length;
    if (left < 0) throw new TooLarge();
    at += engine.bytesWritten;
  }
  return Buffer.concat(frames);
}

type Xz = typeof import('@napi-rs/lzma/xz');
let xz: Xz | false | undefined;

/** The library is native, and built for the common platforms only: where it is not, lists in .xz pass unread. */
export function readsXz(): boolean {
  return library() !== undefined;
}

function library(): Xz | undefined {
  if (xz === undefined) {
    try {
      xz = createRequire(import.meta.url)('@napi-rs/lzma/xz') as Xz;
    } catch {
      xz = false;
    }
  }
  return xz || undefined;
}

/** The library has no limit of its own, and reads one stream at a time. */
function unxz(bytes: Uint8Array, limit: number): Uint8Array {
  const streams = xzStreams(bytes);
  if (streams.reduce((sum, { size }) => sum + size, 0) > limit) throw new TooLarge();
  const found = library();
  if (!found) throw new Malformed('It is compressed as .xz, which cannot be read on this platform');
  return Buffer.concat(streams.map(({ start, end }) => found.decompressSync(bytes.subarray(start, end))));
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof TooLarge ||
  (error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE');
