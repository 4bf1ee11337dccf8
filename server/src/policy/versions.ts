/** How an ecosystem reads and orders its versions; a format brings its own. */
export interface VersionOrder {
  /** The one spelling of a version, equal for those that mean the same; undefined: it is none of this ecosystem. */
  canonical(version: string): string | undefined;
  /** Below zero: the left one is earlier. Takes what `canonical` knows. */
  compare(left: string, right: string): number;
  /** Whether it says itself that it comes before a release. Takes what `canonical` knows. */
  isPrerelease(version: string): boolean;
}

/** Whether a rule is about a version. `unknown`: its place in the order cannot be told. */
export type Covered = 'yes' | 'no' | 'unknown';
