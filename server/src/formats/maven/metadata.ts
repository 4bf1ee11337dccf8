import type { Element } from '@xmldom/xmldom';
import type { Body, IndexTarget, Judge, RawDocument, Release, ReleaseFile } from '../../engine/format.ts';
import { standIn } from '../stand-in.ts';
import { baseOf, isSnapshot, isVersion, METADATA, roleOf } from './layout.ts';
import { compareVersions, mavenOrder } from './versions.ts';
import { child, children, create, ensure, fill, parseXml, remove, serialized, textOf } from './xml.ts';

/** A `maven-metadata.xml`: of an artifact (its versions), of one snapshot version (its files), of a group (its plugins). */
export interface Metadata {
  readonly name: string | undefined;
  /** Where it lies, without a slash at the end. */
  readonly folder: string;
  readonly text: string;
  /** As the upstream sent it, while nothing in it was changed. */
  readonly bytes?: Uint8Array;
  readonly releases: readonly Release[];
}

/** Throws `Malformed`. */
export function decodeMetadata({ bytes }: RawDocument, { path, name }: IndexTarget): Metadata {
  const folder = path.slice(0, -METADATA.length - 1);
  return { ...read(new TextDecoder().decode(bytes), folder, name), bytes };
}

export function encodeMetadata({ bytes, text }: Metadata): Body {
  return { bytes: bytes ?? text, type: 'application/xml' };
}

export function keepFiles(doc: Metadata, judge: Judge): Metadata {
  const gone = new Set<string>();
  for (const { path } of doc.releases.flatMap(({ files }) => files)) if (judge(path)) gone.add(path);
  if (gone.size === 0) return doc;
  return edited(doc, (root) => {
    if (isSnapshotFolder(doc)) dropSnapshotFiles(doc, child(root, 'versioning'), gone);
    else dropVersions(doc, root, gone);
  });
}

/** Versions and plugins of all; of one snapshot version the build that is newest, whole. */
export function mergeMetadata(docs: readonly Metadata[]): Metadata {
  const [first, ...rest] = docs as [Metadata, ...Metadata[]];
  if (isSnapshotFolder(first)) {
    return docs.reduce((newest, doc) => (lastUpdated(doc) > lastUpdated(newest) ? doc : newest));
  }
  return rest.reduce(merged, first);
}

function read(text: string, folder: string, name: string | undefined): Metadata {
  const root = rootOf(text, folder);
  const versioning = child(root, 'versioning');
  const doc = { name, folder, text };
  if (name === undefined) return { ...doc, releases: [] };
  if (isSnapshotFolder(doc)) return { ...doc, releases: snapshotRelease(folder, name, versioning) };
  const listed = [...versionsOf(versioning), ...pointersOf(root)].map(textOf);
  const versions = [...new Set(listed)].filter(isVersion);
  return { ...doc, releases: versions.map((version) => ({ name, version, files: [pomOf(folder, version)] })) };
}

/** It names no file; a client can do nothing with a version without its pom. */
function pomOf(folder: string, version: string): ReleaseFile {
  const path = `${folder}/${version}/${lastOf(folder)}-${version}.pom`;
  return { path, role: roleOf(path) };
}

function snapshotRelease(folder: string, name: string, versioning: Element | undefined): readonly Release[] {
  const files = snapshotFiles(folder, versioning).map(({ file }) => file);
  const unique = [...new Map(files.map((file) => [file.path, file])).values()];
  return unique.length === 0 ? [] : [{ name, version: lastOf(folder), files: unique }];
}

/** Its newest file of each kind; only the pom where an old client deployed it, which did not list them. */
function snapshotFiles(
  folder: string,
  versioning: Element | undefined,
): readonly { readonly file: ReleaseFile; readonly element: Element }[] {
  const stem = lastOf(folder.slice(0, folder.lastIndexOf('/')));
  const listed = children(child(versioning, 'snapshotVersions'), 'snapshotVersion').flatMap((element) => {
    const [classifier, extension, value, updated] = ['classifier', 'extension', 'value', 'updated'].map((name) =>
      textOf(child(element, name)),
    ) as [string, string, string, string];
    const path = `${folder}/${stem}-${value}${classifier && `-${classifier}`}.${extension}`;
    const isFile = isVersion(value) && isVersion(extension) && (classifier === '' || isVersion(classifier));
    return isFile && belongs(value, folder)
      ? [{ file: { path, role: roleOf(path), ...deployed(updated) }, element }]
      : [];
  });
  const snapshot = child(versioning, 'snapshot');
  if (listed.length > 0 || !snapshot) return listed;
  const [timestamp, build] = [textOf(child(snapshot, 'timestamp')), textOf(child(snapshot, 'buildNumber'))];
  const value = timestamp && build ? `${baseOf(lastOf(folder))}${timestamp}-${build}` : lastOf(folder);
  const path = `${folder}/${stem}-${value}.pom`;
  const file = { path, role: roleOf(path), ...deployed(timestamp.replace('.', '')) };
  return isVersion(value) ? [{ file, element: snapshot }] : [];
}

const belongs = (value: string, folder: string): boolean => value.startsWith(baseOf(lastOf(folder)));

/** `yyyyMMddHHmmss`, UTC, by the clock of who deployed it. */
function deployed(moment: string): Pick<ReleaseFile, 'published'> {
  const iso = moment.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3T$4:$5:$6Z');
  const at = iso === moment ? Number.NaN : Date.parse(iso);
  return Number.isNaN(at) ? {} : { published: { at, by: 'author' } };
}

function dropVersions(doc: Metadata, root: Element, gone: ReadonlySet<string>): void {
  const versioning = child(root, 'versioning');
  const isGone = (version: string) => gone.has(pomOf(doc.folder, version).path);
  for (const element of versionsOf(versioning)) if (isGone(textOf(element))) remove(element);
  const left = versionsOf(versioning).map(textOf).filter(isVersion);
  const released = left.filter((version) => !isSnapshot(version));
  for (const pointer of pointersOf(root)) {
    if (!isGone(textOf(pointer))) continue;
    const next = standIn(textOf(pointer), pointer.localName === 'release' ? released : left, mavenOrder);
    if (next === undefined) remove(pointer);
    else pointer.textContent = next;
  }
}

/** `snapshot` names the newest build, and is what clients take for files that are not listed. */
function dropSnapshotFiles(doc: Metadata, versioning: Element | undefined, gone: ReadonlySet<string>): void {
  const files = snapshotFiles(doc.folder, versioning);
  for (const { file, element } of files) if (gone.has(file.path)) remove(element);
  const left = files.flatMap(({ file, element }) => (gone.has(file.path) ? [] : (buildOf(doc.folder, element) ?? [])));
  const snapshot = child(versioning, 'snapshot');
  const [timestamp, number] = [child(snapshot, 'timestamp'), child(snapshot, 'buildNumber')];
  if (left.some((build) => build.timestamp === textOf(timestamp) && build.number === textOf(number))) return;
  const newest = left.toSorted((one, other) => Number(other.number) - Number(one.number))[0];
  if (!newest || !timestamp || !number) return remove(snapshot);
  timestamp.textContent = newest.timestamp;
  number.textContent = newest.number;
  ensure(versioning as Element, 'lastUpdated').textContent = newest.timestamp.replace('.', '');
}

/** Of the name that a file was deployed under: `1.1-20261121.144808-3`. */
function buildOf(folder: string, snapshotVersion: Element) {
  const stamp = textOf(child(snapshotVersion, 'value')).slice(baseOf(lastOf(folder)).length);
  const [, timestamp, number] = /^(\d{8}\.\d{6})-(\d+)$/.exec(stamp) ?? [];
  return timestamp === undefined || number === undefined ? undefined : { timestamp, number };
}

function merged(base: Metadata, other: Metadata): Metadata {
  const theirs = rootOf(other.text, other.folder);
  const known = new Set(versionsOf(child(rootOf(base.text, base.folder), 'versioning')).map(textOf));
  const added = other.releases.map(({ version }) => version).filter((version) => !known.has(version));
  const prefixes = new Set(pluginsOf(rootOf(base.text, base.folder)).map(prefixOf));
  const plugins = pluginsOf(theirs).filter((plugin) => !prefixes.has(prefixOf(plugin)));
  const isNewer = lastUpdated(other) > lastUpdated(base);
  if (added.length === 0 && plugins.length === 0 && !isNewer) return base;
  return edited(base, (root) => {
    if (plugins.length > 0) fill(ensure(root, 'plugins'), [...pluginsOf(root), ...plugins]);
    if (added.length === 0 && !isNewer) return;
    const versioning = ensure(root, 'versioning');
    for (const name of ['latest', 'release']) raise(versioning, name, child(theirs, 'versioning'), compareVersions);
    if (added.length > 0) addVersions(ensure(versioning, 'versions'), added);
    raise(versioning, 'lastUpdated', child(theirs, 'versioning'), (left, right) => Number(left) - Number(right));
  });
}

function addVersions(versions: Element, added: readonly string[]): void {
  const all = [...children(versions, 'version'), ...added.map((version) => create(versions, 'version', version))];
  fill(
    versions,
    all.toSorted((left, right) => compareVersions(textOf(left), textOf(right))),
  );
}

/** To theirs where that is more. */
function raise(
  versioning: Element,
  name: string,
  theirs: Element | undefined,
  compare: (left: string, right: string) => number,
): void {
  const [ours, other] = [textOf(child(versioning, name)), textOf(child(theirs, name))];
  if (other !== '' && (ours === '' || compare(other, ours) > 0)) ensure(versioning, name).textContent = other;
}

function edited(doc: Metadata, edit: (root: Element) => void): Metadata {
  const root = rootOf(doc.text, doc.folder);
  edit(root);
  return read(serialized(root), doc.folder, doc.name);
}

const rootOf = (text: string, folder: string): Element => parseXml(text, 'metadata', `${METADATA} of ${folder}`);

const versionsOf = (versioning: Element | undefined) => children(child(versioning, 'versions'), 'version');

/** What names one version of all; old clients wrote the last one at the root too. */
const pointersOf = (root: Element): readonly Element[] => {
  const versioning = child(root, 'versioning');
  return [child(versioning, 'latest'), child(versioning, 'release'), child(root, 'version')].flatMap(
    (each) => each ?? [],
  );
};

const pluginsOf = (root: Element) => children(child(root, 'plugins'), 'plugin');

const prefixOf = (plugin: Element) => textOf(child(plugin, 'prefix'));

const lastUpdated = ({ text, folder }: Metadata) =>
  textOf(child(child(rootOf(text, folder), 'versioning'), 'lastUpdated'));

const lastOf = (folder: string): string => folder.slice(folder.lastIndexOf('/') + 1);

const isSnapshotFolder = ({ name, folder }: Pick<Metadata, 'name' | 'folder'>): boolean =>
  name !== undefined && isSnapshot(lastOf(folder)) && folder.split('/').length > 2;
