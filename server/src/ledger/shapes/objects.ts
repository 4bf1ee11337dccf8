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
  /** Where several processes fetch: that of the fetch that it came with. One that began later is never overwritten by one that began earlier. */
  readonly fence?: number;
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
