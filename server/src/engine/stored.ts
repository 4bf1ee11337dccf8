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
  row: { readonly repository: string; readonly path: string; readonly digest: string },
): Promise<Buffer> {
  const blob = await storing(deps.store.open(row.digest));
  if (blob) return blob.bytes().finally(() => blob.release());
  await deps.objects.drop(row);
  throw new LostBlob(`the blob of ${row.path} in ${row.repository} is gone`);
}

/** A store that failed is an outage of ours. */
export async function storing<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StoreError)
      throw new Fault('unavailable', error.message, { cause: error, details: { retryAfter: 30 } });
    throw error;
  }
}
