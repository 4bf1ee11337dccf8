import { type Digest, Malformed, type ReleaseFile } from '../../engine/format.ts';
import { isJson, type Json, own, ownText } from '../json.ts';
import { bareType, isManifestType } from './media-types.ts';
import { isDigest } from './names.ts';
import { blobPath, manifestPath } from './targets.ts';

/** What a manifest says of a blob or of another manifest. */
export interface Descriptor {
  readonly json: Json;
  readonly digest: Digest;
  readonly size?: number;
  /** Bare and in lower case; empty where it is not given. */
  readonly type: string;
  /** Where else clients would fetch it, going past us. */
  readonly elsewhere?: string;
}

/** One whose digest is of a kind that nobody could ask us for is passed over. `what` begins the sentence. Throws `Malformed`. */
export function readDescriptors(values: readonly unknown[], what: string): readonly Descriptor[] {
  return values.flatMap((value) => {
    const digest = isJson(value) ? ownText(value, 'digest') : undefined;
    if (!isJson(value) || digest === undefined) throw new Malformed(`${what} names something without a digest`);
    requireSpelling(value, ['mediaType', 'digest', 'size', 'urls'], what);
    if (!isDigest(digest)) return [];
    const size = own(value, 'size');
    const elsewhere = elsewhereOf(own(value, 'urls'));
    return {
      json: value,
      digest,
      ...(Number.isSafeInteger(size) && Number(size) >= 0 && { size: Number(size) }),
      type: bareType(ownText(value, 'mediaType') ?? ''),
      ...(elsewhere !== undefined && { elsewhere }),
    };
  });
}

/** Clients written in Go take `URLs` for `urls`, and would read more than was looked at here. Throws `Malformed`. */
export function requireSpelling(json: Json, known: readonly string[], what: string): void {
  for (const key of Object.keys(json)) {
    const meant = known.find((each) => each.toUpperCase() === key.toUpperCase());
    if (meant !== undefined && meant !== key)
      throw new Malformed(`${what} says ${JSON.stringify(key)}, which some read as \`${meant}\``);
  }
}

/** An index may name blobs too, as BuildKit's caches do. */
export function fileOf(name: string, { digest, size, type }: Descriptor): ReleaseFile {
  const file = isManifestType(type)
    ? { path: manifestPath(name, digest) }
    : { path: blobPath(name, digest), role: 'metadata' as const };
  return { ...file, digest, ...(size !== undefined && { size }) };
}

/** Image spec, "Descriptors": `urls` are addresses from which it may be downloaded, and containerd tries them first. */
function elsewhereOf(urls: unknown): string | undefined {
  if (!Array.isArray(urls) || urls.length === 0) return undefined;
  const text = String(urls[0]);
  return URL.parse(text)?.host || text.slice(0, 100);
}
