/** What a format's traits say of the evidence it has; `none`: it is held back only by what names it. */
export type Dated = 'index' | 'details' | 'last_modified' | 'author' | 'none';

/** When a release became public, as each source has it. Times are epoch milliseconds. */
export interface Evidence {
  /** From an index, or from the details of the release. */
  readonly index?: { readonly at: number; readonly by: 'server' | 'author' } | undefined;
  /** Of the file, as the upstream's server says. */
  readonly lastModified?: number | undefined;
  /** When a listing first had it; `baseline`: the first listing of its package that was ever seen. */
  readonly firstSeen?: { readonly at: number; readonly baseline: boolean } | undefined;
}

/** When a release became public, by the best source there is. */
export interface Age {
  /**
   * Who says so. `baseline`: nobody, but it stood in the first listing of its package. `none`: nobody, so that policy
   * cannot know.
   */
  readonly source: 'server' | 'author' | 'last-modified' | 'first-seen' | 'baseline' | 'none';
  /** Epoch milliseconds; of `baseline`, when that listing was read. */
  readonly at?: number;
  /** Times that were given and do not count, and why: `the index says 2099-01-01 00:00 UTC, which is in the future`. */
  readonly rejected?: readonly Rejected[];
}

export interface Rejected {
  readonly source: 'server' | 'author' | 'last-modified' | 'first-seen';
  readonly at: number;
  readonly why: 'future' | 'epoch' | 'author';
}
