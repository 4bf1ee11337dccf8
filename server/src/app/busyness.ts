import { performance } from 'node:perf_hooks';

/** Of the time since it was last asked, at least this share spent working makes a thread busy. */
const BUSY = 0.5;
/** Milliseconds that one measurement lasts. */
const PERIOD = 100;

/** Whether the serving thread is busy. */
export function busyness(): () => boolean {
  let before = performance.eventLoopUtilization();
  let at = performance.now();
  let busy = false;
  return () => {
    if (performance.now() - at < PERIOD) return busy;
    busy = performance.eventLoopUtilization(before).utilization >= BUSY;
    before = performance.eventLoopUtilization();
    at = performance.now();
    return busy;
  };
}
