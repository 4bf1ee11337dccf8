import { Malformed } from '../../engine/format.ts';

const LINE_END = '\n';
const BLANK_LINE = '\n\n';
/** Bytes read as one text: a whole index may be longer than a string can be. */
const PIECE = 8 * 1024 * 1024;
const SPACE = 0x20;
const TAB = 0x09;
const HASH = 0x23;
const CARRIAGE_RETURN = 0x0d;

/**
 * Calls `each` with the wanted fields (lower-case names) of every stanza of a control file, deb822(5); the lines of a
 * field are joined by line ends. The map is the same for all of them. Throws `Malformed` at a line that is no field.
 */
export function readStanzas(
  bytes: Uint8Array,
  wanted: ReadonlySet<string>,
  each: (fields: ReadonlyMap<string, string>) => void,
): void {
  const reader = new StanzaReader(wanted, each);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let start = 0; start < buffer.length; ) {
    const end = endOfPiece(buffer, start);
    reader.read(buffer.toString('utf8', start, end));
    start = end;
  }
}

/** Behind a blank line. */
function endOfPiece(buffer: Buffer, start: number): number {
  if (buffer.length - start <= PIECE) return buffer.length;
  const before = buffer.lastIndexOf(BLANK_LINE, start + PIECE - BLANK_LINE.length);
  const blank = before > start ? before : buffer.indexOf(BLANK_LINE, start + PIECE);
  return blank < 0 ? buffer.length : blank + BLANK_LINE.length;
}

class StanzaReader {
  readonly #wanted: ReadonlySet<string>;
  readonly #initials: ReadonlySet<number>;
  readonly #each: (fields: ReadonlyMap<string, string>) => void;
  readonly #fields = new Map<string, string>();
  #field: string | undefined;
  #open = false;

  constructor(wanted: ReadonlySet<string>, each: (fields: ReadonlyMap<string, string>) => void) {
    this.#wanted = wanted;
    this.#initials = new Set([...wanted].flatMap((name) => [name.charCodeAt(0), name.toUpperCase().charCodeAt(0)]));
    this.#each = each;
  }

  /** Whole stanzas. */
  read(text: string): void {
    for (let start = 0; start < text.length; ) {
      const found = text.indexOf(LINE_END, start);
      const end = found < 0 ? text.length : found;
      this.#line(text, start, end > start && text.charCodeAt(end - 1) === CARRIAGE_RETURN ? end - 1 : end);
      start = end + 1;
    }
    this.#close();
  }

  #line(text: string, start: number, end: number): void {
    if (start === end) return this.#close();
    const first = text.charCodeAt(start);
    if (first === SPACE || first === TAB) return this.#continued(text, start, end);
    if (first === HASH) return;
    this.#open = true;
    this.#field = undefined;
    const colon = text.indexOf(':', start);
    if (colon < 0 || colon >= end || colon === start)
      throw new Malformed(`A line that is no field: ${text.slice(start, Math.min(end, start + 80))}`);
    if (!this.#initials.has(first)) return;
    const name = text.slice(start, colon).toLowerCase();
    if (!this.#wanted.has(name)) return;
    this.#field = name;
    this.#fields.set(name, text.slice(colon + 1, end).trim());
  }

  #continued(text: string, start: number, end: number): void {
    if (this.#field === undefined) return;
    this.#fields.set(this.#field, `${this.#fields.get(this.#field)}\n${text.slice(start, end).trim()}`);
  }

  #close(): void {
    if (this.#open) this.#each(this.#fields);
    this.#fields.clear();
    this.#field = undefined;
    this.#open = false;
  }
}
