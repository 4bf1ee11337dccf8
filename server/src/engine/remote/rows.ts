import { FOREVER, type Freshness, type ObjectRow } from '../../ledger/ledger.ts';
import type { Committed } from '../../store/store.ts';
import type { UpstreamResponse } from '../../upstream/upstream.ts';
import { tagOf } from '../answer/tag.ts';
import type { AnyFormat, IndexTarget } from '../format.ts';
import type { FileFacts } from '../source.ts';
import { typeOf } from './described.ts';
import { freshnessOf } from './freshness.ts';
import type { RemoteSettings } from './remote-settings.ts';

/** What a fetch brought: its `digest` is the blob's. */
export interface Kept extends Pick<ObjectRow, 'digest' | 'size' | 'type' | 'url' | 'fetchedAt'> {
  /** Settled before the bytes were there; default: made from the announced digest. */
  readonly tag?: string;
  readonly freshness: Freshness;
}

/** The row of a file under its path. */
export function artifactRow(
  settings: RemoteSettings,
  format: AnyFormat,
  file: Pick<FileFacts, 'path' | 'role' | 'name' | 'version' | 'digest' | 'published'>,
  { tag, freshness, ...kept }: Kept,
): ObjectRow {
  const purl = file.name === undefined ? undefined : settings.purlOf(file.name, file.version);
  return {
    repository: settings.name,
    format: format.id,
    path: file.path,
    kind: 'artifact',
    role: file.role,
    ...kept,
    tag: tag ?? tagOf(file.digest),
    upstream: settings.url,
    ...freshness,
    ...(file.digest === undefined ? {} : { expected: file.digest }),
    ...(file.name === undefined ? {} : { name: file.name }),
    ...(file.version === undefined ? {} : { version: file.version }),
    ...(purl === undefined ? {} : { purl }),
    ...(file.published === undefined ? {} : { publishedAt: file.published.at, publishedBy: file.published.by }),
  };
}

interface Received {
  readonly response: Pick<UpstreamResponse, 'headers' | 'url'>;
  readonly committed: Committed;
  /** What was there before. */
  readonly before: ObjectRow | undefined;
  readonly now: number;
  /** Milliseconds. */
  readonly ttl: number;
}

/** The row of an index document, or of the file that it is. */
export function documentRow(
  settings: RemoteSettings,
  format: AnyFormat,
  target: IndexTarget,
  { response: { headers, url }, committed: { digest, size }, before, now, ttl }: Received,
): ObjectRow {
  const type = typeOf(headers);
  const freshness = freshnessOf(headers, now, target.digest === undefined ? ttl : FOREVER);
  if (target.file) {
    const file = { ...target.file, ...(target.digest === undefined ? {} : { digest: target.digest }) };
    return artifactRow(settings, format, file, { digest, size, type, url, fetchedAt: now, freshness });
  }
  const { link } = headers;
  return {
    repository: settings.name,
    format: format.id,
    path: target.path,
    kind: 'index',
    role: 'index',
    digest,
    size,
    type,
    url,
    upstream: settings.url,
    tag: digest,
    fetchedAt: before?.digest === digest ? before.fetchedAt : now,
    ...(target.name === undefined ? {} : { name: target.name }),
    ...(target.digest === undefined ? {} : { expected: target.digest }),
    ...(link === undefined ? {} : { link }),
    ...freshness,
  };
}
