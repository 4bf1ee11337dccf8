import type { BlobRow, Ledger } from '../ledger/ledger.ts';
import { type Blob, IntegrityError, type Store, type Upload } from '../store/store.ts';
import { eachOf, referenced } from './missing.ts';

export interface CopiedBlobs {
  readonly copied: number;
  /** Of those that were copied. */
  readonly bytes: number;
  /** There already, with their size. */
  readonly there: number;
  /** Digests of those that were not in the first store. */
  readonly lost: readonly string[];
  /** Digests of those whose bytes there are not what their digest says; not copied. */
  readonly damaged: readonly string[];
}

const AT_ONCE = 8;

/** Every blob that is on record, from one store into another; what is there already is not copied again. */
export async function copyBlobs(
  ledger: Pick<Ledger, 'blobs'>,
  from: Store,
  to: Store,
  progress: (blobs: number, bytes: number) => void,
): Promise<CopiedBlobs> {
  const lost: string[] = [];
  const damaged: string[] = [];
  let [copied, bytes, there] = [0, 0, 0];
  for await (const page of referenced(ledger)) {
    await eachOf(page, AT_ONCE, async (row) => {
      const outcome = await copyBlob(row, from, to);
      if (outcome === 'copied') {
        copied += 1;
        bytes += row.size;
      } else if (outcome === 'there') there += 1;
      else (outcome === 'lost' ? lost : damaged).push(row.digest);
      progress(copied + there + lost.length + damaged.length, bytes);
    });
  }
  return { copied, bytes, there, lost: lost.sort(), damaged: damaged.sort() };
}

async function copyBlob(
  { digest, size }: BlobRow,
  from: Store,
  to: Store,
): Promise<'copied' | 'there' | 'lost' | 'damaged'> {
  if ((await to.stat(digest))?.size === size) return 'there';
  const blob = await from.open(digest);
  if (!blob) return 'lost';
  if (blob.size !== size) {
    blob.release();
    return 'damaged';
  }
  try {
    return await stored(blob, await to.begin());
  } finally {
    blob.release();
  }
}

async function stored(blob: Blob, upload: Upload): Promise<'copied' | 'damaged'> {
  const { digest, size } = blob;
  try {
    for await (const chunk of blob.stream()) await upload.write(chunk);
    await upload.commit({ digest, size });
    return 'copied';
  } catch (error) {
    await upload.abort().catch(() => {});
    if (error instanceof IntegrityError) return 'damaged';
    throw error;
  }
}
