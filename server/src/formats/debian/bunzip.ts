import bunzip from 'seek-bzip';
import { Malformed } from '../../engine/format.ts';

const START = 64 * 1024;

/** Throws `TooLarge`, and whatever the library does where the input is damaged. */
export function bunzipped(bytes: Uint8Array, limit: number): Uint8Array {
  const output = new Output(limit);
  bunzip.decode(new Input(bytes), output, true);
  return output.bytes();
}

/** There is more than may be unpacked. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

/** The library's own reads zeros behind the end, without end. */
class Input {
  #at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  readByte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new Malformed('It ends too early');
    return byte;
  }

  read(buffer: Uint8Array, offset: number, length: number): number {
    for (let at = 0; at < length; at++) buffer[offset + at] = this.readByte();
    return length;
  }

  eof(): boolean {
    return this.#at >= this.#bytes.length;
  }
}

/** The library's own grows without limit. */
class Output {
  #buffer = Buffer.alloc(START);
  #length = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  writeByte(byte: number): void {
    if (this.#length === this.#limit) throw new TooLarge();
    if (this.#length === this.#buffer.length) this.#buffer = Buffer.concat([this.#buffer], this.#length * 2);
    this.#buffer[this.#length++] = byte;
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}
