import type { AliasTarget, ArtifactTarget, Digest, IndexTarget, ProtocolRequest, Target } from '../../engine/format.ts';
import { MANIFEST_TYPES } from './media-types.ts';
import { countOf, digestOf, nameOf, tagOf } from './names.ts';

export const CATALOG = '_catalog';

const TAGS_LIST = '/tags/list';
/** Found from the right: an image may itself be called `manifests`. */
const REFERENCE = /^(.+)\/(manifests|blobs|referrers)\/([^/]+)$/s;

/** Throws `Malformed`. */
export function parseRequest({ method, path, query }: ProtocolRequest): Target | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  if (path === CATALOG) return { ...catalog, view: `catalog${pageAsked(query)}` };
  if (path.endsWith(TAGS_LIST)) {
    const name = path.slice(0, -TAGS_LIST.length);
    if (name === '') return undefined;
    const list = tags(nameOf(name));
    return { ...list, view: `tags${pageAsked(query)}`, sights: { first: list } };
  }
  const [, name, kind, reference = ''] = REFERENCE.exec(path) ?? [];
  if (name === undefined) return undefined;
  nameOf(name);
  if (kind === 'blobs') return blob(name, digestOf(reference));
  if (kind === 'referrers') return referrers(name, digestOf(reference), query);
  return reference.includes(':') ? manifest(name, digestOf(reference)) : tagged(name, tagOf(reference));
}

export const blob = (name: string, digest: Digest): ArtifactTarget => ({
  kind: 'artifact',
  path: blobPath(name, digest),
  name,
  role: 'metadata',
  digest,
  unlisted: true,
  part: `${name}/manifests/`,
  type: 'application/octet-stream',
});

export const manifest = (name: string, digest: Digest): ArtifactTarget => ({
  kind: 'artifact',
  path: manifestPath(name, digest),
  name,
  version: digest,
  role: 'package',
  digest,
  part: `${name}/manifests/`,
});

/** What a manifest is read as, before it is served. */
export const manifestIndex = (file: ArtifactTarget): IndexTarget => ({
  kind: 'index',
  path: file.path,
  ...(file.name === undefined ? {} : { name: file.name }),
  scope: 'package',
  view: 'manifest',
  partial: true,
  opaque: true,
  ...(file.digest === undefined ? {} : { digest: file.digest }),
  ...(file.name === undefined || file.version === undefined
    ? {}
    : { sights: { first: tags(file.name), carrier: file.version } }),
  file,
});

const tagged = (name: string, tag: string): AliasTarget => {
  const path = `${name}/manifests/${tag}`;
  const index = { kind: 'index', path, name, scope: 'package', view: 'tag', partial: true, opaque: true } as const;
  return { kind: 'alias', path, of: [{ ...index, sights: { first: tags(name) } }], select: tag };
};

export const tags = (name: string): IndexTarget => ({
  kind: 'index',
  path: `${name}${TAGS_LIST}`,
  name,
  scope: 'package',
  view: 'tags',
  partial: true,
});

/** One tag is enough to know that there is such an image, however many it has. */
export const existence = (name: string): IndexTarget => ({
  ...tags(name),
  path: `${name}${TAGS_LIST}?n=1`,
  view: 'existence',
});

const catalog: IndexTarget = { kind: 'index', path: CATALOG, scope: 'repository', view: 'catalog' };

/** Distribution spec, "Listing Referrers": what has none is answered with none, never 404. */
function referrers(name: string, digest: Digest, query: string): IndexTarget {
  const type = new URLSearchParams(query).get('artifactType');
  return {
    kind: 'index',
    path: `${name}/referrers/${digest}`,
    name,
    scope: 'package',
    view: type ? `referrers:${type}` : 'referrers',
    partial: true,
    sights: { first: tags(name), beside: digest },
    empty: {
      bytes: JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPES.index, manifests: [] }),
      type: MANIFEST_TYPES.index,
    },
  };
}

export const manifestPath = (name: string, digest: Digest): string => `${name}/manifests/${digest}`;

export const blobPath = (name: string, digest: Digest): string => `${name}/blobs/${digest}`;

/** Clients page through lists of ours; what they ask besides (`ns`) does not make another view. */
function pageAsked(query: string): string {
  const asked = new URLSearchParams(query);
  const page = new URLSearchParams();
  const n = asked.get('n');
  const last = asked.get('last');
  if (n) page.set('n', String(countOf(n)));
  if (last) page.set('last', last);
  return page.size === 0 ? '' : `?${page}`;
}
