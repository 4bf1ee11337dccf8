import type { AlertFilter, AlertKey, AlertRow, RaisedAlert } from './shapes/alerts.ts';
import type { EventRow, FeedFilter, FeedPage, FeedPosition } from './shapes/feed.ts';
import type { HostedChange, HostedOutcome, HostedPackageRow } from './shapes/hosted.ts';
import type { FileDate, FileFact, KnownRelease, Listing, SeenRelease } from './shapes/listings.ts';
import type { Evicted, Freshness, ObjectFilter, ObjectMark, ObjectRow, ObjectView } from './shapes/objects.ts';
import type { JournalPosition, PullFilter, PullRow, PullSlice } from './shapes/pulls.ts';
import type { ResourceChange, ResourceRow } from './shapes/resources.ts';
import type { BlobRow, Holder, Sizes, UnusedFilter, UsedObject } from './shapes/space.ts';
import type { Meaning, Sights } from './sights.ts';

export type * from './shapes/alerts.ts';
export type * from './shapes/feed.ts';
export type * from './shapes/hosted.ts';
export type * from './shapes/listings.ts';
export type * from './shapes/objects.ts';
export { FOREVER } from './shapes/objects.ts';
export type * from './shapes/pulls.ts';
export type * from './shapes/resources.ts';
export type * from './shapes/space.ts';

/**
 * What exists and happened, as functions over plain data. Times are epoch milliseconds. Every function may reject with
 * `LedgerError`. The serving thread never opens SQLite: `sqlite.ts` runs these in worker threads.
 */
export interface Ledger {
  // --- declared resources: one document each ---
  resources(): Promise<ResourceRow[]>;
  /** All of it in one transaction, or nothing: the first operation that does not hold throws `RevisionConflict`. */
  change(changes: readonly ResourceChange[], at: number): Promise<ResourceRow[]>;

  // --- what is cached ---
  object(repository: string, path: string): Promise<ObjectRow | undefined>;
  /**
   * Inserts or replaces; keeps the blob, package and release rows and `log_pending` in step, in one transaction. Rejects with
   * `BlobGoing` when the blob is being deleted; so does `publish`. False: the row there has a higher fence, and stays.
   */
  recordObject(object: ObjectRow): Promise<boolean>;
  /** After a revalidation: the upstream said nothing changed. False: the row is gone, or has not that digest. */
  refreshObject(repository: string, path: string, freshness: Freshness, digest?: string): Promise<boolean>;
  /** The upstream took it back, or has other bytes under its name: undefined clears the mark. */
  markObject(repository: string, path: string, mark: ObjectMark): Promise<void>;
  /** In order of path; each with what its pulls say. */
  objects(filter: ObjectFilter, page: Page<string>): Promise<ObjectView[]>;
  /**
   * Removes rows, and what is remembered of publications under these paths; `blobs` are the digests that nothing refers to any
   * more, also those of before: they are being deleted from now on, until they are `buried`.
   */
  evict(filter: ObjectFilter & { readonly all?: boolean }, at?: number): Promise<Evicted>;

  // --- what takes up room ---
  /** The least recently used first; of those larger than something, the largest first. */
  leastUsed(filter: UnusedFilter): Promise<readonly UsedObject[]>;
  /** What the upstream took back before that time, and what is kept beside a file that it changed before that time. */
  oldEvidence(before: number, limit: number): Promise<readonly UsedObject[]>;
  /** Removes those that were neither used nor replaced since they were found; `blobs` as with `evict`, of these alone. */
  evictUnused(found: readonly UsedObject[], at: number): Promise<Evicted>;
  /** Of what nothing has meant since before that time, the first: their blobs are being deleted from now on. */
  condemn(before: number, limit: number, at: number): Promise<readonly string[]>;
  /** What was being deleted before that time and was never `buried`. */
  dying(before: number, limit: number): Promise<readonly string[]>;
  /** They are gone. */
  buried(digests: readonly string[]): Promise<void>;
  /** Nobody deletes that blob before that time, though nothing means it yet. Rejects with `BlobGoing`. */
  reserve(blob: Pick<BlobRow, 'digest' | 'size'>, until: number, at: number): Promise<void>;
  /** Of blobs found in the store, those that are not on record: they are being deleted from now on. */
  disown(found: readonly Pick<BlobRow, 'digest' | 'size'>[], at: number): Promise<readonly string[]>;
  /** Of blobs found in the store, those that nothing means though nobody noticed are orphans from now on. */
  markUnmeant(digests: readonly string[], at: number): Promise<void>;
  /** In order of digest. */
  blobs(page: Page<string>): Promise<readonly BlobRow[]>;
  /** Which objects mean these blobs. */
  holders(digests: readonly string[]): Promise<readonly Holder[]>;
  sizes(): Promise<Sizes>;

  // --- what was published here ---
  hostedPackage(repository: string, name: string): Promise<HostedPackageRow | undefined>;
  /** Of the packages that have files, in order. */
  hostedNames(repository: string): Promise<string[]>;
  /** All of it in one transaction, or nothing where the outcome is not `done`. Survives a loss of power. */
  publish(change: HostedChange): Promise<HostedOutcome>;

  // --- what was listed ---
  /** Remembers every release of a listing; those not known yet get `first_seen`, and `baseline` when it is the package's first. */
  recordListing(listing: Listing): Promise<void>;

  /** When each release of a package was first listed, or fetched. */
  seen(repository: string, name: string): Promise<readonly SeenRelease[]>;
  /** What was seen of releases that no document dates. One that is on record stays, and is only ever made older. */
  recordSights(sights: Sights): Promise<void>;
  /** Whether its first listing is on record. */
  isListed(repository: string, name: string): Promise<boolean>;
  /** What the moving names of a package have meant, the newest first. */
  meanings(repository: string, name: string): Promise<readonly Meaning[]>;
  /** Versions of the releases that name the digest by its bytes, those seen first before the others, up to a hundred. */
  carriers(repository: string, name: string, digest: string): Promise<readonly string[]>;
  /** When files were last modified that were not fetched, as this upstream said first. Of unknown ones nothing. */
  fileDates(repository: string, upstream: string, paths: readonly string[]): Promise<readonly FileDate[]>;
  /** What was said first stays. */
  recordFileDates(repository: string, upstream: string, dates: readonly FileDate[]): Promise<void>;

  // --- pulls ---
  /** Loads a batch and remembers how far its journal segment was read, in one transaction; a row already there is skipped. */
  loadPulls(rows: readonly PullRow[], position: JournalPosition): Promise<void>;
  /** The same from whole lines of the journal, parsed where the database is; resolves to the lines that are no pulls. */
  loadJournal(lines: Uint8Array, position: JournalPosition): Promise<string[]>;
  journalPositions(): Promise<JournalPosition[]>;
  forgetJournal(segment: string): Promise<void>;
  /** Newest first. */
  pulls(filter: PullFilter, page: Page<string>): Promise<PullRow[]>;
  pull(id: string): Promise<PullRow | undefined>;

  // --- what was pulled, to be judged again ---
  /** How many pulls there are since then; of more than `newest`, the newest, and since when those are. */
  pullsSince(since: number, newest: number): Promise<{ readonly count: number; readonly since: number }>;
  /** About `size` pulls of `[from, until)`, the oldest. */
  pullSlice(from: number, until: number, size: number): Promise<PullSlice>;
  fileFacts(repository: string, paths: readonly string[]): Promise<readonly FileFact[]>;
  releaseFacts(
    repository: string,
    asked: readonly (readonly [name: string, version: string])[],
  ): Promise<readonly KnownRelease[]>;
  /** All of these packages, by the names that their format has for them. */
  knownReleases(repository: string, names: readonly string[]): Promise<readonly KnownRelease[]>;

  // --- what happened, in the order in which it was put on record: events of their own, and pulls ---
  recordEvents(events: readonly EventRow[]): Promise<void>;
  /** Those of before that time. */
  forgetEvents(before: number): Promise<void>;
  feedEnd(): Promise<FeedPosition>;
  /** The place before the first of what happened since then. */
  feedSince(since: number): Promise<FeedPosition>;
  feed(filter: FeedFilter): Promise<FeedPage>;

  // --- alerts ---
  /** True when it is news: it was not known, or had ended. */
  raiseAlert(alert: RaisedAlert): Promise<boolean>;
  endAlert(key: AlertKey, at: number): Promise<void>;
  /** Newest first. */
  alerts(filter: AlertFilter, page: Page<number>): Promise<AlertRow[]>;
  /** Of packages of a repository that were listed or fetched, in order. */
  packageNames(repository: string, page: Page<string>): Promise<string[]>;

  // --- the rest ---
  /** Small facts of the installation: which defaults were made, which schema this is. */
  fact(key: string): Promise<string | undefined>;
  setFact(key: string, value: string): Promise<void>;
  /** What other processes changed: both grow with what is declared, and with what is taken away, marked or published. */
  marks(): Promise<Marks>;
  /** Unless somebody has set it: resolves to what is there then. */
  claimFact(key: string, value: string): Promise<string>;
  stats(): Promise<Stats>;
  /** Throws `LedgerError` when it cannot be written and read. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface Page<Key> {
  readonly limit: number;
  readonly after?: Key;
}

export interface Marks {
  readonly revision: number;
  readonly removals: number;
}

export interface Stats {
  readonly objects: number;
  readonly blobs: number;
  /** Of the blobs. */
  readonly bytes: number;
  readonly packages: number;
  readonly releases: number;
  readonly pulls: number;
  readonly byRepository: readonly { readonly repository: string; readonly objects: number; readonly bytes: number }[];
}

/** The database failed: corrupt, full, locked, unreachable. `message` names the file or server and what to do. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';
}

/** The blob is being deleted: its bytes must be stored again once it is gone, which takes a moment. */
export class BlobGoing extends LedgerError {
  constructor(readonly digest: string) {
    super(`${digest} is being deleted at this moment: ask again`);
  }
}

/** A resource is not at the revision that a change expected. */
export class RevisionConflict extends Error {
  override readonly name = 'RevisionConflict';

  constructor(
    readonly kind: string,
    readonly resource: string,
    readonly actual: number | 'absent',
  ) {
    super(`${kind} "${resource}" is at revision ${actual}`);
  }
}
