import { Malformed } from '../../engine/format.ts';

/** Of a block's check, by its kind: The .xz File Format 2.1.1.2. */
const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];
const STREAM_MAGIC = 0xfd;
const HEADER = 12;
const FOOTER = 12;
const INDEX_INDICATOR = 0;

/** One of the streams that an .xz file consists of. */
export interface XzStream {
  readonly start: number;
  readonly end: number;
  /** Bytes, unpacked. */
  readonly size: number;
}

/**
 * To how many bytes each stream of an .xz file unpacks, from the headers of its LZMA2 chunks: a decoder cannot make more of
 * them, whatever the sizes in the file's index say. Throws `Malformed` where the chain of headers breaks.
 */
export function xzStreams(bytes: Uint8Array): readonly XzStream[] {
  const walk = new Walk(bytes);
  const streams: XzStream[] = [];
  while (walk.at < bytes.length) {
    const start = walk.at;
    if (walk.peek() === 0) walk.skip(4);
    else streams.push({ start, size: streamSize(walk), end: walk.at });
  }
  return streams;
}

function streamSize(walk: Walk): number {
  const start = walk.at;
  if (walk.peek() !== STREAM_MAGIC) throw walk.broken();
  const check = CHECK_SIZES[walk.byte(start + 7) & 0x0f] ?? 0;
  walk.skip(HEADER);
  let total = 0;
  while (walk.peek() !== INDEX_INDICATOR) {
    const header = walk.at;
    walk.skip((walk.peek() + 1) * 4);
    total += chunksSize(walk);
    walk.align(header);
    walk.skip(check);
  }
  skipIndex(walk);
  walk.skip(FOOTER);
  return total;
}

/** LZMA2: a control byte, sizes less one in big endian, then so many bytes. */
function chunksSize(walk: Walk): number {
  let total = 0;
  for (;;) {
    const control = walk.peek();
    if (control === 0) break;
    const low = walk.byte(walk.at + 1) * 256 + walk.byte(walk.at + 2) + 1;
    if (control >= 0x80) {
      total += (control & 0x1f) * 65_536 + low;
      const packed = walk.byte(walk.at + 3) * 256 + walk.byte(walk.at + 4) + 1;
      walk.skip((control >= 0xc0 ? 6 : 5) + packed);
    } else if (control <= 2) {
      total += low;
      walk.skip(3 + low);
    } else throw walk.broken();
  }
  walk.skip(1);
  return total;
}

/** 4: an indicator, the number of records, two numbers each, padding, a CRC32. */
function skipIndex(walk: Walk): void {
  const start = walk.at;
  walk.skip(1);
  for (let numbers = walk.number() * 2; numbers > 0; numbers--) walk.number();
  walk.align(start);
  walk.skip(4);
}

class Walk {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(at: number): number {
    const value = this.#bytes[at];
    if (value === undefined) throw this.broken();
    return value;
  }

  peek(): number {
    return this.byte(this.at);
  }

  skip(count: number): void {
    this.at += count;
    if (this.at > this.#bytes.length) throw this.broken();
  }

  /** To a multiple of four from there. */
  align(start: number): void {
    this.skip((4 - ((this.at - start) % 4)) % 4);
  }

  /** 1.2: seven bits a byte, the lowest first. */
  number(): number {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const next = this.peek();
      this.skip(1);
      value += (next & 0x7f) * shift;
      if (next < 0x80) return value;
      if (shift > 2 ** 56) throw this.broken();
    }
  }

  broken(): Malformed {
    return new Malformed('It does not unpack: it is damaged or incomplete');
  }
}
