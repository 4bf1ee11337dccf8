import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds. */
const WORTH_A_TIMER = 10;

/** Keeps work in the background to a share of one core: what it took is waited for in proportion. */
export class Pace {
  readonly #share: number;
  readonly #signal: AbortSignal;
  /** Milliseconds that are still to be waited. */
  #debt = 0;

  /** `share`: of a core, above 0; 1 never waits. `signal`: ends it, with an `AbortError` for whoever waits. */
  constructor(share: number, signal: AbortSignal) {
    this.#share = share;
    this.#signal = signal;
  }

  /** Does a small piece of the work. */
  async of<Result>(piece: () => Promise<Result>): Promise<Result> {
    const began = performance.now();
    const result = await piece();
    this.#debt += (performance.now() - began) * (1 / this.#share - 1);
    this.#signal.throwIfAborted();
    if (this.#debt < WORTH_A_TIMER) return result;
    const due = this.#debt;
    this.#debt = 0;
    await sleep(due, undefined, { ref: false, signal: this.#signal });
    return result;
  }
}
