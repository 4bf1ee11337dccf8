import { WorkerCalls } from './worker-calls.ts';

export interface SnapshotRequest {
  readonly from:
    | { readonly kind: 'sqlite'; readonly path: string }
    | { readonly kind: 'postgres'; readonly url: string };
  /** Files to be made: the database, and a line of JSON a blob. */
  readonly database: string;
  readonly blobs: string;
}

/** What the two files hold. */
export interface SnapshotTaken {
  /** Rows by table. */
  readonly tables: Readonly<Record<string, number>>;
  readonly migrations: readonly string[];
  /** Of the blobs that objects mean; `only`: those that no upstream has (any more). */
  readonly blobs: {
    readonly count: number;
    readonly bytes: number;
    readonly only: number;
    readonly onlyBytes: number;
  };
  /** As they are stored, with their secrets. */
  readonly resources: readonly { readonly kind: string; readonly name: string; readonly spec: string }[];
  /** Bytes of the journal's segments that are in it. */
  readonly positions: Readonly<Record<string, number>>;
  readonly facts: Readonly<Record<string, string>>;
}

/**
 * A copy of the ledger as it is at one moment, while it is used; made in a thread of its own. The copy is a database file,
 * also of a PostgreSQL server. Rejects with `LedgerError`.
 */
export async function snapshot(request: SnapshotRequest): Promise<SnapshotTaken> {
  const here = import.meta.url;
  const entry = here.endsWith('.ts') ? here.replace('/server/src/', '/server/dist/') : here;
  const thread = new WorkerCalls(new URL('./snapshot-worker.js', entry), undefined, 'ledger snapshot');
  try {
    return (await thread.call('snapshot', [request])) as SnapshotTaken;
  } finally {
    await thread.close();
  }
}
