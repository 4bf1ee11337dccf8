import {
  type Body,
  type IndexTarget,
  type Judge,
  Malformed,
  type RawDocument,
  type Release,
} from '../../engine/format.ts';
import { own, ownText, parseJson } from '../json.ts';
import { type Descriptor, fileOf, readDescriptors } from './descriptors.ts';
import { MANIFEST_TYPES } from './media-types.ts';
import { nextQuery } from './paging.ts';

/** What refers to a manifest: signatures, attestations, SBOMs. */
export interface Referrers {
  readonly kind: 'referrers';
  readonly name: string;
  readonly manifests: readonly Descriptor[];
  /** Query of the page that follows. */
  readonly next?: string;
}

/** Throws `Malformed`. An image under the name where the tag schema keeps the list is no list. */
export function readReferrers(raw: RawDocument, { name = '', path }: IndexTarget): Referrers {
  const json = parseJson(raw.bytes, `The list ${path}`);
  const found = own(json, 'manifests');
  const manifests = found === null || Array.isArray(own(json, 'layers')) ? [] : found;
  if (!Array.isArray(manifests)) throw new Malformed(`The list ${path} has no \`manifests\``);
  const next = nextQuery(raw);
  return {
    kind: 'referrers',
    name,
    manifests: unique(readDescriptors(manifests, `The list ${path}`)),
    ...(next !== undefined && { next }),
  };
}

export function* releasesOfReferrers({ name, manifests }: Referrers): Iterable<Release> {
  for (const each of manifests) yield { name, version: each.digest, files: [fileOf(name, each)] };
}

export function keepReferrers(doc: Referrers, judge: Judge): Referrers {
  const manifests = doc.manifests.filter((each) => judge(fileOf(doc.name, each).path) === undefined);
  return manifests.length === doc.manifests.length ? doc : { ...doc, manifests };
}

export function mergeReferrers(docs: readonly Referrers[]): Referrers {
  const [first] = docs as [Referrers, ...Referrers[]];
  return { ...first, manifests: unique(docs.flatMap(({ manifests }) => manifests)) };
}

/** Views: `referrers`, or with a colon and the `artifactType` that is wanted. */
export function encodeReferrers({ manifests }: Referrers, { view }: IndexTarget): Body {
  const wanted = view.includes(':') ? view.slice(view.indexOf(':') + 1) : undefined;
  const shown = manifests.filter(({ json }) => wanted === undefined || ownText(json, 'artifactType') === wanted);
  return {
    bytes: JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPES.index,
      manifests: shown.map(({ json }) => json),
    }),
    type: MANIFEST_TYPES.index,
    ...(wanted !== undefined && { headers: { 'oci-filters-applied': 'artifactType' } }),
  };
}

const unique = (manifests: readonly Descriptor[]): readonly Descriptor[] => [
  ...new Map(manifests.map((each) => [each.digest, each])).values(),
];
