import type { ObjectRow } from './objects.ts';

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
