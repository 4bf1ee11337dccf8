import { createHash } from 'node:crypto';
import { type Body, type IndexTarget, Malformed, type RawDocument, type Sums } from '../../engine/format.ts';
import { filePathOf, moduleOf, recordOf } from './names.ts';

/** Something of a checksum database: signed as a whole, so it passes byte for byte. */
export interface Checksums {
  readonly kind: 'checksums';
  readonly body: Body;
}

const BELOW = /^(sumdb\/[^@]+?)\/(supported|latest|lookup\/[^@]+@[^/]+|tile\/.+)$/;
const TILE = /^tile\/([1-9]|[12]\d|30)\/(data|\d{1,2})\/(?:x\d{3}\/)*\d{3}(?:\.p\/([1-9]\d{0,8}))?$/;
const SIGNED_TREE = /(?:^|\n\n)go\.sum database tree\n\d+\n\S+\n\n(?:— \S+ \S+\n)+$/;
const HASH_BYTES = 32;
const LOOKUP = 'lookup/';
const H1 = /^h1:[A-Za-z0-9+/]{43}=$/;

/** A record has the sum of a version's zip; that of its go.mod stands beside it. */
export const moduleSums: Sums = {
  prefix: 'sumdb/',
  database: (path) => BELOW.exec(path)?.[1],
  record: ({ role, name, version }, database) =>
    role === 'package' && name !== undefined && version !== undefined
      ? parseChecksums(`${database}/${LOOKUP}${recordOf(name, version)}`)
      : undefined,
  recorded: ({ view }) => (view.startsWith(LOOKUP) ? filePathOf(view.slice(LOOKUP.length), 'zip') : undefined),
  read(record, { name, version }) {
    const start = `${name} ${version} `;
    const line = new TextDecoder()
      .decode(record)
      .split('\n')
      .find((each) => each.startsWith(start));
    const sum = line?.slice(start.length) ?? '';
    return H1.test(sum) ? sum : undefined;
  },
  of(files) {
    // Hash1 of golang.org/x/mod/sumdb/dirhash; of two files of one name it knows the last alone, and counts it twice.
    const contents = new Map(files.map(({ name, sha256 }) => [name, sha256]));
    const hash = createHash('sha256');
    for (const name of files.map((file) => file.name).toSorted()) {
      if (name.includes('\n')) throw new Malformed('a file in it has a line break in its name');
      hash.update(`${contents.get(name)}  ${name}\n`, 'latin1');
    }
    return `h1:${hash.digest('base64')}`;
  },
};

/** The go command asks for it through the proxy, once that said that it is `supported`. */
export function parseChecksums(path: string): IndexTarget | undefined {
  const what = BELOW.exec(path)?.[2];
  if (what === undefined || (what.startsWith('tile/') && !TILE.test(what))) return undefined;
  return { kind: 'index', path, scope: 'repository', view: what, opaque: true };
}

/** A tile holds what it holds, and a record that was looked up is in the log for good: only the tree's head moves. */
export const isSettled = ({ view }: IndexTarget): boolean => view.startsWith('tile/') || view.startsWith('lookup/');

/** The module whose record is looked up. Throws `Malformed`. */
export function modulesIn({ view }: IndexTarget): readonly string[] {
  return view.startsWith(LOOKUP) ? [moduleOf(view.slice(LOOKUP.length, view.lastIndexOf('@')))] : [];
}

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
