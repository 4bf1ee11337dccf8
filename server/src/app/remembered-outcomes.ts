import { LRUCache } from 'lru-cache';
import { Fault } from '../engine/fault.ts';
import type { Change, Outcome } from './change.ts';

const FOR = 3_600_000;
const MOST = 10_000;

/** What changes with a key came to, so that sending one again is answered as the first time. */
export class RememberedOutcomes {
  readonly #outcomes: LRUCache<string, { readonly asked: string; readonly outcome: Outcome }>;

  constructor(now: () => number) {
    this.#outcomes = new LRUCache({ max: MOST, ttl: FOR, ttlResolution: 0, perf: { now } });
  }

  /** Throws `Fault('conflict')` when the key was used for another change. */
  of(change: Change): Outcome | undefined {
    const known = change.key === undefined ? undefined : this.#outcomes.get(change.key);
    if (!known) return undefined;
    if (known.asked !== asked(change)) {
      throw new Fault('conflict', `the key ${JSON.stringify(change.key)} was used for another change: choose another`);
    }
    return { ...known.outcome, change };
  }

  keep(outcome: Outcome): void {
    const { key } = outcome.change;
    if (key !== undefined) this.#outcomes.set(key, { asked: asked(outcome.change), outcome });
  }
}

function asked(change: Change): string {
  return JSON.stringify(change);
}
