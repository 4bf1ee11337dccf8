import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Milliseconds between two looks at how busy the process is; after so many quiet ones in a row memory is given back. */
const LOOK_MS = 10_000;
const QUIET_LOOKS = 3;
/** Share of the time that the event loop works, below which the process counts as quiet. */
const QUIET = 0.02;

export interface RespiteDeps {
  /** Share of the time since the last call that the event loop worked. */
  readonly utilization: () => number;
  readonly giveBack: () => void;
}

/**
 * Gives memory back to the system when there is nothing to do: V8 keeps the room that a busy moment took, 40 MB after a
 * start alone. Once per quiet time, since it stops everything for some hundredths of a second.
 */
export class Respite {
  readonly #deps: RespiteDeps;
  #quiet = 0;
  #done = false;

  constructor(deps: RespiteDeps = { utilization: utilization(), giveBack }) {
    this.#deps = deps;
  }

  /** Looks from now on, until the function that this returns is called. */
  watch(): () => void {
    const timer = setInterval(() => this.look(), LOOK_MS).unref();
    return () => clearInterval(timer);
  }

  look(): void {
    const isQuiet = this.#deps.utilization() < QUIET;
    this.#quiet = isQuiet ? this.#quiet + 1 : 0;
    if (!isQuiet) this.#done = false;
    if (this.#done || this.#quiet < QUIET_LOOKS) return;
    this.#done = true;
    this.#deps.giveBack();
  }
}

function utilization(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}

/** The only collection after which V8 shrinks the space of young objects to what is in it. */
export function giveBack(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
