import { type IndexTarget, Malformed, type RawDocument, type Release, type ReleaseFile } from '../../engine/format.ts';
import { isJson, type Json, own, ownText, parseJson } from '../json.ts';
import { semverOrder } from '../semver-order.ts';
import { repairTags } from './dist-tags.ts';
import { digestOf } from './integrity.ts';
import { attestationsPath, baseName, tarballPath } from './names.ts';

/** The upstream's full document, and beside it what each of its versions has for download. */
export interface Packument {
  readonly name: string;
  readonly json: Json;
  readonly tags: Readonly<Record<string, string>>;
  readonly versions: ReadonlyMap<string, Manifest>;
}

export interface Manifest {
  readonly json: Json;
  readonly tarball: ReleaseFile;
  readonly attestations?: ReleaseFile;
}

/** Versions that cannot be downloaded (no `dist`, no usable `tarball`, an impossible number) are left out. Throws `Malformed`. */
export function decodePackument(raw: RawDocument, target: IndexTarget): Packument {
  const asked = target.name ?? target.path;
  const what = `The packument of ${asked}`;
  const json = parseJson(raw.bytes, what);
  const name = own(json, 'name') ?? asked;
  if (name !== asked) throw new Malformed(`${what} is about another package, ${JSON.stringify(name).slice(0, 80)}`);
  const listed = own(json, 'versions') ?? (isUnpublished(json) ? {} : undefined);
  if (!isJson(listed)) throw new Malformed(`${what} has no versions`);
  const versions = manifests(asked, listed, json, raw.url);
  return { name: asked, json, tags: repairTags(tagsOf(json), versions), versions };
}

const VERSION = /^v?\d[A-Za-z0-9._+~-]*$/;

export function* releasesOf(doc: Packument): Iterable<Release> {
  for (const [version, { tarball, attestations }] of doc.versions) {
    yield { name: doc.name, version, files: attestations ? [tarball, attestations] : [tarball] };
  }
}

export function mergePackuments(docs: readonly Packument[]): Packument {
  const [first, ...rest] = docs as [Packument, ...Packument[]];
  if (rest.length === 0) return first;
  const versions = new Map(first.versions);
  const taken = new Set([...versions.values()].map((manifest) => manifest.tarball.path));
  for (const [version, manifest] of rest.flatMap((doc) => [...doc.versions])) {
    if (versions.has(version) || taken.has(manifest.tarball.path)) continue;
    taken.add(manifest.tarball.path);
    versions.set(version, manifest);
  }
  const time = Object.fromEntries(docs.toReversed().flatMap((doc) => Object.entries(timeOf(doc))));
  return { ...first, json: { ...first.json, time }, versions };
}

export function timeOf(doc: Packument): Json {
  const time = own(doc.json, 'time');
  return isJson(time) ? time : {};
}

function isUnpublished(json: Json): boolean {
  const time = own(json, 'time');
  return isJson(time) && isJson(own(time, 'unpublished'));
}

function tagsOf(json: Json): Record<string, string> {
  const tags = own(json, 'dist-tags');
  const entries = isJson(tags) ? Object.entries(tags) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function manifests(name: string, listed: Json, json: Json, from: string): Map<string, Manifest> {
  const times = own(json, 'time');
  const found = new Map<string, Manifest>();
  const taken = new Set<string>();
  for (const [version, manifest] of Object.entries(listed)) {
    const dist = isJson(manifest) ? own(manifest, 'dist') : undefined;
    const url = isJson(dist) ? absolute(ownText(dist, 'tarball'), from) : undefined;
    const path = url && freePath(name, version, url, listed, taken);
    if (!isJson(manifest) || !isJson(dist) || !url || !path || !VERSION.test(version)) continue;
    taken.add(path);
    const published = publishedAt(isJson(times) ? ownText(times, version) : undefined);
    const digest = digestOf(dist);
    const tarball: ReleaseFile = { path, url: url.href, ...(digest && { digest }), ...published };
    const attestations = attestationsOf(name, version, dist, from, published);
    found.set(version, { json: about(name, version, manifest), tarball, ...(attestations && { attestations }) });
  }
  return found;
}

/** Clients go by the name and version inside a manifest, policy by those that it is listed under: they are made the same. */
function about(name: string, version: string, manifest: Json): Json {
  const said = ownText(manifest, 'version') ?? '';
  const isMeant = said === version || (semverOrder.canonical(said) ?? said) === semverOrder.canonical(version);
  return isMeant && own(manifest, 'name') === name
    ? manifest
    : { ...manifest, _id: `${name}@${version}`, name, version };
}

function attestationsOf(name: string, version: string, dist: Json, from: string, published: object) {
  const attestations = own(dist, 'attestations');
  const url = isJson(attestations) ? absolute(ownText(attestations, 'url'), from) : undefined;
  return url && { path: attestationsPath(name, version), url: url.href, role: 'signature' as const, ...published };
}

/**
 * The upstream's own file name, else `<name>-<version>.tgz`. Two versions must not share a path, nor one take what is
 * another's by convention: the file of one would be judged by the age of the other.
 */
function freePath(
  name: string,
  version: string,
  url: URL,
  listed: Json,
  taken: ReadonlySet<string>,
): string | undefined {
  const prefix = `${baseName(name)}-`;
  const theirs = conventionalFile(name, url) ?? '';
  const owner = theirs.slice(prefix.length, -'.tgz'.length);
  const isOthers = theirs.startsWith(prefix) && owner !== version && Object.hasOwn(listed, owner);
  const files = [isOthers ? '' : theirs, `${prefix}${version}.tgz`].filter(isFileName);
  return files.map((file) => tarballPath(name, file)).find((path) => !taken.has(path));
}

function conventionalFile(name: string, url: URL): string | undefined {
  const path = decode(url.pathname);
  const at = path?.lastIndexOf(`/${name}/-/`) ?? -1;
  return path === undefined || at === -1 ? undefined : path.slice(at + name.length + 4);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a file name must not have
const isFileName = (file: string): boolean => /^[^/\\\x00-\x1f\x7f]{1,300}\.(tgz|tar\.gz)$/.test(file);

function absolute(text: string | undefined, from: string): URL | undefined {
  const url = text ? URL.parse(text, from) : null;
  return url && /^https?:$/.test(url.protocol) ? url : undefined;
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function publishedAt(time: string | undefined): Pick<ReleaseFile, 'published'> {
  const at = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(at) ? {} : { published: { at, by: 'server' } };
}
