import { Readable as NodeReadable } from 'node:stream';
import { RandomAccessReader } from 'yauzl';
import type { Readable } from '../../store/store.ts';
import { Malformed } from '../format.ts';

/** Bytes that are handed on in one go. */
const PIECE = 64 * 1024;
const WINDOW = 256 * 1024;

/** Bytes that were read in one go. */
interface Window {
  readonly start: number;
  readonly bytes: Buffer;
}

/** Reads more than it is asked for, in the central directory and among the files: what comes next stands beside. */
export class ZipReader extends RandomAccessReader {
  readonly #body: Readable;
  readonly #broken: string;
  /** The one used last comes first. */
  #windows: readonly Window[] = [];

  /** `broken`: what is said of a file that ends before what was asked for. */
  constructor(body: Readable, broken: string) {
    super();
    this.#body = body;
    this.#broken = broken;
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
    this.bytes(position, length).then(
      (bytes) => {
        bytes.copy(buffer, offset);
        callback(null);
      },
      (error: Error) => callback(error),
    );
  }

  async bytes(start: number, length: number): Promise<Buffer> {
    const known = this.#windows.find((one) => start >= one.start && start + length <= one.start + one.bytes.length);
    const window = known ?? { start, bytes: await this.#fetch(start, Math.max(length, WINDOW)) };
    this.#windows = [window, ...this.#windows.filter((one) => one !== window)].slice(0, 2);
    const from = start - window.start;
    if (from + length > window.bytes.length) throw new Malformed(this.#broken);
    return window.bytes.subarray(from, from + length);
  }

  async #fetch(start: number, length: number): Promise<Buffer> {
    const read: Buffer[] = [];
    for await (const piece of pieces(this.#body, start, Math.min(start + length, this.#body.size ?? 0)))
      read.push(piece);
    return Buffer.concat(read);
  }
}

/** Each with memory of its own: whoever gets it may keep it. */
async function* pieces(body: Readable, start: number, end: number): AsyncGenerator<Buffer, void> {
  for await (const chunk of body.stream(start, end))
    for (let at = 0; at < chunk.length; at += PIECE) yield Buffer.from(chunk.subarray(at, at + PIECE));
}
