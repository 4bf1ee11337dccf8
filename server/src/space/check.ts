import type { BlobRow, Ledger } from '../ledger/ledger.ts';
import type { Listed, Store } from '../store/store.ts';
import { chunkOf } from './chunk.ts';
import type { Damage } from './damage.ts';
import type { Pace } from './pace.ts';
import { isSettled, isWanted, recordsUntil } from './records.ts';
import { reread } from './reread.ts';

/**
 * `missing`: on record, not in the store. `corrupt`: other bytes than its digest says. `unreferenced`: in the store for over a
 * day, and nothing means it.
 */
export interface Finding {
  readonly kind: 'missing' | 'corrupt' | 'unreferenced';
  readonly digest: string;
  readonly size: number;
  /** Of the objects that mean it. */
  readonly objects: readonly { readonly repository: string; readonly path: string }[];
  /** What becomes of it. */
  readonly remedy: 'fetched_again' | 'publish_again' | 'swept';
}

export interface CheckDeps {
  readonly ledger: Pick<Ledger, 'blobs' | 'sizes'>;
  readonly store: Pick<Store, 'list' | 'open' | 'stat'>;
  readonly damage: Pick<Damage, 'found'>;
  readonly pace: Pick<Pace, 'of'>;
  readonly now: () => number;
  /** False: only whether blobs are there, in their size. */
  readonly read: boolean;
}

export interface Report {
  /** Of so many blobs and bytes; what comes meanwhile is not among them. */
  total(total: { readonly blobs: number; readonly bytes: number }): Promise<void>;
  looked(at: { readonly blobs: number; readonly bytes: number }): Promise<void>;
  found(finding: Finding): void;
}

const CHUNK = 128;
const DAY = 24 * 3_600_000;

/** Holds every blob of the store against the ledger, and the other way round; what is damaged is dealt with on the way. */
export async function checkStore(deps: CheckDeps, report: Report): Promise<void> {
  const { blobs, bytes } = await deps.ledger.sizes();
  await report.total({ blobs, bytes });
  let after: string | undefined;
  const listing = deps.store.list()[Symbol.asyncIterator]();
  try {
    for (let more = true; more; ) {
      const listed = await deps.pace.of(() => chunkOf(listing, CHUNK));
      more = listed.length === CHUNK;
      // At its end, all that is on record comes after what was listed last.
      const last = more ? (listed.at(-1)?.digest ?? '') : END;
      await compare(deps, report, { after, last, listed });
      after = last;
    }
  } finally {
    await listing.return?.();
  }
}

/** After every digest. */
const END = 'sha256:g';

interface Stretch {
  readonly after: string | undefined;
  readonly last: string;
  readonly listed: readonly Listed[];
}

async function compare(deps: CheckDeps, report: Report, { after, last, listed }: Stretch): Promise<void> {
  const { ledger, pace } = deps;
  const records = await pace.of(() => recordsUntil(ledger, after, last));
  const there = new Map(listed.map((one) => [one.digest, one]));
  for (const row of records.values()) {
    if (isSettled(row)) await look(deps, report, row, there.get(row.digest));
    await report.looked({ blobs: 1, bytes: row.size });
  }
  for (const one of listed) {
    const row = records.get(one.digest);
    if (row && isSettled(row)) continue;
    const since = Math.max(one.modified, row?.orphanedAt ?? 0);
    if (since > deps.now() - DAY) continue;
    const { digest, size } = one;
    report.found({ kind: 'unreferenced', digest, size, objects: [], remedy: 'swept' });
  }
}

async function look(deps: CheckDeps, report: Report, row: BlobRow, listed: Listed | undefined): Promise<void> {
  const { ledger, store, damage, pace, read } = deps;
  const { digest, size } = row;
  const isWhole = listed?.size === size;
  const condition = read || !isWhole ? await reread(store, row, pace) : 'sound';
  if (condition === 'sound' || !(await isWanted(ledger, digest))) return;
  const { dropped, lost } = await damage.found(digest, condition);
  const objects = [...lost, ...dropped].map(({ repository, path }) => ({ repository, path }));
  const remedy = lost.length > 0 ? 'publish_again' : 'fetched_again';
  report.found({ kind: condition, digest, size, objects, remedy });
}
