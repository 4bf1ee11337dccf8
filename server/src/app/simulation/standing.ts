import { decide } from '../../policy/decide.ts';
import type { Candidate, Refused } from '../../policy/decision.ts';
import type { Policy } from '../../policy/policy.ts';

/** What one policy says of one candidate, kept for as long as it holds. */
export class Standing {
  readonly #policy: Policy;
  #from = Number.POSITIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;
  #refused: Refused | undefined;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  /** At a time, epoch milliseconds; undefined: it is admitted. */
  at(candidate: Candidate, time: number): Refused | undefined {
    if (!this.holds(time)) {
      const decision = decide(candidate, this.#policy, time);
      this.#from = time;
      this.#until = decision.until ?? Number.POSITIVE_INFINITY;
      this.#refused = decision.allowed ? undefined : decision;
    }
    return this.#refused;
  }

  /** Whether what it said last is true of that time too. */
  holds(time: number): boolean {
    return time >= this.#from && time < this.#until;
  }
}
