import type { PullRow } from './pulls.ts';

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
