import type { Policy } from '../policy/policy.ts';
import type { Ruleset } from '../policy/rules.ts';
import type { Readable } from '../store/store.ts';
import type { ArtifactTarget, Body, CallTarget, IndexTarget, Published, Role } from './format.ts';
import type { Ruling } from './guard/ruling.ts';
import type { Foreign } from './virtual/claims.ts';

/**
 * A repository as a reader sees it. Remote, hosted and virtual repositories are sources; guarded, audited and metered
 * wrap any of them; `compose.ts` stacks them. Every method throws `Fault`: `not_found` means the source knows that there
 * is none, `upstream_unavailable` and `unavailable` that it cannot say, `withheld` that policy refuses.
 */
export interface Source {
  /** The documents that answer an index, not yet filtered: `render` applies the rules that travel with them. */
  index(target: IndexTarget, ask: Ask): Promise<Listing>;
  /** Which file that is and who has it. No byte of it moves before `open`, so whoever wraps a source can still refuse. */
  artifact(target: ArtifactTarget, ask: Ask): Promise<Delivery>;
  call(target: CallTarget, ask: Ask): Promise<Body>;
}

/** Who asks, and when. */
export interface Ask {
  readonly now: number;
  readonly requestId: string;
  readonly principal: string;
  readonly consumer?: string;
  readonly client?: string;
  readonly address?: string;
  /** HEAD: nothing will be transferred, so nothing is recorded as pulled. */
  readonly headOnly?: boolean;
  /** A resumed or partial transfer: `bytes=…` as sent. */
  readonly range?: string;
  /** The member whose document named what is asked for: no other is meant. */
  readonly member?: string;
  /** Only of what is here: an upstream is not asked, and what is not here counts as absent. */
  readonly kept?: boolean;
}

export type CacheState = 'hit' | 'miss' | 'stale' | 'revalidated';

/** Plain data, so that it can cross to a worker. */
export interface Listing {
  /** The owner's documents; more than one member only where a virtual merges. */
  readonly members: readonly MemberListing[];
  readonly cache: CacheState;
  /** Epoch milliseconds after which the upstream must be asked again. */
  readonly freshUntil: number;
}

export interface MemberListing {
  /** The remote or hosted repository that answered. */
  readonly repository: string;
  /** The document asked for, then those that complete it. */
  readonly documents: readonly SourceDocument[];
  /** Every one of them must admit a file. */
  readonly rules: readonly Ruleset[];
  /** The remote's options of its format. */
  readonly options: Readonly<Record<string, unknown>>;
  /** It was published here, or its name is claimed for the member that answered. */
  readonly firstParty?: boolean;
  /** Of a list of packages: which of them are not the member's own. */
  readonly foreign?: readonly Foreign[];
  /** What else judges its files; absent: nothing. */
  readonly scope?: Scope;
  /**
   * When files became public that the documents do not date; `before`, epoch milliseconds: what is older than that need not
   * be known better. Absent: nobody could say.
   */
  readonly dates?: (before: number) => Promise<ListedDates>;
  /** What the package's moving names are known to have meant, where nothing but the first sight dates releases. */
  readonly meanings?: () => Promise<Meanings>;
}

/** When a file became public, where its index does not say. */
export interface Dated {
  readonly published?: Published;
  /** Epoch milliseconds. */
  readonly lastModified?: number;
}

export interface ListedDates {
  /** By canonical path. */
  readonly of: Readonly<Record<string, Dated>>;
  /** Of the others: when the index itself was last modified, epoch milliseconds; what it lists was public by then. */
  readonly at?: number;
  /** Other dates have another one. */
  readonly id: string;
  /** False: more are being asked for. */
  readonly complete: boolean;
}

export interface Meanings {
  /** Versions by moving name, the newest first. */
  readonly of: Readonly<Record<string, readonly string[]>>;
  /** Others have another one. */
  readonly id: string;
}

/** The policy, and what it must know of a member besides its documents. */
export interface Scope {
  readonly policy: PolicyRevision;
  /** The one that has it, and every virtual on the way. */
  readonly repositories: readonly string[];
  /** It was published here. */
  readonly firstParty: boolean;
  /** By version; absent: no rule asks. */
  readonly seen?: Readonly<Record<string, FirstSight>>;
  /** Absent: no rule asks, or nobody could say. */
  readonly dates?: ListedDates;
  /** Absent: no rule asks. */
  readonly meanings?: Meanings;
}

export interface PolicyRevision {
  /** Another revision makes other answers. */
  readonly id: string;
  readonly policy: Policy;
}

export interface FirstSight {
  /** Epoch milliseconds. */
  readonly at: number;
  /** It stood in the first listing of its package. */
  readonly baseline: boolean;
}

/** An upstream's document as it was received, its bytes in the store; or one that was made here. */
export interface SourceDocument {
  readonly target: IndexTarget;
  readonly digest: string;
  readonly size: number;
  readonly type: string;
  readonly url: string;
  readonly lastModified?: string;
  readonly link?: string;
  /** Epoch milliseconds at which we first had these bytes. */
  readonly since: number;
  /** What was published here, as JSON of `HostedIndex`: the format composes the document from it. */
  readonly hosted?: Uint8Array;
}

/** What is known of a file before its bytes are touched: what policy judges and the audit log records. */
export interface FileFacts {
  readonly path: string;
  readonly role: Role;
  readonly name?: string;
  readonly version?: string;
  readonly url?: string;
  readonly digest?: string;
  readonly size?: number;
  readonly published?: Published;
  readonly yanked?: boolean;
  /** No index lists it yet: its version is what its name says, which may lack a part of it (Debian's epochs). */
  readonly guessed?: true;
  /** Why it is never served, whatever policy says. */
  readonly refused?: string;
  /** Path of the index that describes its release, where this one only names it. */
  readonly details?: string;
}

export interface Delivery {
  /** The remote or hosted repository that has it. */
  readonly repository: string;
  readonly upstream?: string;
  readonly file: FileFacts;
  /** It was published here. */
  readonly firstParty?: boolean;
  /** What rules said of it that belongs on record, although it is let through. */
  readonly ruling?: Ruling;
  /** The Last-Modified of the file, or of what dates its release, epoch milliseconds; asked of the upstream where it is not known. */
  readonly lastModified?: () => Promise<number | undefined>;
  /** What the index says that describes its release, where the one that lists it only names that. */
  readonly described?: () => Promise<Published | undefined>;
  /** Versions of the releases that name a digest by its bytes, where that is how the file can be had. */
  readonly carriers?: (digest: string) => Promise<readonly string[]>;
  open(): Promise<Content>;
}

export interface Content {
  readonly cache: CacheState;
  readonly type: string;
  /** Strong validator without quotes; the same for a miss and the hits after it. */
  readonly tag: string;
  readonly lastModified?: string;
  /** `sha256:…`, once known. */
  readonly digest?: string;
  readonly body: Readable;
  /** Epoch milliseconds; Infinity for what never changes. */
  readonly freshUntil: number;
  /**
   * Called once by whoever sends the bytes: before the last of them, or when the client went away. Resolves when the pull
   * is on record; rejects when it must not be served without.
   */
  settle(outcome: Outcome): Promise<void>;
  /** What the hot lane needs to put later pulls of this answer on record; absent when there is nothing to record. */
  readonly record?: (asker: Asker, done: (error?: Error) => void) => void;
}

export interface Outcome {
  readonly aborted: boolean;
}

export type Asker = Pick<Ask, 'now' | 'requestId' | 'principal' | 'consumer' | 'client' | 'address'>;
