import { compile } from './compiled.ts';
import type { Candidate, Decision, Refused } from './decision.ts';
import { Hearing } from './hearing.ts';
import type { Match } from './matcher.ts';
import type { PackageParts } from './package-key.ts';
import type { Block, Policy } from './policy.ts';
import { blockedBy, type Labelled } from './sentences.ts';

/**
 * What the policy says of a file at a moment, epoch milliseconds: blocks, then freezes, then cooldowns, of which exemptions
 * lift the last two. Facts that cannot be had mean refused. Never throws.
 */
export function decide(candidate: Candidate, policy: Policy, now: number): Decision {
  const blocked = blockOf(candidate, policy);
  if (blocked) return blocked;
  if (candidate.firstParty) return { allowed: true };
  return new Hearing(candidate, compile(policy), now).verdict();
}

/** The block of a package as a whole, whatever its versions: of what has no version, and is not a release. */
export function blockOfPackage(parts: PackageParts, policy: Policy): Refused | undefined {
  const { type, namespace, name } = parts;
  const whole = certainOf(compile(policy).blocks.match({ type, namespace, name }, undefined));
  return refusedBy(whole, { package: parts, path: name }, true);
}

function blockOf(candidate: Candidate, policy: Policy): Refused | undefined {
  const matches = compile(policy).blocks.match(candidate.package, candidate.versions);
  const certain = certainOf(matches);
  return refusedBy(certain, candidate, true) ?? refusedBy(matches, candidate, false);
}

function certainOf(matches: readonly Match<Block>[]): readonly Match<Block>[] {
  return matches.filter(({ covered }) => covered === 'yes');
}

function refusedBy(matches: readonly Match<Block>[], subject: Labelled, certain: boolean): Refused | undefined {
  const [first] = matches.map(({ rule }) => rule).toSorted((one, other) => (one.name < other.name ? -1 : 1));
  if (!first) return undefined;
  const reason = blockedBy(first, subject, certain);
  return { allowed: false, rule: `block/${first.name}`, kind: 'block', reason };
}
