import type { Findings } from './findings.ts';
import type { MemorySample } from './watch.ts';

/** Bytes. */
const MOST = 300_000_000;
const GROWTH = 1.1;
/** Shorter runs say nothing: it takes a while until everything that is kept ready is full, and what is not needed is given back. */
const LONG_ENOUGH = 8 * 60_000;

/** Resident memory of one server, in bytes; thirds of the time that was watched, the highest of each. */
export interface Memory {
  readonly server: number;
  readonly thirds: readonly number[];
  readonly last: number;
}

export function memoryOf(
  samples: readonly MemorySample[],
  findings: Findings,
  milliseconds: number,
): readonly Memory[] {
  return [...new Set(samples.map(({ server }) => server))].sort().map((server) => {
    const own = samples.filter((sample) => sample.server === server);
    const [from, to] = [own[0]?.at ?? 0, own.at(-1)?.at ?? 0];
    const thirdOf = (at: number) => Math.min(2, Math.floor((3 * (at - from)) / Math.max(1, to - from)));
    const thirds = [0, 1, 2].map((third) =>
      Math.max(0, ...own.filter(({ at }) => thirdOf(at) === third).map(({ bytes }) => bytes)),
    );
    const memory = { server, thirds, last: own.at(-1)?.bytes ?? 0 };
    judge(memory, findings, milliseconds);
    return memory;
  });
}

function judge(
  { server, thirds: [first = 0, , third = 0], last }: Memory,
  findings: Findings,
  milliseconds: number,
): void {
  const shown = `server ${server}: ${mb(first)} in the first third, ${mb(third)} in the last, ${mb(last)} in the end`;
  if (milliseconds < LONG_ENOUGH) return;
  if (last > MOST) findings.add(`a server has more than ${mb(MOST)} of memory`, shown);
  if (third > first * GROWTH) findings.add('memory grows', shown);
}

export function mb(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
