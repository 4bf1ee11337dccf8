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

export interface JournalPosition {
  /** File name of the segment. */
  readonly segment: string;
  /** Bytes of it that are in the ledger. */
  readonly offset: number;
}
