import { decide } from '../../policy/decide.ts';
import type { Candidate, Decision, Objection } from '../../policy/decision.ts';
import type { Age } from '../../policy/evidence.ts';
import { type Ruleset, refusal } from '../../policy/rules.ts';
import type { AnyFormat } from '../format.ts';
import { packageOf } from '../purl.ts';
import type { Dated, FileFacts, FirstSight, Scope } from '../source.ts';

/** What is judged: a file, as an index or a request names it. */
export interface Judged extends Pick<FileFacts, 'path' | 'name' | 'version' | 'published' | 'guessed'> {
  /** The moving name it is asked for by, and the path of that. */
  readonly tag?: string | undefined;
  readonly alias?: string | undefined;
  readonly lastModified?: number | undefined;
  /** In place of what is on record. */
  readonly firstSeen?: FirstSight;
}

/** The verdict on one file, from patterns and policy alike. */
export interface Verdict {
  readonly refused?: { readonly rule: string; readonly reason: string };
  /** Epoch milliseconds at which it may be another; absent: not by itself. */
  readonly until?: number;
  /** What its age was judged by; absent: no rule asked. */
  readonly evidence?: Age;
  /** Why it is admitted, where it is not that no rule objects. */
  readonly because?: { readonly rule: string; readonly reason: string };
  /** What rules that only observe would have refused. */
  readonly observed?: readonly Objection[];
}

/** By which format and which of a member's options names are read. */
export interface Reading {
  readonly format: AnyFormat;
  readonly options: Readonly<Record<string, unknown>>;
}

const ADMITTED: Verdict = {};
/** Of a request, in milliseconds. */
const LONGEST_WAY = 10 * 60_000;

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
  const blocked = blockOfTag(file, reading, scope, now);
  if (blocked) return { refused: blocked };
  const decision = decide(candidateOf(file, reading, scope, now), scope.policy.policy, now);
  return verdictOf(decision);
}

/** A block may name a moving name as it names a version: it refuses what is asked for by that, whatever it means. */
export function blockOfTag(file: Judged, reading: Reading, scope: Scope, now: number): Verdict['refused'] {
  if (file.tag === undefined) return undefined;
  const asTag = candidateOf({ ...file, version: file.tag }, reading, { ...scope, firstParty: true }, now);
  return verdictOf(decide(asTag, scope.policy.policy, now)).refused;
}

function candidateOf(file: Judged, { format, options }: Reading, scope: Scope, now: number): Candidate {
  const { path, name, guessed } = file;
  const version = guessed ? undefined : file.version;
  const { dates } = scope;
  const dated: Dated | undefined = dates && Object.hasOwn(dates.of, path) ? dates.of[path] : undefined;
  const { published = dated?.published, lastModified = dated ? dated.lastModified : dates?.at } = file;
  const recorded =
    version === undefined || !scope.seen || !Object.hasOwn(scope.seen, version) ? undefined : scope.seen[version];
  return {
    format: format.id,
    dated: format.traits.evidence,
    repositories: scope.repositories,
    path,
    firstParty: scope.firstParty,
    ...(name === undefined ? {} : { package: { ...packageOf(format, options, name), version } }),
    versions: format.versions,
    evidence: { index: published, lastModified, firstSeen: asOf(file.firstSeen ?? recorded, now) },
  };
}

/** What is seen on the way of a request was seen when it came, and not in its future. */
function asOf(sight: FirstSight | undefined, now: number): FirstSight | undefined {
  return sight && sight.at > now && sight.at < now + LONGEST_WAY ? { ...sight, at: now } : sight;
}

function verdictOf(decision: Decision): Verdict {
  const { until, evidence, observed } = decision;
  const common = {
    ...(until === undefined ? {} : { until }),
    ...(evidence === undefined ? {} : { evidence }),
    ...(observed === undefined ? {} : { observed }),
  };
  if (decision.allowed) {
    const { because } = decision;
    return because ? { ...common, because: { rule: because.rule, reason: because.reason } } : common;
  }
  return { ...common, refused: { rule: decision.rule, reason: decision.reason } };
}
