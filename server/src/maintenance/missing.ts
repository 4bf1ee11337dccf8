import type { BlobRow, Ledger } from '../ledger/ledger.ts';
import type { Store } from '../store/store.ts';

/** A blob that rows refer to and the store has not, or not whole. */
export interface MissingBlob {
  readonly digest: string;
  /** As the rows have it. */
  readonly size: number;
  /** What the store has under that digest; undefined: nothing. */
  readonly found: number | undefined;
  /** An upstream has it: it is fetched again when somebody asks. */
  readonly fetchable: boolean;
  readonly objects: readonly { readonly repository: string; readonly path: string }[];
}

export interface MissingReport {
  readonly blobs: number;
  readonly bytes: number;
  /** Those that nobody has first, then in order of digest. */
  readonly missing: readonly MissingBlob[];
}

const PAGE = 1000;
/** Blobs that are asked for at a time. */
const AT_ONCE = 16;

/** Every blob that an object means, held against the store. Reads no blob: `verify store` does. */
export async function findMissing(
  ledger: Pick<Ledger, 'blobs' | 'holders'>,
  store: Pick<Store, 'stat'>,
  progress: (blobs: number) => void = () => {},
): Promise<MissingReport> {
  const missing: MissingBlob[] = [];
  let [blobs, bytes] = [0, 0];
  for await (const page of referenced(ledger)) {
    const lost = (await eachOf(page, AT_ONCE, (row) => lookedUp(row, store))).filter((row) => row.found !== row.size);
    missing.push(...(await named(ledger, lost)));
    blobs += page.length;
    for (const { size } of page) bytes += size;
    progress(blobs);
  }
  return { blobs, bytes, missing: missing.sort((one, other) => Number(one.fetchable) - Number(other.fetchable)) };
}

/** Blobs that are to stay, in order of digest. */
export async function* referenced(ledger: Pick<Ledger, 'blobs'>, from?: string): AsyncIterable<readonly BlobRow[]> {
  for (let after = from; ; ) {
    const page = await ledger.blobs({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    const kept = page.filter(({ orphanedAt, deletingAt }) => orphanedAt === undefined && deletingAt === undefined);
    if (kept.length > 0) yield kept;
    after = page.at(-1)?.digest;
    if (page.length < PAGE) return;
  }
}

/** The results in the order of the items; `most` of them at a time. */
export async function eachOf<Item, Result>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const rest = items.entries();
  const worker = async (): Promise<void> => {
    for (const [at, item] of rest) results[at] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
  return results;
}

type Lookup = Pick<MissingBlob, 'digest' | 'size' | 'found'>;

async function lookedUp({ digest, size }: BlobRow, store: Pick<Store, 'stat'>): Promise<Lookup> {
  return { digest, size, found: (await store.stat(digest))?.size };
}

async function named(ledger: Pick<Ledger, 'holders'>, lost: readonly Lookup[]): Promise<MissingBlob[]> {
  if (lost.length === 0) return [];
  const holders = Map.groupBy(await ledger.holders(lost.map(({ digest }) => digest)), ({ digest }) => digest);
  return lost.flatMap((row) => {
    const held = holders.get(row.digest) ?? [];
    // It went while this was found out.
    if (held.length === 0) return [];
    const objects = held.map(({ repository, path }) => ({ repository, path }));
    return [{ ...row, fetchable: held.every(({ hosted }) => !hosted), objects }];
  });
}
