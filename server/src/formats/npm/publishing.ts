import semver from 'semver';
import validateName from 'validate-npm-package-name';
import {
  type ArtifactTarget,
  type Body,
  type Change,
  type HostedFile,
  type HostedPackage,
  Malformed,
  type NewFile,
  type ProtocolRequest,
  type Publication,
  Refused,
  type Sent,
  type SentFile,
} from '../../engine/format.ts';
import { isJson, type Json, own, ownText } from '../json.ts';
import { provenanceOf } from './bundle.ts';
import { attestationsPath, baseName, isName, splitName, tarballPath } from './names.ts';
import { FULL_TYPE } from './views.ts';

/** What we keep of a package: of its releases their manifests, in the metadata of their tarballs. */
export interface Kept {
  readonly tags: Readonly<Record<string, string>>;
  readonly readme?: string;
  readonly maintainers?: unknown;
}

/** Bytes of a document besides its tarballs: manifests, a readme, a Sigstore bundle; a whole packument when it is edited. */
const DOCUMENT = 32 * 1024 * 1024;
const TAGS = /^-\/package\/(.+)\/dist-tags(?:\/([^/]+))?\/?$/;
const REVISION = /^(.*?)\/-rev\/([^/]+)$/;
const MOST_TAG = 200;

/** Every request with which clients publish, deprecate, tag and unpublish. Throws `Malformed`. */
export function receive({ method, path: sent }: ProtocolRequest): Publication | undefined {
  const path = sent.replace(/\/$/, '');
  const [, name, tag] = TAGS.exec(path) ?? [];
  if (name !== undefined && isName(name)) return tag === undefined ? undefined : tagging(method, name, tag);
  return ofPackage(method, path);
}

function ofPackage(method: string, path: string): Publication | undefined {
  const [, revised = path, revision] = REVISION.exec(path) ?? [];
  const split = splitName(revised);
  if (!split) {
    if (method !== 'PUT' || path.startsWith('-/')) return undefined;
    throw new Malformed(`${JSON.stringify(path.slice(0, 80))} is not a valid npm package name`);
  }
  const { name, rest } = split;
  if (rest === '' && method === 'PUT') return document(name, revision);
  if (method !== 'DELETE' || revision === undefined) return undefined;
  if (rest === '') return removal(name, revision, () => true);
  return rest.startsWith('-/') ? removal(name, revision, ({ path: file }) => file === revised) : undefined;
}

export const revisionOf = (before: Pick<HostedPackage, 'name' | 'revision'>): string =>
  `${before.revision}-${Buffer.from(before.name).toString('hex').slice(0, 16)}`;

export const keptOf = (before: Pick<HostedPackage, 'document'> | undefined): Kept =>
  (before?.document as Kept | undefined) ?? { tags: {} };

/** Tarballs that are there, by version. */
export function tarballsOf(before: Pick<HostedPackage, 'files'> | undefined): ReadonlyMap<string, HostedFile> {
  const there = before?.files.filter(({ role, removedAt }) => role === 'package' && removedAt === undefined) ?? [];
  return new Map(there.flatMap((file) => (file.version === undefined ? [] : [[file.version, file]])));
}

/** A tarball makes it a publication; without one it edits what is there. */
function document(name: string, revision: string | undefined): Publication {
  return {
    kind: 'change',
    body: {
      shape: 'json',
      limit: DOCUMENT,
      isFile: ([first, file, last, ...more]) =>
        first === '_attachments' && last === 'data' && more.length === 0 && isTarball(file ?? ''),
      hashes: ['sha1', 'sha512'],
    },
    package: (sent) => named(sent, name),
    change(sent, before) {
      const body = sent.json as Json;
      return sent.files.length > 0 ? publish(name, body, sent, before) : edit(name, body, revision, before);
    },
  };
}

const isTarball = (file: string): boolean => /\.(?:tgz|tar\.gz)$/.test(file);

function named({ json }: Sent, name: string): string {
  if (!isJson(json)) throw new Malformed('What was sent is JSON but not a package');
  const said = ownText(json, 'name') ?? ownText(json, '_id');
  if (said !== name) throw new Malformed(`What was sent is of ${JSON.stringify(said)?.slice(0, 100)}, not of ${name}`);
  return name;
}

function publish(name: string, body: Json, { files }: Sent, before: HostedPackage | undefined): Change {
  requireNewName(name, before);
  const [tarball, ...others] = files;
  if (!tarball || others.length > 0) throw new Malformed('A release of a package has one tarball');
  const { version, manifest } = manifestOf(name, body, tarball);
  const attested = attestations(name, version, body, tarball);
  const target: ArtifactTarget = {
    kind: 'artifact',
    path: tarballPath(name, `${baseName(name)}-${version}.tgz`),
    name,
    version,
    role: 'package',
    type: 'application/octet-stream',
  };
  const metadata = { manifest, ...(attested && { provenance: attested.predicateType }) };
  const kept = keptOf(before);
  const readme = ownText(body, 'readme') ?? ownText(versionIn(body, version), 'readme') ?? kept.readme;
  const tags = { ...kept.tags, ...tagsIn(body, version) };
  const next: Kept = {
    ...kept,
    tags: { ...tags, latest: tags['latest'] ?? version },
    ...(readme !== undefined && { readme }),
  };
  return {
    files: [{ target, from: tarball, metadata }, ...(attested ? [attested.file] : [])],
    document: next,
    answer: done(201),
  };
}

/** Names that were taken before today's rules go on; new ones follow them. */
function requireNewName(name: string, before: HostedPackage | undefined): void {
  if (before) return;
  const { validForNewPackages, errors = [], warnings = [] } = validateName(name);
  if (!validForNewPackages)
    throw new Malformed(`${JSON.stringify(name)} cannot be a new package: ${[...errors, ...warnings].join(', ')}`);
}

const versionIn = (body: Json, version: string): Json => {
  const versions = own(body, 'versions');
  const found = isJson(versions) ? own(versions, version) : undefined;
  return isJson(found) ? found : {};
};

/** What the client says of the tarball is checked against its bytes; where it is served is ours to say. */
function manifestOf(
  name: string,
  body: Json,
  tarball: SentFile,
): { readonly version: string; readonly manifest: Json } {
  const versions = own(body, 'versions');
  const all = isJson(versions) ? Object.keys(versions) : [];
  const version = all.length === 1 ? all[0] : all.find((each) => tarball.part === `${name}-${each}.tgz`);
  if (version === undefined) throw new Malformed(`What was sent does not say of which version ${tarball.part} is`);
  const manifest = versionIn(body, version);
  if (!/^\d/.test(version) || semver.parse(version)?.raw !== version)
    throw new Malformed(`${JSON.stringify(version.slice(0, 100))} is not a version (semver.org)`);
  if (ownText(manifest, 'name') !== name || ownText(manifest, 'version') !== version)
    throw new Malformed(`The manifest is not of ${name} ${version}`);
  const { readme: _, dist, ...rest } = manifest;
  return { version, manifest: { ...rest, dist: distOf(isJson(dist) ? dist : {}, tarball) } };
}

function distOf({ tarball: _, ...said }: Json, { hashes, part }: SentFile): Json {
  const { sha1 = '', sha512 = '' } = hashes;
  const integrity = `sha512-${Buffer.from(sha512, 'hex').toString('base64')}`;
  const announced = ownText(said, 'integrity')
    ?.split(/\s+/)
    .find((each) => each.startsWith('sha512-'));
  if (announced !== undefined && announced.replace(/\?.*/, '') !== integrity)
    throw new Malformed(`${part} does not have the integrity that its manifest says`);
  const shasum = ownText(said, 'shasum');
  if (shasum !== undefined && shasum.toLowerCase() !== sha1)
    throw new Malformed(`${part} does not have the shasum that its manifest says`);
  return { ...said, integrity, shasum: sha1 };
}

function attestations(name: string, version: string, body: Json, tarball: SentFile) {
  const attached = own(body, '_attachments');
  const bundles = isJson(attached) ? Object.entries(attached).filter(([file]) => !isTarball(file)) : [];
  const [bundle, ...others] = bundles;
  if (bundle === undefined) return undefined;
  if (others.length > 0 || !bundle[0].endsWith('.sigstore') || !isJson(bundle[1]))
    throw new Malformed(`${bundle[0].slice(0, 100)} is neither a tarball nor a Sigstore bundle`);
  const { predicateType, bytes } = provenanceOf(ownText(bundle[1], 'data') ?? '', tarball.hashes['sha512'] ?? '');
  const path = attestationsPath(name, version);
  const type = FULL_TYPE;
  const target: ArtifactTarget = { kind: 'artifact', path, name, version, role: 'signature', mutable: true, type };
  const file: NewFile = { target, from: { bytes } };
  return { predicateType, file };
}

function tagsIn(body: Json, version: string): Record<string, string> {
  const tags = own(body, 'dist-tags');
  const entries = isJson(tags) ? Object.entries(tags) : [];
  return Object.fromEntries(
    entries.flatMap(([tag, value]) => (value === version ? [[requireTag(tag), version] as const] : [])),
  );
}

/** A whole packument as it was read here, changed: only what may change is taken of it. */
function edit(name: string, body: Json, revision: string | undefined, before: HostedPackage | undefined): Change {
  const there = tarballsOf(before);
  if (!before || there.size === 0) throw new Refused('not_found', `There is no ${name} to change`);
  requireRevision(revision ?? ownText(body, '_rev'), before);
  const versions = own(body, 'versions');
  if (!isJson(versions)) throw new Malformed('What was sent has no versions');
  const added = Object.keys(versions).find((version) => !there.has(version));
  if (added !== undefined) throw new Malformed(`${name} ${added.slice(0, 100)} is published with its tarball`);
  const metadata = new Map<string, unknown>();
  for (const [version, file] of there) {
    if (!Object.hasOwn(versions, version)) continue;
    const changed = deprecated(file, ownText(versionIn(body, version), 'deprecated'));
    if (changed) metadata.set(file.path, changed);
  }
  const gone = revision === undefined ? [] : [...there.keys()].filter((version) => !Object.hasOwn(versions, version));
  const left = new Set([...there.keys()].filter((version) => !gone.includes(version)));
  const tags = own(body, 'dist-tags');
  const maintainers = own(body, 'maintainers');
  return {
    metadata,
    removed: gone.flatMap((version) => filesOf(before, version)),
    document: {
      ...keptOf(before),
      ...(isJson(tags) && { tags: allTags(name, tags, left) }),
      ...(Array.isArray(maintainers) && { maintainers }),
    },
    answer: done(200),
  };
}

/** An empty text takes it back. */
function deprecated(file: HostedFile, message: string | undefined): unknown {
  const metadata = file.metadata as { readonly manifest: Json };
  const { deprecated: was, ...manifest } = metadata.manifest;
  const now = message === undefined || message === '' ? undefined : message;
  if (was === now) return undefined;
  return { ...metadata, manifest: now === undefined ? manifest : { ...manifest, deprecated: now } };
}

function allTags(name: string, tags: Json, versions: ReadonlySet<string>): Kept['tags'] {
  return Object.fromEntries(
    Object.entries(tags).map(([tag, version]) => {
      if (typeof version !== 'string' || !versions.has(version))
        throw new Malformed(`${name} has no ${String(version).slice(0, 100)} to tag as ${tag.slice(0, MOST_TAG)}`);
      return [requireTag(tag), version];
    }),
  );
}

function removal(name: string, revision: string, isMeant: (file: HostedFile) => boolean): Publication {
  return {
    kind: 'change',
    body: { shape: 'none' },
    package: () => name,
    change(_, before) {
      const meant = before?.files.filter(isMeant) ?? [];
      if (!before || meant.length === 0) throw new Refused('not_found', `There is no such release of ${name}`);
      requireRevision(revision, before);
      const versions = new Set(meant.flatMap(({ version }) => version ?? []));
      const removed = [...versions].flatMap((version) => filesOf(before, version));
      const kept = keptOf(before);
      const tags = Object.entries(kept.tags).filter(([, version]) => !versions.has(version));
      const there = tarballsOf(before);
      const left = [...there.keys()].filter((version) => !versions.has(version));
      const latest = semver.rsort(left)[0];
      const next = latest === undefined ? {} : { latest, ...Object.fromEntries(tags) };
      return { removed, document: { ...kept, tags: next }, answer: done(200) };
    },
  };
}

function tagging(method: string, name: string, tag: string): Publication | undefined {
  if (method !== 'PUT' && method !== 'POST' && method !== 'DELETE') return undefined;
  requireTag(tag);
  const removes = method === 'DELETE';
  return {
    kind: 'change',
    body: removes ? { shape: 'none' } : { shape: 'json', limit: 10_000 },
    package: () => name,
    change({ json: version }, before) {
      const kept = keptOf(before);
      const there = tarballsOf(before);
      if (there.size === 0) throw new Refused('not_found', `There is no ${name}`);
      if (!removes) {
        if (typeof version !== 'string' || !there.has(version))
          throw new Refused('not_found', `${name} has no version ${JSON.stringify(version)?.slice(0, 100)} to tag`);
        return { document: { ...kept, tags: { ...kept.tags, [tag]: version } }, answer: done(201) };
      }
      if (tag === 'latest')
        throw new Refused('conflict', `${name} always has the tag latest: move it to another version`);
      if (!Object.hasOwn(kept.tags, tag)) throw new Refused('not_found', `${name} has no tag ${tag}`);
      const { [tag]: _, ...tags } = kept.tags;
      return { document: { ...kept, tags }, answer: done(200) };
    },
  };
}

/** What is there of a version. */
const filesOf = (before: HostedPackage, version: string): readonly string[] =>
  before.files.flatMap((file) => (file.version === version && file.removedAt === undefined ? [file.path] : []));

function requireRevision(said: string | undefined, before: HostedPackage): void {
  if (said !== undefined && said !== revisionOf(before))
    throw new Refused(
      'conflict',
      `${before.name} was changed meanwhile: it is at ${revisionOf(before)}, not at ${said}`,
    );
}

/** A tag must not be mistaken for a version or a range of them. */
function requireTag(tag: string): string {
  const isUsable = tag.length <= MOST_TAG && encodeURIComponent(tag) === tag && semver.validRange(tag) === null;
  if (!isUsable) throw new Malformed(`${JSON.stringify(tag.slice(0, MOST_TAG))} cannot be a tag`);
  return tag;
}

const done = (status: number): Body => ({ bytes: '{"ok":true,"success":true}', type: FULL_TYPE, status });
