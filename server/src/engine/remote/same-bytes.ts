import type { ObjectRow } from '../../ledger/ledger.ts';
import type { Store } from '../../store/store.ts';
import { Fault } from '../fault.ts';
import type { AnyFormat, ArtifactTarget, Place } from '../format.ts';
import type { Objects } from '../objects.ts';
import type { FileFacts } from '../source.ts';
import { storing } from '../stored.ts';
import { lengthOf } from './described.ts';
import type { Exchange } from './exchange.ts';
import { freshnessOf } from './freshness.ts';
import type { RemoteSettings } from './remote-settings.ts';
import { artifactRow } from './rows.ts';

interface SameBytesDeps {
  readonly settings: RemoteSettings;
  readonly format: AnyFormat;
  readonly exchange: Pick<Exchange, 'head'>;
  readonly store: Store;
  readonly objects: Objects;
  readonly now: () => number;
}

/**
 * The store has the announced bytes from elsewhere: the upstream is only asked whether it has them too. Undefined: they must be
 * fetched. What is here in another length than the upstream says is damaged.
 */
export async function sameBytes(
  { settings, format, exchange, store, objects, now }: SameBytesDeps,
  target: ArtifactTarget,
  file: FileFacts,
  { places, ttl }: { readonly places: readonly Place[]; readonly ttl: number },
): Promise<ObjectRow | undefined> {
  const { digest } = file;
  if (!digest?.startsWith('sha256:')) return undefined;
  const blob = await storing(store.stat(digest));
  if (!blob || (file.size !== undefined && file.size !== blob.size)) return undefined;
  const response = await exchange.head(places);
  if (response === undefined || response === 'absent') return undefined;
  if ((lengthOf(response) ?? blob.size) !== blob.size) return undefined;
  const row = artifactRow(settings, format, file, {
    digest,
    size: blob.size,
    type: target.type ?? response.headers['content-type'] ?? 'application/octet-stream',
    url: response.url,
    fetchedAt: now(),
    freshness: freshnessOf(response.headers, now(), ttl),
  });
  const isThere = async (): Promise<boolean> => (await storing(store.stat(digest))) !== undefined;
  const isKept = await objects.keep(async () => (await isThere()) && recorded(objects, row));
  // Another process may have deleted it until the row was there; after that, nobody does.
  if (isKept && (await isThere())) return row;
  if (isKept) await objects.drop(row);
  return undefined;
}

/** False: the blob is being deleted at this moment. */
async function recorded(objects: Objects, row: ObjectRow): Promise<boolean> {
  try {
    await objects.record(row);
    return true;
  } catch (error) {
    if (error instanceof Fault && error.details['going'] === true) return false;
    throw error;
  }
}
