import { mb } from './memory.ts';
import type { Outcome } from './run.ts';

/** The outcome as text for a terminal. */
export function report(outcome: Outcome): string {
  const { seed, topology, requests, upstreamRequests, actions, faults, audited, memory, harmedServed, findings } =
    outcome;
  return [
    `Soak of ${topology}, seed ${seed}: ${requests} requests, ${upstreamRequests} to the upstream.`,
    ...section(
      'What clients did',
      Object.entries(actions).map(([what, outcomes]) => `${what}: ${counts(outcomes)}`),
    ),
    ...section(
      'What went wrong on purpose',
      Object.entries(faults).map(([name, count]) => `${name}: ${count}`),
    ),
    ...section(
      'Audited',
      Object.entries(audited).map(([what, count]) => `${what.replaceAll('_', ' ')}: ${count}`),
    ),
    ...section(
      'Memory',
      memory.map(
        ({ server, thirds, last }) =>
          `server ${server}: at most ${thirds.map(mb).join(', ')} in each third; ${mb(last)} in the end`,
      ),
    ),
    ...(harmedServed > 0 ? [`Wrong bytes of blobs that were harmed on purpose: ${harmedServed} answers`] : []),
    '',
    ...verdict(findings, seed),
  ].join('\n');
}

function verdict(findings: Outcome['findings'], seed: string): readonly string[] {
  if (findings.length === 0) return ['Nothing is wrong.'];
  return [
    `WRONG, with seed ${seed}:`,
    ...findings.flatMap(({ what, count, examples }) => [
      `  ${what} (${count})`,
      ...examples.map((one) => `    ${one}`),
    ]),
  ];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function counts(outcomes: Readonly<Record<string, number>>): string {
  return Object.entries(outcomes)
    .sort(([, a], [, b]) => b - a)
    .map(([outcome, count]) => `${outcome} × ${count}`)
    .join(', ');
}
