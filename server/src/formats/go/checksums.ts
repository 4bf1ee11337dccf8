import { type Body, type IndexTarget, Malformed, type RawDocument } from '../../engine/format.ts';

/** Something of a checksum database: signed as a whole, so it passes byte for byte. */
export interface Checksums {
  readonly kind: 'checksums';
  readonly body: Body;
}

const BELOW = /^sumdb\/[^@]+?\/(supported|latest|lookup\/[^@]+@[^/]+|tile\/.+)$/;
const TILE = /^tile\/([1-9]|[12]\d|30)\/(data|\d{1,2})\/(?:x\d{3}\/)*\d{3}(?:\.p\/([1-9]\d{0,8}))?$/;
const SIGNED_TREE = /(?:^|\n\n)go\.sum database tree\n\d+\n\S+\n\n(?:— \S+ \S+\n)+$/;
const HASH_BYTES = 32;

/** The go command asks for it through the proxy, once that said that it is `supported`. */
export function parseChecksums(path: string): IndexTarget | undefined {
  const what = BELOW.exec(path)?.[1];
  if (what === undefined || (what.startsWith('tile/') && !TILE.test(what))) return undefined;
  return { kind: 'index', path, scope: 'repository', view: what, opaque: true };
}

/** A tile holds what it holds, and a record that was looked up is in the log for good: only the tree's head moves. */
export const isSettled = ({ view }: IndexTarget): boolean => view.startsWith('tile/') || view.startsWith('lookup/');

/** Not proof of anything, which is the client's to check; it keeps a login page from being kept for ever. Throws `Malformed`. */
export function readChecksums({ bytes, type }: RawDocument, { view, path }: IndexTarget): Checksums {
  if (!isPlausible(bytes, view)) throw new Malformed(`${path} is nothing that a checksum database says`);
  return { kind: 'checksums', body: { bytes, type } };
}

function isPlausible(bytes: Uint8Array, view: string): boolean {
  const tile = TILE.exec(view);
  if (tile && tile[2] !== 'data') return bytes.length === HASH_BYTES * Number(tile[3] ?? 2 ** Number(tile[1]));
  const text = new TextDecoder().decode(bytes);
  if (tile) return /^\S+ \S+ h1:/.test(text);
  if (view === 'supported') return !/^\s*</.test(text);
  return view === 'latest' ? SIGNED_TREE.test(text) : /^\d+\n\S+ \S+ h1:/.test(text) && SIGNED_TREE.test(text);
}
