import { compile } from './compiled.ts';
import type { Candidate, Decision, Refused } from './decision.ts';
import { Hearing } from './hearing.ts';
import type { PackageParts } from './package-key.ts';
import type { Block, Policy } from './policy.ts';
import { blockedBy } from './sentences.ts';

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
  const candidate: Candidate = {
    format: '',
    dated: 'none',
    repositories: [],
    package: parts,
    path: '',
    evidence: {},
  };
  const { type, namespace, name } = parts;
  const whole = compile(policy)
    .blocks.match({ type, namespace, name }, undefined)
    .filter(({ covered }) => covered === 'yes');
  return refusedBy(
    whole.map(({ rule }) => rule),
    candidate,
    true,
  );
}

function blockOf(candidate: Candidate, policy: Policy): Refused | undefined {
  if (!candidate.package) return undefined;
  const matches = compile(policy).blocks.match(candidate.package, candidate.versions);
  if (matches.length === 0) return undefined;
  const certain = matches.filter(({ covered }) => covered === 'yes');
  const rules = (certain.length > 0 ? certain : matches).map(({ rule }) => rule);
  return refusedBy(rules, candidate, certain.length > 0);
}

function refusedBy(blocks: readonly Block[], candidate: Candidate, certain: boolean): Refused | undefined {
  const [first] = blocks.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  if (!first) return undefined;
  const reason = blockedBy(first, candidate, certain);
  return { allowed: false, rule: `block/${first.name}`, kind: 'block', reason };
}
