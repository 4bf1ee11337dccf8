import type { Blocks } from './blocks.ts';
import type { Damage } from './damage.ts';
import type { Findings } from './findings.ts';
import type { Installation } from './installation.ts';
import type { Judge } from './judge.ts';
import type { Publications } from './publications.ts';
import type { Records } from './records.ts';
import type { Upstream } from './upstream.ts';
import type { Weather } from './weather.ts';
import type { World } from './world.ts';

/** Everything that clients, faults and the audit of one run share. */
export interface Session {
  readonly seed: string;
  readonly world: World;
  readonly upstream: Upstream;
  readonly installation: Installation;
  /** Where clients reach each server. */
  readonly addresses: readonly string[];
  readonly judge: Judge;
  readonly weather: Weather;
  readonly blocks: Blocks;
  readonly publications: Publications;
  readonly damage: Damage;
  readonly findings: Findings;
  readonly records: Records;
  readonly counts: Counts;
  /** A line of what happens. */
  readonly say: (line: string) => void;
}

/** How often clients did what, and what came of it. */
export class Counts {
  readonly #counts = new Map<string, Map<string, number>>();

  add(what: string, outcome: string): void {
    const outcomes = this.#counts.get(what) ?? new Map<string, number>();
    this.#counts.set(what, outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1));
  }

  get all(): Readonly<Record<string, Readonly<Record<string, number>>>> {
    const sorted = [...this.#counts].sort(([a], [b]) => a.localeCompare(b));
    return Object.fromEntries(sorted.map(([what, outcomes]) => [what, Object.fromEntries(outcomes)]));
  }
}
