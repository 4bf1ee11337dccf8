import type { AnyFormat, ArtifactTarget, CallTarget, Digest, IndexTarget, Place, RawDocument } from '../format.ts';
import { encodePath } from '../path.ts';
import type { FileFacts } from '../source.ts';

export type Located = IndexTarget | ArtifactTarget | CallTarget;

/** What a format needs to say where things are. */
export interface Locating {
  readonly format: AnyFormat;
  readonly options: Readonly<Record<string, unknown>>;
  /** The remote's `url`. */
  readonly upstream: string;
  /** The bytes of the upstream's discovery document for this target, where the format has one. */
  readonly discovery?: RawDocument;
}

/** Where the upstream keeps it: where another document says, else as the format says, else under the same path. */
export function placesOf(target: Located, locating: Locating, digest?: string): readonly Place[] {
  if (target.kind !== 'call' && target.url !== undefined) return [placeAt(target.url)];
  const { format, options, upstream, discovery } = locating;
  const site = {
    base: '',
    options,
    upstream,
    ...(discovery === undefined ? {} : { discovery }),
    ...(digest === undefined ? {} : { digest: digest as Digest }),
  };
  return format.locate?.(target, site) ?? [{ path: encodePath(target.path) }];
}

/** A listed file is where its index says, on whichever host; only an index can name another host, never a request. */
export function fileAt(target: ArtifactTarget, file: FileFacts, locating: Locating): readonly Place[] {
  return file.url === undefined ? placesOf(target, locating, file.digest) : [placeAt(file.url)];
}

function placeAt(address: string): Place {
  const url = new URL(address);
  return { origin: url.origin, path: `${url.pathname.slice(1)}${url.search}` };
}
