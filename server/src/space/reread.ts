import { createHash } from 'node:crypto';
import type { Store } from '../store/store.ts';
import type { Pace } from './pace.ts';

export type Condition = 'sound' | 'corrupt' | 'missing';

/** Bytes that are hashed before others have their turn. */
const PIECE = 4 * 1024 * 1024;

/** Reads a blob again, in small pieces; what is not what its digest says is read once more before it is believed. */
export async function reread(
  store: Pick<Store, 'open'>,
  blob: { readonly digest: string; readonly size: number },
  pace: Pick<Pace, 'of'>,
): Promise<Condition> {
  const first = await readOnce(store, blob, pace);
  return first === 'corrupt' ? readOnce(store, blob, pace) : first;
}

async function readOnce(
  store: Pick<Store, 'open'>,
  { digest, size }: { readonly digest: string; readonly size: number },
  pace: Pick<Pace, 'of'>,
): Promise<Condition> {
  const blob = await pace.of(() => store.open(digest));
  if (!blob) return 'missing';
  try {
    if (blob.size !== size) return 'corrupt';
    const hash = createHash('sha256');
    const chunks = blob.stream()[Symbol.asyncIterator]();
    try {
      for (let more = true; more; )
        more = await pace.of(async () => {
          for (let read = 0; read < PIECE; ) {
            const next = await chunks.next();
            if (next.done) return false;
            hash.update(next.value);
            read += next.value.length;
          }
          return true;
        });
    } finally {
      await chunks.return?.();
    }
    return `sha256:${hash.digest('hex')}` === digest ? 'sound' : 'corrupt';
  } finally {
    blob.release();
  }
}
