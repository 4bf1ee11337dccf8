import type { Ruleset } from '../../policy/rules.ts';
import type { ArtifactTarget } from '../format.ts';
import { blockOfTag, type Judged, judge, type Reading, type Verdict } from '../guard/judge.ts';
import type { Objects } from '../objects.ts';
import type { MemberListing, Scope } from '../source.ts';

/** A file as a list has it. */
export interface Listed extends Judged {
  /** Its version is a moving name, of which the list does not say what it means. */
  readonly unresolved?: true | undefined;
}

/** Time alone will lift it. */
export function isAboutTime({ rule }: Pick<NonNullable<Verdict['refused']>, 'rule'>): boolean {
  return rule.startsWith('cooldown/') || rule.startsWith('freeze/');
}

/**
 * What the rules say of an entry of a list. A moving name stays where it may mean something that may be had, and where it is
 * not known what it means: that is judged when it is asked for.
 */
export function judgeListed(
  file: Listed,
  reading: Reading,
  rules: readonly Ruleset[],
  scope: Scope | undefined,
  now: number,
): Verdict {
  if (!file.unresolved || !scope) return judge(file, reading, rules, scope, now);
  const { tag } = file;
  const byName = judge(file, reading, rules, undefined, now);
  if (byName.refused) return byName;
  const [current, ...earlier] = meaningsOf(scope, tag);
  if (current === undefined) {
    const blocked = blockOfTag(file, reading, scope, now);
    return blocked ? { refused: blocked } : {};
  }
  const judged = (version: string) => judge({ ...file, version }, reading, [], scope, now);
  const verdict = judged(current);
  if (!verdict.refused || !isAboutTime(verdict.refused)) return verdict;
  const { until } = verdict;
  const isHad = earlier.some((version) => judged(version).refused === undefined);
  return isHad ? { ...(until === undefined ? {} : { until }) } : verdict;
}

/** What a moving name means to whoever asks now. */
export interface Meant {
  readonly target: ArtifactTarget;
  /** Why it is not what the name means to everybody. */
  readonly instead?: string;
  /** Epoch milliseconds at which that may end. */
  readonly until?: number;
}

/**
 * Where time alone withholds what a name means, what it meant last that may be had and is kept. A block of what it means now
 * is not passed over: a person must see it.
 */
export async function meantBy(
  target: ArtifactTarget,
  { repository, rules, scope, options }: MemberListing,
  { format, objects, now }: { readonly format: Reading['format']; readonly objects: Objects; readonly now: number },
): Promise<Meant> {
  const before = scope ? meaningsOf(scope, target.tag).filter((version) => version !== target.version) : [];
  if (before.length === 0) return { target };
  const verdictOn = (one: ArtifactTarget) => judge(one, { format, options }, rules, scope, now);
  const { refused, until } = verdictOn(target);
  if (!refused || !isAboutTime(refused)) return { target };
  for (const version of before) {
    const earlier = format.index.earlier?.(target, version);
    if (!earlier || verdictOn(earlier).refused || !(await objects.get(repository, earlier.path))) continue;
    return { target: earlier, instead: refused.reason, ...(until === undefined ? {} : { until }) };
  }
  return { target };
}

/** The newest first. */
function meaningsOf({ meanings }: Scope, tag: string | undefined): readonly string[] {
  return tag !== undefined && meanings && Object.hasOwn(meanings.of, tag) ? (meanings.of[tag] ?? []) : [];
}
