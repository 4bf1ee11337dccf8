import { Malformed } from '../format.ts';

/** A piece of a file that stands in a document as base64. */
export interface FilePiece {
  /** The key before the last one that leads to it. */
  readonly part: string;
  readonly bytes: Uint8Array;
  /** Of each file the first, which is empty. */
  readonly begins: boolean;
}

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OBJECT, OBJECT_END, LIST, LIST_END] = [0x7b, 0x7d, 0x5b, 0x5d];
const LONGEST_KEY = 4096;
const DEEPEST = 500;
const NOTHING = new Uint8Array(0);

/**
 * Takes the files out of a JSON document while it arrives: neither their base64 nor their bytes are ever held whole. What is
 * left, with an empty text in the place of each, is parsed as JSON in the end: that judges whether it is JSON at all.
 */
export class JsonFiles {
  readonly #isFile: (keys: readonly string[]) => boolean;
  readonly #limit: number;
  readonly #rest: Buffer[] = [];
  #size = 0;
  /** One for each object or list that is open; the key is an object's last one. */
  readonly #open: { readonly isList: boolean; key: string }[] = [];
  #inside: 'nothing' | 'key' | 'text' = 'nothing';
  #isEscaped = false;
  #expectsKey = false;
  #key: number[] = [];
  #file: OpenFile | undefined;

  /** `limit`: bytes of what is not files. */
  constructor(isFile: (keys: readonly string[]) => boolean, limit: number) {
    this.#isFile = isFile;
    this.#limit = limit;
  }

  /** Throws `Malformed`. */
  *take(given: Uint8Array): Generator<FilePiece, void> {
    const chunk = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
    let kept = 0;
    for (let at = 0; at < chunk.length; ) {
      if (this.#file) {
        const quote = chunk.indexOf(QUOTE, at);
        kept = quote < 0 ? chunk.length : quote;
        yield this.#goOn(this.#file, chunk.toString('latin1', at, kept), quote >= 0);
        at = kept + (quote < 0 ? 0 : 1);
      } else {
        const file = this.#step(chunk[at] as number);
        at += 1;
        if (!file) continue;
        this.#keep(chunk.subarray(kept, at));
        kept = at;
        yield { part: file.part, bytes: NOTHING, begins: true };
      }
    }
    this.#keep(chunk.subarray(kept));
  }

  /** The document without its files. Throws `Malformed`. */
  finish(): unknown {
    try {
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(this.#rest)));
    } catch (error) {
      throw new Malformed('What was sent is not JSON, or breaks off', { cause: error });
    }
  }

  #goOn({ part, text }: OpenFile, piece: string, ends: boolean): FilePiece {
    const bytes = text.decode(piece);
    if (ends) {
      text.finish();
      this.#file = undefined;
    }
    return { part, bytes, begins: false };
  }

  /** The file that begins with what follows, if one does. */
  #step(byte: number): OpenFile | undefined {
    if (this.#inside !== 'nothing') {
      this.#stepInText(byte, this.#inside);
      return undefined;
    }
    const top = this.#open.at(-1);
    switch (byte) {
      case QUOTE:
        this.#begin(top?.isList === false && this.#expectsKey);
        break;
      case OBJECT:
      case LIST:
        if (this.#open.length === DEEPEST) throw new Malformed(`What was sent is nested more than ${DEEPEST} deep`);
        this.#open.push({ isList: byte === LIST, key: '' });
        this.#expectsKey = byte === OBJECT;
        break;
      case OBJECT_END:
      case LIST_END:
        this.#open.pop();
        this.#expectsKey = false;
        break;
      case COMMA:
        this.#expectsKey = true;
        break;
      case COLON:
        this.#expectsKey = false;
    }
    return this.#file;
  }

  #begin(isKey: boolean): void {
    this.#inside = isKey ? 'key' : 'text';
    this.#key = [];
    if (isKey || this.#open.some(({ isList }) => isList)) return;
    const keys = this.#open.map(({ key }) => key);
    if (!this.#isFile(keys)) return;
    this.#inside = 'nothing';
    this.#file = { part: keys.at(-2) ?? '', text: new Base64() };
  }

  #stepInText(byte: number, inside: 'key' | 'text'): void {
    const ends = byte === QUOTE && !this.#isEscaped;
    this.#isEscaped = byte === BACKSLASH && !this.#isEscaped;
    if (inside === 'key' && !ends) {
      if (this.#key.length === LONGEST_KEY) throw new Malformed(`What was sent has a key of over ${LONGEST_KEY} bytes`);
      this.#key.push(byte);
    }
    if (!ends) return;
    const top = this.#open.at(-1);
    if (inside === 'key' && top) top.key = keyOf(Buffer.from(this.#key).toString());
    this.#inside = 'nothing';
  }

  /** A copy: what is kept of a chunk is often little of it. */
  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#size += bytes.length;
    if (this.#size > this.#limit)
      throw new Malformed(`What was sent has over ${this.#limit} bytes besides the files in it`);
    this.#rest.push(Buffer.from(bytes));
  }
}

function keyOf(text: string): string {
  try {
    return text.includes('\\') ? JSON.parse(`"${text}"`) : text;
  } catch (error) {
    throw new Malformed('What was sent is not JSON', { cause: error });
  }
}

interface OpenFile {
  readonly part: string;
  readonly text: Base64;
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Base64 (RFC 4648 §4) in pieces; some writers of JSON escape its slashes. */
class Base64 {
  #left = '';
  #isOver = false;

  decode(piece: string): Uint8Array {
    const text = (this.#left + piece).replaceAll('\\/', '/');
    const usable = text.endsWith('\\') ? text.length - 1 : text.length;
    const whole = usable - (usable % 4);
    this.#left = text.slice(whole);
    if (whole === 0) return NOTHING;
    const quads = text.slice(0, whole);
    if (this.#isOver || !BASE64.test(quads)) throw new Malformed('A file in what was sent is not base64');
    this.#isOver = quads.endsWith('=');
    return Buffer.from(quads, 'base64');
  }

  finish(): void {
    if (this.#left !== '') throw new Malformed('A file in what was sent is not whole base64');
  }
}
