import { createHash } from 'node:crypto';
import {
  type Algorithm,
  type ArtifactTarget,
  type Digest,
  type IndexTarget,
  Malformed,
  type Part,
  type RawDocument,
} from '../../engine/format.ts';
import { byHash, folderOf, HASHES, type Hash, signatureOf, targetAt } from './layout.ts';
import { readStanzas } from './stanzas.ts';
import { readsXz } from './unpack.ts';

/** A Release file: which files make up one generation of a suite. */
export interface Root {
  readonly kind: 'root';
  readonly path: string;
  /** SHA-256 of the file itself, in hex: what sets its generation apart from others. */
  readonly digest: string;
  /** Files are also named by their digest, so that those of two generations do not get in each other's way. */
  readonly acquireByHash: boolean;
  /** By name below the root's folder. */
  readonly files: ReadonlyMap<string, Listed>;
}

interface Listed {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly digests: ReadonlyMap<Algorithm, string>;
}

/** Where the upstream may have a file of a generation, below the remote's `url`: the first that exists. */
export interface Whereabouts {
  readonly at: readonly string[];
}

export type ListedTarget = (IndexTarget | ArtifactTarget) & Whereabouts;

const OPENING = '-----BEGIN PGP SIGNED MESSAGE-----';
const SIGNATURE = '\n-----BEGIN PGP SIGNATURE-----';
const CLOSING = '\n-----END PGP SIGNATURE-----';
/** The lists of packages, in a compression that is read here; in another they are files of which only the digest is checked. */
const LIST = /(?:^|\/)(?:(Packages)|Sources)(?:\.(?:gz|xz|bz2|zst))?$/;
const SLOW = /\.bz2$/;
/** Bytes of a list whose compression takes seconds to undo: larger ones are passed on like other files. */
const LARGEST_SLOW = 8_000_000;
/** Bytes: a suite up to this size whose files have but one name is taken whole, before the upstream replaces them. */
const TAKEN_WHOLE = 64_000_000;
const FIELDS = new Set(['acquire-by-hash', ...HASHES.map(({ title }) => title.toLowerCase())]);
/** As apt's `StringToBool`. */
const YES = /^(?:yes|true|with|on|enable|1)$/i;

/** RFC 4880 §7 for `InRelease`; the signature itself is the client's to verify. */
export function decodeRoot({ bytes }: RawDocument, { path }: IndexTarget): Root {
  const files = new Map<string, Listed>();
  let acquireByHash = false;
  let listing = false;
  readStanzas(path.endsWith('InRelease') ? signedText(bytes) : bytes, FIELDS, (fields) => {
    acquireByHash ||= YES.test(fields.get('acquire-by-hash') ?? '');
    for (const hash of HASHES) {
      const lines = fields.get(hash.title.toLowerCase());
      listing ||= lines !== undefined;
      for (const line of lines?.split('\n') ?? []) list(files, line, hash);
    }
  });
  if (!listing) throw new Malformed('It lists no files: there is no SHA256 in it');
  return { kind: 'root', path, digest: createHash('sha256').update(bytes).digest('hex'), acquireByHash, files };
}

export function partsOf(root: Root): readonly Part[] {
  const sizes = [...root.files.values()].reduce((sum, { size }) => sum + size, 0);
  const when = !root.acquireByHash && sizes <= TAKEN_WHOLE ? 'now' : 'asked';
  const folder = folderOf(root.path);
  const parts = [...root.files.values()]
    .filter(({ name }) => isAliasOf(root, folder + name))
    .map((listed): Part => ({ path: folder + listed.name, target: targetOf(root, listed), when }));
  const signature = signatureFor(root);
  return signature ? [...parts, { path: `${root.path}.gpg`, target: signature, when: 'now' }] : parts;
}

/** `select`: the path asked for, by its plain name or by any digest listed. */
export function chosenOf(root: Root, select: string): ListedTarget | undefined {
  const folder = folderOf(root.path);
  if (!select.startsWith(folder)) return undefined;
  if (select === `${root.path}.gpg`) return signatureFor(root);
  const hash = byHash(select);
  if (!hash) return whole(root, root.files.get(select.slice(folder.length)));
  const [algorithm, hex] = hash.digest.split(':') as [Algorithm, string];
  for (const listed of root.files.values()) {
    if (listed.digests.get(algorithm) === hex && folder + folderOf(listed.name) === hash.folder)
      return whole(root, listed);
  }
  return undefined;
}

/** `InRelease` is signed in itself; `Release` and its signature are two files that change one after the other. */
function signatureFor({ path, digest }: Root): ListedTarget | undefined {
  if (path.endsWith('InRelease')) return undefined;
  const plain = `${path}.gpg`;
  return { ...signatureOf(`${plain}/${digest}`), at: [plain] };
}

const whole = (root: Root, listed: Listed | undefined) => listed && targetOf(root, listed);

/** What was signed, with its dashes unescaped. */
function signedText(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(bytes).replaceAll('\r\n', '\n');
  if (!text.startsWith(OPENING)) throw new Malformed(`It does not begin with ${OPENING}`);
  const start = text.indexOf('\n\n');
  const end = text.indexOf(SIGNATURE);
  if (end < 0 || !text.includes(CLOSING, end)) throw new Malformed('Its signature is missing or incomplete');
  if (start < 0 || start > end) throw new Malformed('Nothing in it is signed');
  return Buffer.from(text.slice(start + 2, end).replace(/^- /gm, ''));
}

function list(files: Map<string, Listed>, line: string, { algorithm, digits, title }: Hash): void {
  if (line === '') return;
  const [hex = '', size = '', said = '', ...rest] = line.split(/\s+/);
  const name = said.replace(/^(?:\.\/)+/, '');
  if (rest.length > 0 || name === '' || hex.length !== digits || !/^[0-9a-f]+$/i.test(hex) || !/^\d{1,15}$/.test(size))
    throw new Malformed(`A line of ${title} that names no file: ${line.slice(0, 80)}`);
  const known = files.get(name) ?? { name, size: Number(size), digests: new Map<Algorithm, string>() };
  files.set(name, { ...known, digests: new Map([...known.digests, [algorithm, hex.toLowerCase()]]) });
}

/** Some Release files list what is no file of a generation: packages, or themselves. */
function isAliasOf(root: Root, path: string): boolean {
  if (/(?:^|\/)\.{0,2}(?:\/|$)|\\/.test(path)) return false;
  const target = targetAt(path);
  return target?.kind === 'alias' && target.of.some((each) => each.path === root.path);
}

function targetOf(root: Root, { name, size, digests }: Listed): ListedTarget {
  const plain = folderOf(root.path) + name;
  const { algorithm, title } = HASHES.find((hash) => digests.has(hash.algorithm)) ?? (HASHES[0] as Hash);
  const hex = digests.get(algorithm) ?? '';
  const path = `${folderOf(plain)}by-hash/${title}/${hex}`;
  const digest: Digest = `${algorithm}:${hex}`;
  const at = root.acquireByHash ? [path, plain] : [plain];
  const [, packages] = LIST.exec(name) ?? [undefined, undefined];
  const isRead = LIST.test(name) && !(SLOW.test(name) && size > LARGEST_SLOW) && (!name.endsWith('.xz') || readsXz());
  if (!isRead) return { kind: 'artifact', path, role: 'metadata', digest, at };
  const view = packages === undefined ? 'sources' : 'packages';
  return { kind: 'index', path, scope: 'repository', view, opaque: true, digest, at };
}
