import type { ArtifactTarget, DerivedTarget, IndexTarget, Role, Target } from '../../engine/format.ts';

export const METADATA = 'maven-metadata.xml';

/** As Maven's own model demands it; a group's dots are the slashes of its folder. */
const ID = /^[A-Za-z0-9_.-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a version must not have
const VERSION = /^[^\s/\\:"<>|?*[\](){},\x00-\x1f\x7f]{1,200}$/;
const SNAPSHOT = /(?:^|-)SNAPSHOT$/;
const SNAPSHOT_FOLDER = /[/-]SNAPSHOT\/[^/]+$/;
const OF_SNAPSHOT = { partial: true, unlisted: true };
/** What follows the version without `SNAPSHOT` in the name of a file that was deployed once: its moment and build number. */
const STAMPED = /^\d{8}\.\d{6}-\d+(?=[.-])/;
const BESIDE = /\.(?:sha1|sha256|sha512|md5|asc|sigstore(?:\.json)?)$/;
const OUTSIDE = /^(?:archetype-catalog\.xml|\.(?:index|meta)\/.+)$/;
const DERIVED: Readonly<Record<string, DerivedTarget['as']>> = {
  '.sha1': 'sha1',
  '.md5': 'md5',
  '.sha256': 'sha256',
  '.sha512': 'sha512',
  '.asc': 'signature',
  '.sigstore.json': 'signature',
};

const TYPES: readonly (readonly [RegExp, string])[] = [
  [/\.(?:sha1|sha256|sha512|md5)$/, 'text/plain'],
  [/\.asc$/, 'application/pgp-signature'],
  [/\.json$/, 'application/json'],
  [/\.(?:pom|xml)$/, 'application/xml'],
  [/\.module$/, 'application/vnd.org.gradle.module+json'],
  [/\.(?:jar|war|ear|aar)$/, 'application/java-archive'],
];

/** What is at a path of the Maven 2 layout; undefined when that is nothing. */
export function targetAt(path: string): Target | undefined {
  const folders = path.split('/');
  const file = folders.pop() ?? '';
  if (file.startsWith(METADATA)) return metadataAt(path, folders, file.slice(METADATA.length));
  return fileAt(path, folders, file) ?? outside(path);
}

/** The list of an artifact's versions; for a snapshot also that of its own files. */
export function rosterOf(name: string, near?: Target): readonly IndexTarget[] {
  const slash = name.lastIndexOf('/');
  const path = `${name.slice(0, slash).replaceAll('.', '/')}${name.slice(slash)}/${METADATA}`;
  const own = near?.path.replace(/[^/]*$/, METADATA) ?? path;
  const versions: IndexTarget = { kind: 'index', path, name, scope: 'package', view: 'xml' };
  return SNAPSHOT_FOLDER.test(own) ? [versions, { ...versions, path: own, ...OF_SNAPSHOT }] : [versions];
}

/** The group whose plugins it may be about: what is in that begins with it and a slash. */
export function groupsIn({ path }: IndexTarget): readonly string[] {
  const folders = path.split('/').slice(0, -1);
  return folders.length === 0 || isSnapshot(folders.at(-1) ?? '') ? [] : [`${folders.join('.')}/`];
}

export const isSnapshot = (version: string): boolean => SNAPSHOT.test(version);

/** Whether a version can be a folder's name. */
export const isVersion = (version: string): boolean => VERSION.test(version) && !/^\.{1,2}$/.test(version);

/** `1.0-SNAPSHOT` → `1.0-`: what the moment and build number follow. */
export const baseOf = (snapshot: string): string => snapshot.slice(0, -'SNAPSHOT'.length);

export function roleOf(path: string): Role {
  if (BESIDE.test(path)) return 'signature';
  return /\.(?:pom|module)$/.test(path) ? 'metadata' : 'package';
}

/** Where the upstream has the SHA-1 of a file that never changes. */
export function checksumOf(target: ArtifactTarget): ArtifactTarget | undefined {
  if (target.mutable || target.name === undefined || target.role === 'signature') return undefined;
  return { ...target, path: `${target.path}.sha1`, role: 'signature', type: 'text/plain' };
}

/** The list of a group's plugins has the same shape of path as an artifact's list of versions: `name` serves for both. */
function metadataAt(path: string, folders: readonly string[], suffix: string): Target | undefined {
  const snapshot = folders.length > 2 && isSnapshot(folders.at(-1) ?? '');
  const name = nameOf(snapshot ? folders.slice(0, -1) : folders);
  if (name === undefined && folders.length > 1) return undefined;
  const at = path.slice(0, path.length - suffix.length);
  const index: IndexTarget = {
    kind: 'index',
    path: at,
    view: 'xml',
    ...(name === undefined ? { scope: 'repository' } : { scope: 'package', name }),
    ...(snapshot && OF_SNAPSHOT),
  };
  if (suffix === '') return index;
  const as = Object.hasOwn(DERIVED, suffix) ? DERIVED[suffix] : undefined;
  return as && { kind: 'derived', path, of: index, as };
}

/** Whose file it is stands in its folders; its name must have the version in it (sbt leaves out a part of the artifact). */
function fileAt(path: string, folders: readonly string[], file: string): ArtifactTarget | undefined {
  const version = folders.at(-1) ?? '';
  const name = nameOf(folders.slice(0, -1));
  const base = isSnapshot(version) ? baseOf(version) : version;
  const at = file.indexOf(`-${base}`);
  const rest = file.slice(at + 1 + base.length);
  if (name === undefined || !isVersion(version) || at === -1) return undefined;
  if (isSnapshot(version)) {
    const stamped = STAMPED.test(rest);
    return { ...artifact(path), name, version, unlisted: true, ...(!stamped && { mutable: true }) };
  }
  return /^[.-]/.test(rest) ? { ...artifact(path), name, version, unlisted: true } : undefined;
}

function outside(path: string): ArtifactTarget | undefined {
  return OUTSIDE.test(path) ? { kind: 'artifact', path, role: 'metadata', mutable: true } : undefined;
}

/** A type for what cannot be a web page: what comes as one in its place is refused. */
function artifact(path: string): Pick<ArtifactTarget, 'kind' | 'path' | 'role' | 'type'> {
  const type = TYPES.find(([ending]) => ending.test(path))?.[1];
  const fallback = /\.(?:html?|xhtml|txt)$/.test(path) ? {} : { type: 'application/octet-stream' };
  return { kind: 'artifact', path, role: roleOf(path), ...(type === undefined ? fallback : { type }) };
}

/** `org`, `slf4j`, `slf4j-api` → `org.slf4j/slf4j-api`. */
function nameOf(folders: readonly string[]): string | undefined {
  const group = folders.slice(0, -1);
  const artifactId = folders.at(-1) ?? '';
  if (group.length === 0 || !folders.every((folder) => ID.test(folder))) return undefined;
  return group.some((folder) => folder.includes('.')) ? undefined : `${group.join('.')}/${artifactId}`;
}
