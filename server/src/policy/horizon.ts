import { compile } from './compiled.ts';
import type { Candidate } from './decision.ts';
import type { Policy } from './policy.ts';

/** Which releases are meant: of a package, or of everything in these repositories. */
export type Scoped = Pick<Candidate, 'format' | 'dated' | 'repositories' | 'package' | 'versions'>;

/**
 * Epoch milliseconds: what became public before has been public for long enough for every rule, now and later. Undefined:
 * no rule asks how old these are.
 */
export function horizon(scoped: Scoped, policy: Policy, now: number): number | undefined {
  const { package: of, versions } = scoped;
  const rules = compile(policy);
  const { freezes, groups } = rules.general(scoped);
  const named = rules.packages.match(of && { ...of, version: undefined }, versions);
  const ages = [...groups.flat(), ...named.map(({ rule }) => rule)].map(({ age }) => age).filter((age) => age > 0);
  const frozen = freezes
    .filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now)
    .map(({ before }) => before);
  const longest = ages.length > 0 ? [now - Math.max(...ages)] : [];
  const bounds = [...frozen, ...longest];
  return bounds.length > 0 ? Math.min(...bounds) : undefined;
}
