import { BlobGoing, LedgerError } from '../ledger/ledger.ts';
import { type Store, StoreError } from '../store/store.ts';
import { Fault } from './fault.ts';
import type { Objects } from './objects.ts';

/** A row whose blob is gone: the row is dropped by the time this is thrown, so asking once more fetches it anew. */
export class LostBlob extends Error {
  override readonly name = 'LostBlob';
}

/** The bytes of a stored document. */
export async function stored(
  deps: { readonly store: Store; readonly objects: Objects },
  row: { readonly repository: string; readonly path: string; readonly digest: string; readonly size?: number },
): Promise<Buffer> {
  const blob = await storing(deps.store.open(row.digest));
  if (blob && blob.size === (row.size ?? blob.size)) return storing(blob.bytes().finally(() => blob.release()));
  blob?.release();
  if (blob) await storing(deps.store.quarantine(row.digest));
  await deps.objects.drop(row);
  throw new LostBlob(`the blob of ${row.path} in ${row.repository} is gone`);
}

/** A store that failed, or a ledger that it had to ask, is an outage of ours. */
export async function storing<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw outageOf(error) ?? error;
  }
}

/** The fault to answer when a store or a ledger failed; undefined: it was something else. */
export function outageOf(error: unknown): Fault | undefined {
  const retryAfter = waitFor(error);
  if (retryAfter === undefined) return undefined;
  return new Fault('unavailable', (error as Error).message, { cause: error, details: { retryAfter } });
}

/** Seconds. */
function waitFor(error: unknown): number | undefined {
  if (error instanceof StoreError) return 30;
  if (error instanceof BlobGoing) return 1;
  return error instanceof LedgerError ? 5 : undefined;
}
