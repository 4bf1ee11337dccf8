/** An object as whoever makes room sees it. */
export interface UsedObject {
  readonly repository: string;
  readonly path: string;
  readonly digest: string;
  readonly size: number;
  /** When it was fetched, found unchanged or pulled last; pulls move it on when it is over an hour old. */
  readonly usedAt: number;
}

/** Of remotes only, and never what is kept as evidence: what the upstream took back, changed, or has beside it. */
export interface UnusedFilter {
  /** Absent: of all. */
  readonly repository?: string;
  /** Used before that time. */
  readonly before: number;
  /** Only those larger than so many bytes; with `repository`. */
  readonly largerThan?: number;
  readonly limit: number;
}

export interface BlobRow {
  readonly digest: string;
  readonly size: number;
  /** Since when no object has meant it, as far as that was noticed. */
  readonly orphanedAt?: number;
  /** Since when it is being deleted. */
  readonly deletingAt?: number;
}

/** An object that means a blob. */
export interface Holder {
  readonly repository: string;
  readonly path: string;
  readonly digest: string;
  readonly size: number;
  /** Published here: there is no upstream to fetch it from. */
  readonly hosted: boolean;
}

export interface Sizes {
  readonly blobs: number;
  /** Of all blobs, each counted once; those that nothing means included. */
  readonly bytes: number;
  readonly orphanedBytes: number;
  /** Of the objects, each counted; in order of name. */
  readonly byRepository: readonly { readonly repository: string; readonly objects: number; readonly bytes: number }[];
}
