/** What a document says of releases that no document dates. */
export interface Sights {
  readonly repository: string;
  readonly format: string;
  readonly name: string;
  /** Epoch milliseconds at which we first had the document. */
  readonly at: number;
  /** Every moving name that the package has: its first listing, where none is on record yet. Absent: it cannot be had now. */
  readonly listing?: readonly string[];
  /** `tag`: the moving name that means it. */
  readonly releases: readonly { readonly version: string; readonly tag?: string }[];
  /** The one of them that names the others, and `parts`, the digests of its files, by their bytes. */
  readonly carrier?: { readonly version: string; readonly parts: readonly string[] };
  /** A release that they refer to. */
  readonly beside?: string;
}

/** Since when a moving name was last seen to mean a version, epoch milliseconds. */
export interface Meaning {
  readonly tag: string;
  readonly version: string;
  readonly since: number;
}
