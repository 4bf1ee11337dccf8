import type { Format, IndexTarget, RawDocument, Release, Target } from '../../engine/format.ts';
import { errorBody } from './errors.ts';
import { encodeList, keepEntries, type List, mergeLists, readList, releasesOfList } from './lists.ts';
import { type Manifest, readManifest, readTag, releaseOfTag, releasesOfManifest, type Tagged } from './manifest.ts';
import { digestOf, isDigest } from './names.ts';
import { pageOf } from './paging.ts';
import { namespacesOf, placesFor } from './places.ts';
import {
  encodeReferrers,
  keepReferrers,
  mergeReferrers,
  type Referrers,
  readReferrers,
  releasesOfReferrers,
} from './referrers.ts';
import { existence, manifest, manifestIndex, parseRequest, tags } from './targets.ts';

type Document = List | Manifest | Referrers | Tagged;

export const oci: Format<Document> = {
  id: 'oci',
  traits: {
    title: 'OCI',
    purl: 'oci',
    mount: 'oci',
    root: 'v2',
    tokens: true,
    upstream: { url: 'https://registry-1.docker.io' },
    evidence: 'none',
    signedIndexes: false,
    notes: [
      'The protocol says nothing of when a manifest became public; the times inside images are their authors’. A cooldown that names it counts from when a digest was first seen here, and serves what a tag was before.',
      'Manifests and blobs pass byte for byte and are verified by their digests; a tag is asked for again by `index_ttl`, with HEAD, which Docker Hub does not count.',
      'An image with layers that are kept elsewhere (`urls`) is refused, because clients would fetch them past this registry; so are manifests of schema 1.',
      'docker goes to Docker Hub after any error of a mirror in `registry-mirrors`, a refusal too: what must hold needs image names with this registry’s host, or no way out.',
      'Pushing is not offered.',
    ],
  },

  parse: (request) => parseRequest(request),
  locate: (target, { upstream }) => (target.kind === 'call' ? [] : placesFor(target, upstream)),
  roster: rosterOf,
  factsOf: (target) => (target.kind === 'artifact' && target.version !== undefined ? [manifestIndex(target)] : []),

  index: {
    decode,
    more: (doc, target) =>
      'next' in doc && doc.next !== undefined && target.view !== 'existence'
        ? [{ ...target, path: pageOf(target.path, doc.next) }]
        : [],
    releases,
    keep(doc, judge) {
      if (isList(doc)) return keepEntries(doc, judge);
      return doc.kind === 'referrers' ? keepReferrers(doc, judge) : doc;
    },
    unlisted: (doc, isLeftOut) =>
      doc.kind === 'catalog' ? { ...doc, entries: doc.entries.filter((name) => !isLeftOut(name)) } : doc,
    choose: (doc, select) => (doc.kind === 'tag' ? { ...manifest(doc.name, doc.digest), tag: select } : undefined),
    earlier: ({ name = '', tag }, version) => ({
      ...manifest(name, digestOf(version)),
      ...(tag !== undefined && { tag }),
    }),
    merge(docs) {
      const lists = docs.filter(isList);
      if (lists.length > 0) return mergeLists(lists);
      const referrers = docs.filter((doc) => doc.kind === 'referrers');
      return referrers.length > 0 ? mergeReferrers(referrers) : (docs[0] as Document);
    },
    encode(doc, target, site) {
      if (isList(doc)) return encodeList(doc, target, site);
      return doc.kind === 'referrers' ? encodeReferrers(doc, target) : undefined;
    },
  },

  headers(target, digest) {
    const named = target?.kind === 'artifact' ? target.digest : undefined;
    const known = named ?? (target?.kind === 'alias' ? digest : undefined);
    return {
      'docker-distribution-api-version': 'registry/2.0',
      ...(known !== undefined && { 'docker-content-digest': known }),
    };
  },
  purl: (name) => ({ name }),
  namespaces: (url) => namespacesOf(url),
  fault: errorBody,
};

/**
 * A tag or manifest that is there shows that the image is, and is needed anyway. One that is not does not give the image
 * away: an image of which there is any tag is owned, with the tags that it does not have.
 */
function rosterOf(name: string, near?: Target): readonly IndexTarget[] {
  const exists = existence(name);
  switch (near?.kind) {
    case 'alias':
      return [...near.of, exists];
    case 'artifact':
      return near.version === undefined ? [exists] : [manifestIndex(near), exists];
    case 'index':
      if (near.view.startsWith('tags')) return [near];
      if (near.view.startsWith(VERSION)) return [indexOfVersion(name, near.view.slice(VERSION.length)), exists];
      return near.view === 'tag' || near.view === 'manifest' ? [near, exists] : [exists];
    default:
      return [exists];
  }
}

const VERSION = 'version:';

/** A digest is described by its manifest; anything else can only be a tag. */
function indexOfVersion(name: string, version: string): IndexTarget {
  return isDigest(version) ? manifestIndex(manifest(name, version)) : tags(name);
}

function decode(raw: RawDocument, target: IndexTarget): Document {
  if (target.view === 'tag') return readTag(raw, target);
  if (target.view === 'manifest') return readManifest(raw, target);
  return target.view.startsWith('referrers') ? readReferrers(raw, target) : readList(raw, target);
}

function releases(doc: Document): Iterable<Release> {
  switch (doc.kind) {
    case 'tag':
      return [releaseOfTag(doc)];
    case 'manifest':
      return releasesOfManifest(doc);
    case 'referrers':
      return releasesOfReferrers(doc);
    default:
      return releasesOfList(doc);
  }
}

const isList = (doc: Document): doc is List => doc.kind === 'tags' || doc.kind === 'catalog';
