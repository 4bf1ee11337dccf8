import { decide } from '../policy/decide.ts';
import type { Candidate, Decision } from '../policy/decision.ts';
import type { Age } from '../policy/evidence.ts';
import { type Ruleset, refusal } from '../policy/rules.ts';
import type { AnyFormat } from './format.ts';
import { packageOf } from './purl.ts';
import type { FileFacts, Scope } from './source.ts';

/** What is judged: a file, as an index or a request names it. */
export interface Judged extends Pick<FileFacts, 'path' | 'name' | 'version' | 'published'> {
  /** The moving name it is asked for by, and the path of that. */
  readonly tag?: string | undefined;
  readonly alias?: string | undefined;
  readonly lastModified?: number | undefined;
}

/** The verdict on one file, from patterns and policy alike. */
export interface Verdict {
  readonly refused?: { readonly rule: string; readonly reason: string };
  /** Epoch milliseconds at which it may be another; absent: not by itself. */
  readonly until?: number;
  /** What its age was judged by; absent: no rule asked. */
  readonly evidence?: Age;
}

/** By which format and which of a member's options names are read. */
export interface Reading {
  readonly format: AnyFormat;
  readonly options: Readonly<Record<string, unknown>>;
}

const ADMITTED: Verdict = {};

/** Every rule that there is: the one judgement that drops a file from an index and refuses its bytes. */
export function judge(
  file: Judged,
  reading: Reading,
  rules: readonly Ruleset[],
  scope: Scope | undefined,
  now: number,
): Verdict {
  const { path, alias, name, tag } = file;
  for (const spelling of alias === undefined ? [path] : [path, alias]) {
    const refused = refusal({ path: spelling, name, tag }, rules);
    if (refused) return { refused };
  }
  if (!scope) return ADMITTED;
  const decision = decide(candidateOf(file, reading, scope), scope.policy.policy, now);
  return verdictOf(decision);
}

function candidateOf(file: Judged, { format, options }: Reading, scope: Scope): Candidate {
  const { path, name, version, tag, published, lastModified } = file;
  const sight =
    version === undefined || !scope.seen || !Object.hasOwn(scope.seen, version) ? undefined : scope.seen[version];
  return {
    format: format.id,
    dated: format.traits.evidence,
    repositories: scope.repositories,
    path,
    firstParty: scope.firstParty,
    ...(name === undefined ? {} : { package: { ...packageOf(format, options, name), version } }),
    ...(format.versions === undefined ? {} : { versions: format.versions }),
    ...(tag === undefined ? {} : { tag }),
    evidence: {
      ...(published === undefined ? {} : { index: published }),
      ...(lastModified === undefined ? {} : { lastModified }),
      ...(sight === undefined ? {} : { firstSeen: sight }),
    },
  };
}

function verdictOf(decision: Decision): Verdict {
  const { until, evidence } = decision;
  const common = { ...(until === undefined ? {} : { until }), ...(evidence === undefined ? {} : { evidence }) };
  if (decision.allowed) return common;
  return { ...common, refused: { rule: decision.rule, reason: decision.reason } };
}
