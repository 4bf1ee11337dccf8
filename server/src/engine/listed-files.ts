import type { FileFacts } from './source.ts';

/** The files of one index in three buffers, so that tens of thousands cost neither objects nor a copy between threads. */
export interface PackedFiles {
  readonly count: number;
  /** Of each file's path, ascending. */
  readonly hashes: Uint32Array<ArrayBuffer>;
  /** Where each file's text begins, in the order of `hashes`, and after them where the last one ends. */
  readonly starts: Uint32Array<ArrayBuffer>;
  readonly ends: Uint32Array<ArrayBuffer>;
  /** JSON of one file after the other, UTF-8. */
  readonly text: Uint8Array<ArrayBuffer>;
  /** Those that cover all below their path. */
  readonly below: readonly FileFacts[];
}

export function packFiles(files: readonly FileFacts[]): PackedFiles {
  const plain = files.filter(({ path }) => !path.endsWith('/'));
  const texts = plain.map((file) => Buffer.from(JSON.stringify(file)));
  const bytes = Buffer.concat(texts);
  const text = new Uint8Array(new ArrayBuffer(bytes.length));
  text.set(bytes);
  const hashed = plain.map(({ path }, at) => ({ hash: hashOf(path), at }));
  // Of two with one path, the first listed counts: the sort is stable.
  hashed.sort((one, other) => one.hash - other.hash);
  const begins = new Uint32Array(plain.length + 1);
  for (const [at, { length }] of texts.entries()) begins[at + 1] = (begins[at] as number) + length;
  return {
    count: plain.length,
    hashes: Uint32Array.from(hashed, ({ hash }) => hash),
    starts: Uint32Array.from(hashed, ({ at }) => begins[at] as number),
    ends: Uint32Array.from(hashed, ({ at }) => begins[at + 1] as number),
    text,
    below: files.filter(({ path }) => path.endsWith('/')),
  };
}

export function findFile(files: PackedFiles, path: string): FileFacts | undefined {
  const hash = hashOf(path);
  for (let at = lowerBound(files.hashes, hash); files.hashes[at] === hash; at++) {
    const file = fileAt(files, at);
    if (file.path === path) return file;
  }
  return files.below.find((file) => path.startsWith(file.path));
}

export function* everyFile(files: PackedFiles): Iterable<FileFacts> {
  for (let at = 0; at < files.count; at++) yield fileAt(files, at);
  yield* files.below;
}

/** Bytes of memory, about. */
export function weightOf({ text, count, below }: PackedFiles): number {
  return text.length + count * 12 + below.length * 300 + 500;
}

export function buffersOf({ hashes, starts, ends, text }: PackedFiles): ArrayBuffer[] {
  return [hashes.buffer, starts.buffer, ends.buffer, text.buffer];
}

function fileAt({ starts, ends, text }: PackedFiles, at: number): FileFacts {
  const start = starts[at] as number;
  return JSON.parse(Buffer.from(text.buffer, start, (ends[at] as number) - start).toString());
}

function lowerBound(hashes: Uint32Array, hash: number): number {
  let low = 0;
  let high = hashes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((hashes[middle] as number) < hash) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** FNV-1a over UTF-16 units: quick, and a collision costs one more comparison. */
function hashOf(path: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < path.length; at++) hash = Math.imul(hash ^ path.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
