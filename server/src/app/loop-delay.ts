import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

/** Milliseconds between two looks at whether there is anything to measure. */
const LOOK = 5000;
/** Of that time, at least this share spent working is worth measuring. */
const WORKING = 0.05;
/** Milliseconds between two measurements, which they include. */
const RESOLUTION = 20;
/** Looks that one report covers at most. */
const REPORT = 12;

/** How long what is due waits for the event loop, over the last minute or less. Measured only while there is work: an idle process sleeps. */
export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  readonly #timer: NodeJS.Timeout;
  #before = performance.eventLoopUtilization();
  #measuring = false;
  #looks = 0;

  constructor() {
    this.#timer = setInterval(() => this.#look(), LOOK).unref();
  }

  /** Seconds; 0 while there is nothing to wait for. */
  percentile(percent: number): number {
    if (!this.#measuring || this.#histogram.count === 0) return 0;
    return Math.max(0, this.#histogram.percentile(percent) / 1e9 - RESOLUTION / 1000);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }

  #look(): void {
    const isWorking = performance.eventLoopUtilization(this.#before).utilization >= WORKING;
    this.#before = performance.eventLoopUtilization();
    this.#looks += 1;
    if (isWorking === this.#measuring && this.#looks < REPORT) return;
    this.#looks = 0;
    this.#measuring = isWorking;
    this.#histogram.reset();
    if (isWorking) this.#histogram.enable();
    else this.#histogram.disable();
  }
}
