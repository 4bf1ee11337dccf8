import { type Digest, Malformed, type Place, type RawDocument } from '../../engine/format.ts';
import { ownText, parseJson } from '../json.ts';
import { type Crate, prefixOf } from './names.ts';

/** The upstream's `config.json`: where its files and its API are. */
export interface Config {
  readonly kind: 'config';
  /** Template of a crate's address. */
  readonly dl: string;
  /** Absolute, without a trailing slash; absent: the registry has no API. */
  readonly api?: string;
}

const MARKERS = /\{(?:crate|version|prefix|lowerprefix|sha256-checksum)\}/;

/** Throws `Malformed`. */
export function readConfig(raw: RawDocument): Config {
  const json = parseJson(raw.bytes, 'The config.json of the registry');
  const dl = ownText(json, 'dl');
  if (dl === undefined || !address(expanded(dl, { name: 'a', version: '1.0.0' }, '')))
    throw new Malformed('The config.json of the registry has no usable `dl`');
  const api = address(ownText(json, 'api') ?? '')?.href.replace(/\/+$/, '');
  return { kind: 'config', dl, ...(api !== undefined && { api }) };
}

/** Undefined when the template wants a checksum and none is known. */
export function downloadPlace({ dl }: Config, crate: Crate, digest: Digest | undefined): Place | undefined {
  const checksum = digest?.startsWith('sha256:') ? digest.slice('sha256:'.length) : undefined;
  if (checksum === undefined && dl.includes('{sha256-checksum}')) return undefined;
  return placeOf(expanded(dl, crate, checksum ?? ''));
}

/** Below the upstream's API: `api/v1/crates?q=serde`. */
export const apiPlace = ({ api }: Config, path: string): Place | undefined =>
  api === undefined ? undefined : placeOf(`${api}/${path}`);

/** As cargo does it: markers are replaced as they are, and without any the registry's own usual path follows. */
function expanded(dl: string, { name, version }: Crate, checksum: string): string {
  const template = MARKERS.test(dl) ? dl : `${dl}/{crate}/{version}/download`;
  return template
    .replaceAll('{crate}', name)
    .replaceAll('{version}', version)
    .replaceAll('{prefix}', prefixOf(name))
    .replaceAll('{lowerprefix}', prefixOf(name).toLowerCase())
    .replaceAll('{sha256-checksum}', checksum);
}

function placeOf(text: string): Place | undefined {
  const url = address(text);
  return url && { origin: url.origin, path: `${url.pathname.slice(1)}${url.search}` };
}

function address(text: string): URL | undefined {
  const url = URL.parse(text);
  return url && /^https?:$/.test(url.protocol) ? url : undefined;
}
