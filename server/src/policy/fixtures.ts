import { formats } from '../formats/all.ts';
import type { Candidate, Decision } from './decision.ts';
import type { Evidence } from './evidence.ts';
import { type PackagePattern, parsePattern, type VersionOrders } from './package-pattern.ts';
import type { Cooldown, Exemption, Freeze, Policy } from './policy.ts';

const ORDERS: VersionOrders = new Map(formats.map(({ traits, versions }) => [traits.purl, versions]));
export const DAY = 86_400_000;
export const NOW = Date.UTC(2026, 10, 25, 12);
export const pattern = (text: string): PackagePattern => parsePattern(text, ORDERS);

export function policy(rules: Partial<Policy>): Policy {
  return { blocks: [], freezes: [], cooldowns: [], exemptions: [], ...rules };
}

export function cooldown(rules: Partial<Omit<Cooldown, 'packages'>> & { packages?: Record<string, number> }): Cooldown {
  const packages = Object.entries(rules.packages ?? {}).map(([text, age]) => ({ pattern: pattern(text), age }));
  return {
    name: 'default',
    formats: {},
    mode: 'enforce',
    unknownAge: 'withhold',
    authorTimes: 'baseline',
    ...rules,
    packages,
  };
}

export function exemption(packages: readonly string[], rules: Partial<Exemption> = {}): Exemption {
  return { name: 'hotfix', expiresAt: NOW + DAY, ...rules, packages: packages.map(pattern) };
}

export function freeze(before: string, rules: Partial<Freeze> = {}): Freeze {
  return { name: 'may', before: Date.parse(before), ...rules };
}

/** lodash 4.18.0, published two days ago, asked of npm-public through npm. */
export function lodash(given: Partial<Candidate> = {}): Candidate {
  const versions = formats.find(({ id }) => id === 'npm')?.versions;
  return {
    format: 'npm',
    dated: 'index',
    repositories: ['npm', 'npm-public'],
    package: { type: 'npm', name: 'lodash', version: '4.18.0' },
    ...(versions && { versions }),
    path: 'lodash/-/lodash-4.18.0.tgz',
    evidence: server(2 * DAY),
    ...given,
  };
}

export const server = (age: number): Evidence => ({ index: { at: NOW - age, by: 'server' } });
export const author = (age: number, firstSeen?: Evidence['firstSeen']): Evidence => ({
  index: { at: NOW - age, by: 'author' },
  ...(firstSeen && { firstSeen }),
});
export const reasonOf = (decision: Decision): string =>
  decision.allowed ? (decision.because?.reason ?? 'no rule objects') : decision.reason;
export const WEEK = policy({ cooldowns: [cooldown({ otherwise: 7 * DAY })] });

export const image = (evidence: Evidence): Candidate =>
  lodash({
    format: 'oci',
    dated: 'none',
    package: { type: 'oci', name: 'library/alpine', version: 'sha256:00' },
    evidence,
  });
