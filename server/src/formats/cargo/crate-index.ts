import {
  type Digest,
  type IndexTarget,
  type Judge,
  Malformed,
  type RawDocument,
  type Release,
} from '../../engine/format.ts';
import { type Json, own, ownText, parseJson } from '../json.ts';
import { type Crate, cratePath, isName, isVersion } from './names.ts';

/** The index file of one crate. */
export interface CrateIndex {
  readonly kind: 'crate';
  readonly lines: readonly Line[];
}

/** One version. */
export interface Line extends Crate {
  /** As the upstream has it, without the line's end: clients read fields that are not known here. */
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly yanked: boolean;
  /** Epoch milliseconds, of `pubtime`. */
  readonly published?: number;
}

/** Lines that cannot be downloaded (an impossible version, no SHA-256) are left out, and all but the first of a version. Throws `Malformed`. */
export function readCrateIndex(raw: RawDocument, target: IndexTarget): CrateIndex {
  const asked = target.name ?? target.path;
  const lines = new Map<string, Line>();
  let count = 0;
  for (const bytes of linesOf(raw.bytes)) {
    count += 1;
    const line = readLine(bytes, asked, `Line ${count} of the index of ${asked}`);
    if (line && !lines.has(line.version)) lines.set(line.version, line);
  }
  if (count === 0) throw new Malformed(`The index of ${asked} is empty`);
  return { kind: 'crate', lines: [...lines.values()] };
}

export function* releasesOf({ lines }: CrateIndex): Iterable<Release> {
  for (const line of lines) {
    const { name, version, digest, yanked, published } = line;
    const dated = published === undefined ? {} : { published: { at: published, by: 'server' } as const };
    const file = { path: cratePath(line), digest, ...dated };
    yield { name, version, files: [file], ...(yanked && { yanked }) };
  }
}

export function keepLines(doc: CrateIndex, judge: Judge): CrateIndex {
  const lines = doc.lines.filter((line) => !judge(cratePath(line)));
  return lines.length === doc.lines.length ? doc : { ...doc, lines };
}

/** A registry tells versions apart without their build metadata: so does who comes first. */
export function mergeIndexes(first: CrateIndex, next: CrateIndex): CrateIndex {
  const taken = new Set(first.lines.map(withoutBuild));
  return { ...first, lines: [...first.lines, ...next.lines.filter((line) => !taken.has(withoutBuild(line)))] };
}

export const written = ({ lines }: CrateIndex): Uint8Array =>
  Buffer.concat(lines.flatMap(({ bytes }) => [bytes, NEWLINE]));

const NEWLINE = Uint8Array.of(0x0a);

const withoutBuild = ({ version }: Line): string => version.split('+', 1)[0] as string;

/** Not empty; of any length. */
function* linesOf(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let start = 0, end: number; start < bytes.length; start = end + 1) {
    const found = bytes.indexOf(0x0a, start);
    end = found === -1 ? bytes.length : found;
    const line = bytes.subarray(start, bytes[end - 1] === 0x0d ? Math.max(start, end - 1) : end);
    if (line.length > 0) yield line;
  }
}

function readLine(bytes: Uint8Array, asked: string, what: string): Line | undefined {
  const json = parseJson(bytes, what);
  const name = ownText(json, 'name');
  const version = ownText(json, 'vers');
  if (name === undefined || version === undefined) throw new Malformed(`${what} has no name or no version`);
  if (name.toLowerCase() !== asked.toLowerCase())
    throw new Malformed(`${what} is about another crate, ${JSON.stringify(name.slice(0, 80))}`);
  const checksum = ownText(json, 'cksum')?.toLowerCase() ?? '';
  if (!isName(name) || !isVersion(version) || !/^[0-9a-f]{64}$/.test(checksum)) return undefined;
  const yanked = own(json, 'yanked') === true;
  return { name, version, bytes, digest: `sha256:${checksum}`, yanked, ...publishedOf(json) };
}

/** RFC 3339, as the protocol has it: what names no zone is no time. */
function publishedOf(json: Json): Pick<Line, 'published'> {
  const text = ownText(json, 'pubtime') ?? '';
  const published = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(published) ? {} : { published };
}
