import type { Meaning, Sights } from './sights.ts';

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
  /** Inserts or replaces; keeps the blob, package and release rows and `log_pending` in step, in one transaction. */
  recordObject(object: ObjectRow): Promise<void>;
  /** After a revalidation: the upstream said nothing changed. */
  refreshObject(repository: string, path: string, freshness: Freshness): Promise<void>;
  /** The upstream took it back, or has other bytes under its name: undefined clears the mark. */
  markObject(repository: string, path: string, mark: ObjectMark): Promise<void>;
  /** In order of path; each with what its pulls say. */
  objects(filter: ObjectFilter, page: Page<string>): Promise<ObjectView[]>;
  /** Removes rows, and what is remembered of publications under these paths; `blobs` are the digests that nothing refers to any more. */
  evict(filter: ObjectFilter & { readonly all?: boolean }): Promise<Evicted>;

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
  stats(): Promise<Stats>;
  /** Throws `LedgerError` when it cannot be written and read. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface Page<Key> {
  readonly limit: number;
  readonly after?: Key;
}

export interface ResourceRow {
  readonly kind: string;
  readonly name: string;
  /** As declared. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** Grows by one with every change of any resource. */
  readonly revision: number;
  readonly managedBy: ManagedBy;
  /** Set while a deleted resource serves until its last reference goes. */
  readonly retiring: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type ManagedBy = 'api' | 'defaults' | 'file';

export type ResourceChange =
  | {
      readonly op: 'put';
      readonly kind: string;
      readonly name: string;
      readonly spec: Readonly<Record<string, unknown>>;
      readonly managedBy: ManagedBy;
      readonly retiring?: boolean;
      /** The revision it must have; 'absent': must not exist; undefined: whatever. */
      readonly expect?: number | 'absent';
    }
  | { readonly op: 'delete'; readonly kind: string; readonly name: string; readonly expect?: number };

/** `freshUntil` of what never changes: the last millisecond of the year 9999. */
export const FOREVER = 253_402_300_799_999;

export interface Freshness {
  readonly checkedAt: number;
  /** At most `FOREVER`. */
  readonly freshUntil: number;
  readonly etag?: string;
  readonly lastModified?: string;
}

/** Undefined clears the one that is named. */
export type ObjectMark = { readonly retractedAt: number | undefined } | { readonly disputed: string | undefined };

/** A path of a repository and the blob it means. */
export interface ObjectRow extends Freshness {
  readonly repository: string;
  readonly format: string;
  readonly path: string;
  readonly kind: 'artifact' | 'index';
  readonly role: 'package' | 'metadata' | 'signature' | 'index';
  /** Digest of the blob, `sha256:…`. */
  readonly digest: string;
  readonly size: number;
  readonly type: string;
  /** After redirects; empty for what was published here. */
  readonly url: string;
  /** The remote's `url` when it was fetched: another upstream's validators mean nothing. Empty for what was published here. */
  readonly upstream: string;
  /** Our own strong validator of these bytes, without quotes; settled before the first byte was sent. */
  readonly tag: string;
  /** The digest that the index announced, `sha512:…`; absent when none did. */
  readonly expected?: string;
  readonly fetchedAt: number;
  readonly name?: string;
  readonly version?: string;
  /** Without qualifiers: `pkg:npm/express@4.18.2`. */
  readonly purl?: string;
  readonly publishedAt?: number;
  readonly publishedBy?: 'server' | 'author';
  /** The upstream's Link header, where it named a page that follows. */
  readonly link?: string;
  /** When the upstream said that it has it no longer: not served, kept as evidence. */
  readonly retractedAt?: number;
  /**
   * Digest of the other bytes that the upstream has had under this name, which never changes; or what a checksum database
   * has on record of what is in it.
   */
  readonly disputed?: string;
}

export interface ObjectView extends ObjectRow {
  readonly pulls: number;
  readonly lastPulledAt?: number;
}

export interface ObjectFilter {
  readonly repository: string;
  readonly path?: string;
  readonly prefix?: string;
  /** With version: that release; without: every release of the package. */
  readonly purl?: string;
}

export interface Evicted {
  readonly objects: number;
  readonly bytes: number;
  readonly paths: readonly string[];
  readonly blobs: readonly string[];
}

export interface HostedPackageRow {
  readonly name: string;
  /** 1 for the first change, one more for each after it. */
  readonly revision: number;
  readonly updatedAt: number;
  /** JSON. */
  readonly document?: string;
  /** In the order in which they were published; also those that were removed. */
  readonly files: readonly HostedFileRow[];
}

export interface HostedFileRow {
  readonly path: string;
  readonly version?: string;
  readonly role: 'package' | 'metadata' | 'signature';
  readonly digest: string;
  readonly size: number;
  /** JSON. */
  readonly metadata?: string;
  readonly publishedAt: number;
  readonly removedAt?: number;
}

export interface HostedChange {
  readonly repository: string;
  readonly format: string;
  /** Absent: the files belong to none. */
  readonly package?: string;
  /** The package's revision that the change was made for; default: 0, there was none. */
  readonly expect?: number;
  readonly at: number;
  /** JSON; absent: as before. */
  readonly document?: string;
  readonly files: readonly { readonly object: ObjectRow; readonly metadata?: string }[];
  readonly metadata: readonly { readonly path: string; readonly metadata: string }[];
  /** `frees`: the path may mean other bytes from now on. */
  readonly removed: readonly { readonly path: string; readonly frees: boolean }[];
}

export type HostedOutcome =
  | { readonly is: 'done' }
  /** The package is at another revision. */
  | { readonly is: 'moved' }
  /** Other bytes were published under that path. */
  | { readonly is: 'taken'; readonly path: string; readonly removed: boolean };

export interface Listing {
  readonly repository: string;
  readonly format: string;
  readonly name: string;
  readonly at: number;
  readonly releases: readonly {
    readonly version: string;
    readonly publishedAt?: number;
    readonly publishedBy?: 'server' | 'author';
    readonly yanked?: boolean;
  }[];
}

export interface FileDate {
  readonly path: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface SeenRelease {
  readonly version: string;
  readonly firstSeenAt: number;
  /** Stood in the first listing of its package that was ever seen. */
  readonly baseline: boolean;
}

/** One artifact served or refused, or an index refused. */
export interface PullRow {
  /** UUID version 7: its order is the order of pulls. */
  readonly id: string;
  readonly at: number;
  readonly repository: string;
  readonly format: string;
  readonly path: string;
  readonly role: 'package' | 'metadata' | 'signature' | 'index';
  /** Package URL without version and qualifiers; absent where the format has no packages. */
  readonly package?: string;
  readonly version?: string;
  readonly digest?: string;
  /** Bytes of the artifact. */
  readonly size?: number;
  /** The virtual's member, and the remote that has it. */
  readonly member?: string;
  readonly upstream?: string;
  readonly cache: 'hit' | 'miss' | 'stale' | 'revalidated' | 'none';
  readonly decision: 'allowed' | 'refused';
  /** The rule that refused it; of what was allowed, the exemption that lifted a rule. */
  readonly rule?: string;
  /** The rule that would have refused it, did it not only observe. */
  readonly observed?: string;
  /** JSON: why, by which evidence, until when; there where one of the two above is. */
  readonly verdict?: string;
  readonly principal: string;
  readonly consumer?: string;
  readonly client?: string;
  readonly address?: string;
  readonly requestId: string;
  /** The client went away before the last byte. */
  readonly aborted?: boolean;
}

export interface PullFilter {
  readonly package?: string;
  readonly version?: string;
  readonly digest?: string;
  readonly repository?: string;
  readonly principal?: string;
  readonly consumer?: string;
  readonly decision?: 'allowed' | 'refused';
  /** What a rule said of it: refused, would have refused, or was lifted by an exemption; `any` of these. */
  readonly ruling?: 'refused' | 'observed' | 'exempted' | 'any';
  /** `[since, until)`. */
  readonly since?: number;
  readonly until?: number;
}

export interface PullSlice {
  readonly groups: readonly PullGroup[];
  /** Everything before it is in this slice or in one before. */
  readonly end: number;
}

/** Pulls of one file through one repository. */
export interface PullGroup
  extends Pick<PullRow, 'repository' | 'member' | 'format' | 'package' | 'version' | 'path' | 'role'> {
  readonly pulls: number;
  readonly first: number;
  readonly last: number;
  /** Who and when, in no order; `pullsOf` reads it where it matters. */
  readonly each: string;
}

export interface PulledBy extends Pick<PullRow, 'at' | 'principal' | 'consumer'> {}

/** What is known of when a file became public. */
export interface FileFact {
  readonly path: string;
  /** Of its package, as the format has it. */
  readonly name?: string;
  readonly publishedAt?: number;
  readonly publishedBy?: 'server' | 'author';
  /** The header, as it came with the file. */
  readonly lastModified?: string;
  /** The same of a file that was asked about and not fetched. */
  readonly modifiedAt?: number;
}

export interface KnownRelease extends SeenRelease {
  readonly name: string;
  readonly publishedAt?: number;
  readonly publishedBy?: 'server' | 'author';
}

export interface EventRow {
  readonly kind: string;
  readonly at: number;
  /** Empty where it is about none. */
  readonly repository: string;
  /** JSON. */
  readonly details: string;
}

/** How far a reader is: the number of an event, and of a pull. */
export interface FeedPosition {
  readonly event: number;
  readonly pull: number;
}

export interface FeedFilter {
  readonly after: FeedPosition;
  readonly until: FeedPosition;
  /** Of pulls: served, refused, observed. Absent: all. */
  readonly kinds?: readonly string[];
  readonly repository?: string;
  /** Of each, events and pulls. */
  readonly limit: number;
}

export interface FeedPage {
  /** In their order; `position` is the number of each. */
  readonly events: readonly (EventRow & { readonly position: number })[];
  readonly pulls: readonly (PullRow & { readonly position: number })[];
  /** Everything up to there was looked at. */
  readonly reached: FeedPosition;
}

/** What an alert is about; it is raised once for as long as it lasts. */
export interface AlertKey {
  /** `claimed_name`, `hosted_name`, `version_conflict`. */
  readonly kind: string;
  /** The virtual. */
  readonly repository: string;
  readonly member: string;
  /** Of the package, as its format has it. */
  readonly name: string;
}

export interface RaisedAlert extends AlertKey {
  readonly at: number;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AlertRow extends AlertKey {
  /** Grows: the order of pages. */
  readonly id: number;
  readonly since: number;
  readonly lastSeenAt: number;
  /** Absent: it lasts. */
  readonly endedAt?: number;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AlertFilter extends Partial<AlertKey> {
  readonly state?: 'current' | 'ended';
}

export interface JournalPosition {
  /** File name of the segment. */
  readonly segment: string;
  /** Bytes of it that are in the ledger. */
  readonly offset: number;
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
