import type { Age, Dated, Evidence } from './evidence.ts';
import type { Release } from './matcher.ts';
import type { VersionOrder } from './versions.ts';

/** What is judged: a file of a release, with what is known of when the release became public. */
export interface Candidate {
  /** Id of its format. */
  readonly format: string;
  readonly dated: Dated;
  /** The repositories it is asked through: the one that has it, and every virtual on the way. */
  readonly repositories: readonly string[];
  /** The parts of its package URL, as the format spells them; absent: it is a file of no package. */
  readonly package?: Release;
  /** How the format orders versions; absent: it does not. */
  readonly versions?: VersionOrder | undefined;
  /** Canonical path below the repository. */
  readonly path: string;
  readonly evidence: Evidence;
  /** It was published here: only a block refuses it. */
  readonly firstParty?: boolean;
}

export type Decision = Allowed | Refused;

export interface Allowed {
  readonly allowed: true;
  /** Epoch milliseconds until which it holds; absent: it does not change by itself. */
  readonly until?: number;
  /** What its age was judged by; absent: no rule asked. */
  readonly evidence?: Age;
  /** Why, where it is not that no rule objects: an exemption, or a cooldown that allows an unknown age. */
  readonly because?: Reason;
  /** What would have been refused by rules that only observe. */
  readonly observed?: readonly Objection[];
}

export interface Refused extends Objection {
  readonly allowed: false;
  readonly observed?: readonly Objection[];
}

export interface Reason {
  /** Kind and name of the resource: `cooldown/default`. */
  readonly rule: string;
  readonly kind: 'block' | 'freeze' | 'cooldown' | 'exemption';
  /** A sentence without its full stop: one line of ASCII, dates in UTC. */
  readonly reason: string;
}

export interface Objection extends Reason {
  /**
   * Epoch milliseconds until which it is refused, by this rule or by another; absent: it does not change by itself.
   */
  readonly until?: number;
  readonly evidence?: Age;
}
