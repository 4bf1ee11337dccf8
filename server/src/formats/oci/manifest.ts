import { createHash } from 'node:crypto';
import {
  type Digest,
  HEADER_LINES,
  type IndexTarget,
  Malformed,
  type RawDocument,
  type Release,
} from '../../engine/format.ts';
import { type Json, own, ownText, parseJson } from '../json.ts';
import { type Descriptor, fileOf, readDescriptors, requireSpelling } from './descriptors.ts';
import { bareType, isIndexType, isManifestType, isSchema1, MANIFEST_TYPES } from './media-types.ts';
import { isDigest } from './names.ts';
import { manifestPath } from './targets.ts';

/** An image's manifest, or an index of several. */
export interface Manifest {
  readonly kind: 'manifest';
  readonly name: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly isIndex: boolean;
  /** Config and layers, or the manifests of an index; each once. */
  readonly parts: readonly Descriptor[];
}

/** What a tag names now. */
export interface Tagged {
  readonly kind: 'tag';
  readonly name: string;
  readonly tag: string;
  readonly digest: Digest;
}

/** Throws `Malformed`. */
export function readManifest(raw: RawDocument, { name = '', path, digest = sha256(raw.bytes) }: IndexTarget): Manifest {
  const what = `The manifest ${path}`;
  const json = parseJson(raw.bytes, what);
  requireSpelling(json, ['schemaVersion', 'mediaType', 'config', 'layers', 'manifests'], what);
  const isIndex = isIndexType(typeOf(json, raw.type, what));
  const parts = readDescriptors(isIndex ? childrenOf(json, what) : blobsOf(json, what), what);
  const unique = [...new Map(parts.map((part) => [part.digest, part])).values()].filter(
    (part) => part.digest !== digest,
  );
  return { kind: 'manifest', name, digest, size: raw.bytes.length, isIndex, parts: unique };
}

/** Of the headers by which an upstream answered HEAD, or of the manifest itself. Throws `Malformed`. */
export function readTag(raw: RawDocument, target: IndexTarget): Tagged {
  const { name = '', path } = target;
  const digest = raw.type === HEADER_LINES ? announced(raw, path) : readManifest(raw, target).digest;
  return { kind: 'tag', name, tag: path.slice(path.lastIndexOf('/') + 1), digest };
}

/** A manifest is a release, and so is each that an index names: their digests are their versions. */
export function* releasesOfManifest({ name, digest, size, isIndex, parts }: Manifest): Iterable<Release> {
  const foreign = parts.find(({ elsewhere }) => elsewhere !== undefined);
  const refused =
    foreign &&
    `${name} has ${isIndex ? 'a manifest' : 'a layer'} (${foreign.digest}) that is kept at ${foreign.elsewhere}, which clients would fetch past this registry`;
  const self = { path: manifestPath(name, digest), digest, size, ...(refused !== undefined && { refused }) };
  const files = parts.map((part) => fileOf(name, part));
  if (!isIndex) return yield { name, version: digest, files: [self, ...files] };
  yield { name, version: digest, files: [self] };
  for (const file of files) yield { name, version: file.digest ?? digest, files: [file] };
}

export function releaseOfTag({ name, tag, digest }: Tagged): Release {
  return { name, version: digest, tag, files: [{ path: manifestPath(name, digest), digest }] };
}

/** What the document says it is decides; what came with it must not say another. */
function typeOf(json: Json, contentType: string, what: string) {
  const sent = bareType(contentType);
  const said = ownText(json, 'mediaType');
  if (own(json, 'schemaVersion') === 1 || isSchema1(sent) || (said !== undefined && isSchema1(said)))
    throw new Malformed(`${what} is of schema 1, which is not passed on: its digest does not cover what it says`);
  if (said !== undefined && !isManifestType(said))
    throw new Malformed(`${what} is of type ${JSON.stringify(said.slice(0, 100))}, which is no manifest of an image`);
  if (isManifestType(sent) && said !== undefined && said !== sent)
    throw new Malformed(`${what} says that it is ${said}, and was sent as ${sent}`);
  if (said !== undefined) return said;
  if (isManifestType(sent)) return sent;
  return Array.isArray(own(json, 'manifests')) ? MANIFEST_TYPES.index : MANIFEST_TYPES.manifest;
}

/** Image spec 1.0.2: a document that could be read as both is refused, because readers would not agree on what it says. */
function childrenOf(json: Json, what: string): readonly unknown[] {
  const manifests = listIn(json, 'manifests');
  if (!Array.isArray(manifests) || own(json, 'layers') !== undefined)
    throw new Malformed(`${what} is an index without \`manifests\`, or with \`layers\``);
  return manifests;
}

function blobsOf(json: Json, what: string): readonly unknown[] {
  const config = own(json, 'config');
  const layers = listIn(json, 'layers');
  if (config === undefined || !Array.isArray(layers) || own(json, 'manifests') !== undefined)
    throw new Malformed(`${what} is a manifest without \`config\` and \`layers\`, or with \`manifests\``);
  return [config, ...layers];
}

/** What a client written in Go has when there is nothing in it. */
const listIn = (json: Json, key: string): unknown => (own(json, key) === null ? [] : own(json, key));

function announced(raw: RawDocument, path: string): Digest {
  const [, digest = ''] = /^docker-content-digest:[ \t]*(\S+)[ \t]*$/im.exec(new TextDecoder().decode(raw.bytes)) ?? [];
  if (!isDigest(digest)) throw new Malformed(`The upstream says no digest of ${path}`);
  return digest;
}

const sha256 = (bytes: Uint8Array): Digest => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
