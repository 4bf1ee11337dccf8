import type { PackagePattern } from './package-pattern.ts';

/** The declared rules, parsed: plain data that crosses threads. One object per revision: what is compiled of it is kept with it. */
export interface Policy {
  readonly blocks: readonly Block[];
  readonly freezes: readonly Freeze[];
  readonly cooldowns: readonly Cooldown[];
  readonly exemptions: readonly Exemption[];
}

interface Named {
  /** Name of the resource that declares it. */
  readonly name: string;
}

interface Rule extends Named {
  /** In the words of whoever declared it. */
  readonly reason?: string;
}

/** Packages that are refused whatever else is declared. */
export interface Block extends Rule {
  readonly packages: readonly PackagePattern[];
  /** Where more is written about it. */
  readonly url?: string;
}

/** Nothing that became public at this time or later. */
export interface Freeze extends Rule {
  /** Epoch milliseconds. */
  readonly before: number;
  /** Ids of formats; absent, like `repositories`: all that have evidence of time. */
  readonly formats?: readonly string[];
  readonly repositories?: readonly string[];
  /** Epoch milliseconds; absent: until it is deleted. */
  readonly expiresAt?: number;
}

/** How long a release must have been public. A package over a format over the default; 0: not at all. */
export interface Cooldown extends Named {
  /** Milliseconds, for formats that have evidence of time. */
  readonly otherwise?: number;
  /** Milliseconds by id of format. */
  readonly formats: Readonly<Record<string, number>>;
  /** The most specific pattern wins. */
  readonly packages: readonly PackageAge[];
  /** Absent: every repository. */
  readonly repositories?: readonly string[];
  readonly mode: 'enforce' | 'observe';
  readonly unknownAge: 'withhold' | 'allow';
  readonly authorTimes: AuthorTimes;
}

export interface PackageAge {
  readonly pattern: PackagePattern;
  /** Milliseconds. */
  readonly age: number;
}

/** `baseline`: they count for what stood in the first listing of its package that was ever seen; `never`: they do not. */
export type AuthorTimes = 'baseline' | 'never';

/** Lifts cooldowns and freezes until it ends. */
export interface Exemption extends Rule {
  readonly packages: readonly PackagePattern[];
  /** Names of the cooldowns it lifts, and no freeze; absent: all of both. */
  readonly from?: readonly string[];
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}
