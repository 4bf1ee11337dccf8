import { RE2JS } from 're2js';
import { Remembered } from './remembered.ts';

/** A repository's access patterns, as declared: plain data that crosses threads. RE2 syntax, unanchored. */
export interface Ruleset {
  /** Repository that declares them. */
  readonly repository: string;
  /** Empty: everything; otherwise a file must match one. */
  readonly patterns: readonly string[];
  /** A file that matches one is refused, whatever `patterns` say. */
  readonly blocklist: readonly string[];
  /** What is asked for by a tag that matches one is refused, whatever `patterns` say. */
  readonly banTags: readonly string[];
}

/** What a rule looks at: a file's canonical path below the repository, the name of its package, and the tag it is asked for by. */
export interface Subject {
  readonly path: string;
  readonly name?: string | undefined;
  readonly tag?: string | undefined;
}

export interface Refusal {
  readonly rule: string;
  readonly reason: string;
}

/** The first rule that refuses the subject; undefined when all admit it. */
export function refusal(subject: Subject, rulesets: readonly Ruleset[]): Refusal | undefined {
  for (const ruleset of rulesets) {
    const denied = ruleset.blocklist.find((pattern) => matches(pattern, subject));
    if (denied !== undefined) {
      return {
        rule: `${ruleset.repository}.blocklist`,
        reason: `${subject.name ?? subject.path} is on the blocklist of "${ruleset.repository}" (${denied})`,
      };
    }
    const banned = ruleset.banTags.find(
      (pattern) => subject.tag !== undefined && compile(pattern).matcher(subject.tag).find(),
    );
    if (banned !== undefined) {
      return {
        rule: `${ruleset.repository}.ban_tags`,
        reason: `the tag ${subject.tag} of ${subject.name ?? subject.path} is banned by "${ruleset.repository}" (${banned})`,
      };
    }
    if (ruleset.patterns.length > 0 && !ruleset.patterns.some((pattern) => matches(pattern, subject))) {
      return {
        rule: `${ruleset.repository}.patterns`,
        reason: `${subject.name ?? subject.path} matches none of the patterns that "${ruleset.repository}" admits`,
      };
    }
  }
  return undefined;
}

const compiled = new Remembered<RE2JS>(4096);

function matches(pattern: string, subject: Subject): boolean {
  const re = compile(pattern);
  return re.matcher(subject.path).find() || (subject.name !== undefined && re.matcher(subject.name).find());
}

/** Compiled once per thread; the declaration was checked when it was made, so this does not fail. */
export function compile(pattern: string): RE2JS {
  return compiled.of(pattern, () => RE2JS.compile(pattern));
}
