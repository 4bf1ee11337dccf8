import type { Algorithm, AliasTarget, ArtifactTarget, Digest, IndexTarget, Role, Target } from '../../engine/format.ts';

export interface Hash {
  readonly algorithm: Algorithm;
  /** Its section of a Release file and its folder in `by-hash/`. */
  readonly title: string;
  readonly digits: number;
}

/** In the order in which one is picked to keep a file by: the store's own first. */
export const HASHES: readonly Hash[] = [
  { algorithm: 'sha256', title: 'SHA256', digits: 64 },
  { algorithm: 'sha512', title: 'SHA512', digits: 128 },
  { algorithm: 'sha1', title: 'SHA1', digits: 40 },
  { algorithm: 'md5', title: 'MD5Sum', digits: 32 },
];

const BINARY = /\.[ud]?deb$/;
const SOURCE = /\.(?:dsc|changes|buildinfo|diff\.gz|tar(?:\.[a-z0-9]+)?)(?:\.asc)?$/;
const NAME = '[A-Za-z0-9][A-Za-z0-9+.-]*';
/** deb-version(7) without the epoch, which file names lack or have as `%3a`. */
const BINARY_NAME = new RegExp(`^(${NAME})_([^_]+)(?:_[^_]+)?\\.[ud]?deb$`);
const SOURCE_NAME = new RegExp(
  `^(${NAME})_([^_]+?)(?:_[^_]+)?\\.(?:dsc|changes|buildinfo|diff\\.gz|(?:debian\\.)?tar\\b)`,
);
const UPSTREAM_TARBALL = /\.orig(?:-[A-Za-z0-9-]+)?\.tar\b/;
/** Of a component of a suite, or of the one folder of a flat repository; there a translation is named by its language. */
const LISTED =
  /^(?:(?:Packages|Sources|Contents|Translation|Components|Commands|Index|icons)(?:[-.].+)?|[a-z]{2,3}(?:_[A-Z]{2})?(?:\.(?:gz|xz|bz2|lz4|lzma|zst))?)$/;
const BY_HASH = /^(|.+\/)by-hash\/(MD5Sum|SHA1|SHA256|SHA512)\/([0-9a-f]+)$/;
/** How many folders below `dists/` a suite may lie: `stable`, `stable/updates`, `stable/snapshots/20260101`. */
const DEEPEST_SUITE = 3;

/** What is at a path of an archive; undefined when that is nothing. */
export function targetAt(path: string): Target | undefined {
  const folder = folderOf(path);
  const file = path.slice(folder.length);
  if (file === '') return undefined;
  if (isRoot(folder, file)) return rootAt(path);
  if (file === 'Release.gpg') {
    const signature = signatureOf(path);
    return { kind: 'alias', path, of: [rootAt(`${folder}Release`)], select: path, otherwise: signature };
  }
  const hash = byHash(path);
  if (hash) return alias(path, hash.folder, { kind: 'artifact', path, role: 'metadata', digest: hash.digest });
  if (BINARY.test(file) || file.endsWith('.dsc')) return pooled(path, file);
  if (/\.diff\/$/.test(folder) && file !== 'Index') return { ...plain(path), type: 'application/octet-stream' };
  const listed = /(?:^|\/)dists\//.test(folder) || LISTED.test(file) || /^[^/]+\.diff\/Index\b/.test(lastTwo(path));
  if (listed) return alias(path, suiteFolder(folder), { ...plain(path), mutable: true });
  return SOURCE.test(file) ? pooled(path, file) : { ...plain(path), mutable: true };
}

export const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/** `dists/stable/main/by-hash/SHA256/<hex>` → its folder without `by-hash/`, and which bytes those are. */
export function byHash(path: string): { readonly folder: string; readonly digest: Digest } | undefined {
  const [, folder = '', title, hex = ''] = BY_HASH.exec(path) ?? [];
  const hash = HASHES.find((each) => each.title === title && each.digits === hex.length);
  return hash && { folder, digest: `${hash.algorithm}:${hex}` };
}

/** What signs a Release file: its name is not that of its bytes, so a wrong one is replaced when the upstream has the right one. */
export function signatureOf(path: string): ArtifactTarget {
  return { kind: 'artifact', path, role: 'signature', mutable: true, type: 'application/pgp-signature' };
}

/** Where the archive begins whose `dists/` the path is in; undefined for a flat repository. */
export function archiveOf(path: string): string | undefined {
  const at = `/${path}`.indexOf('/dists/');
  return at < 0 ? undefined : path.slice(0, at);
}

/** A source package is named by its `.dsc`; the files it consists of are none of their own. */
export function roleOf(path: string): Role {
  if (path.endsWith('.asc')) return 'signature';
  return BINARY.test(path) || path.endsWith('.dsc') ? 'package' : 'metadata';
}

/** A component's own Release file, in `binary-<architecture>/` or `source/`, is a file like others that the suite's lists. */
function isRoot(folder: string, file: string): boolean {
  if (file === 'InRelease') return true;
  return file === 'Release' && !/(?:^|\/)dists\/.+\/(?:binary-[^/]+|source)\/$/.test(folder);
}

const rootAt = (path: string): IndexTarget => ({
  kind: 'index',
  path,
  scope: 'repository',
  view: 'release',
  opaque: true,
});

function alias(path: string, folder: string, otherwise: ArtifactTarget): AliasTarget | ArtifactTarget {
  const of = rootsOf(folder).flatMap((root) => [rootAt(`${root}InRelease`), rootAt(`${root}Release`)]);
  return of.length === 0 ? otherwise : { kind: 'alias', path, of, select: path, otherwise };
}

/** The folders whose Release file may list what is in this one. */
function rootsOf(folder: string): readonly string[] {
  const archive = archiveOf(folder);
  if (archive === undefined) return [folder];
  const below = folder.slice(`${archive}dists/`.length).split('/').slice(0, -1);
  return below
    .slice(0, DEEPEST_SUITE)
    .map((_, depth) => `${archive}dists/${below.slice(0, depth + 1).join('/')}/`)
    .filter((root) => isRoot(root, 'Release'));
}

/** `Packages.diff/Index` of a flat repository is listed beside `Packages`. */
const suiteFolder = (folder: string): string => (folder.endsWith('.diff/') ? folderOf(folder.slice(0, -1)) : folder);

const lastTwo = (path: string): string => path.split('/').slice(-2).join('/');

function pooled(path: string, file: string): ArtifactTarget {
  const type = BINARY.test(file) ? 'application/vnd.debian.binary-package' : 'application/octet-stream';
  return { kind: 'artifact', path, role: roleOf(path), type, listedAnywhere: true, ...releaseOf(file) };
}

/** As far as a file name says: where an index lists it, that knows better. */
function releaseOf(file: string): { readonly name?: string; readonly version?: string } {
  const [, name, version = ''] = BINARY_NAME.exec(file) ?? SOURCE_NAME.exec(file) ?? [];
  if (name === undefined) return {};
  return UPSTREAM_TARBALL.test(file) ? { name } : { name, version: version.replace(/%3a/i, ':') };
}

/** A type for what cannot be a web page: what comes as one in its place is refused. */
function plain(path: string): ArtifactTarget {
  const type = /\.(?:html?|txt)$/.test(path) ? {} : { type: 'application/octet-stream' };
  return { kind: 'artifact', path, role: /\.(?:asc|gpg|sig|sign)$/.test(path) ? 'signature' : 'metadata', ...type };
}
