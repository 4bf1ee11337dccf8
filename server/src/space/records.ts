import type { BlobRow, Ledger } from '../ledger/ledger.ts';

const PAGE = 1000;

/** What the ledger has of the blobs after `after`, up to `last`, by digest. */
export async function recordsUntil(
  ledger: Pick<Ledger, 'blobs'>,
  after: string | undefined,
  last: string,
): Promise<ReadonlyMap<string, BlobRow>> {
  const known = new Map<string, BlobRow>();
  for (let from = after; ; ) {
    const page = await ledger.blobs({ limit: PAGE, ...(from === undefined ? {} : { after: from }) });
    for (const row of page) if (row.digest <= last) known.set(row.digest, row);
    from = page.at(-1)?.digest;
    if (page.length < PAGE || from === undefined || from >= last) return known;
  }
}

/** An object is meant to mean it: it is on record, and neither an orphan nor being deleted. */
export async function isWanted(ledger: Pick<Ledger, 'blobs'>, digest: string): Promise<boolean> {
  const end = digest.length - 1;
  // What comes right before it in the order of digests.
  const before = digest.slice(0, end) + String.fromCharCode(digest.charCodeAt(end) - 1);
  const [row] = await ledger.blobs({ limit: 1, after: before });
  return row?.digest === digest && isSettled(row);
}

export function isSettled({ orphanedAt, deletingAt }: BlobRow): boolean {
  return orphanedAt === undefined && deletingAt === undefined;
}
