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
