import { foldedForWildcards } from '../../policy/package-key.ts';
import { wildcardMatches } from '../../policy/package-pattern.ts';

const LONGEST = 300;

/**
 * A claim as it is held against names, in the one spelling that its ecosystem folds names to: `*` stands for any run of
 * characters, slashes too. `type`: of the ecosystem's package URLs. Throws `RangeError` that says, to follow the name of
 * the field, what is wrong with it.
 */
export function parseClaim(text: string, type: string): string {
  if (text.length > LONGEST) throw new RangeError(`must have at most ${LONGEST} characters, not ${text.length}`);
  if (/^pkg:/i.test(text)) throw new RangeError('is a package URL: a claim is a name as clients write it, @acme/*');
  const problem = problemOf(text);
  if (problem !== undefined) throw new RangeError(problem);
  const name = type === 'maven' ? text.replace(':', '/') : text;
  if (type === 'npm') requireNpm(name);
  if (type === 'maven' && !/[/*]/.test(name)) throw new RangeError(`is a group: all that is in it is "${name}:*"`);
  if (type !== 'generic' && name.includes(':')) throw new RangeError('must not have a colon: it is a name alone');
  if (/[/:]$|^\//.test(name))
    throw new RangeError('must not begin or end with a slash: *, at the end, claims what is below');
  return folded(type, name);
}

/** `patterns`: as `parseClaim` gives them. */
export function isClaimed(name: string, type: string, patterns: readonly string[]): boolean {
  if (patterns.length === 0) return false;
  const text = folded(type, name);
  return patterns.some((pattern) => (pattern.includes('*') ? wildcardMatches(pattern, text) : pattern === text));
}

/** Case makes no difference, also where an ecosystem has names that differ in nothing else: those would be mistaken for it. */
const folded = (type: string, name: string): string => foldedForWildcards(type, name).toLowerCase();

function problemOf(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\s\x00-\x1f\x7f\\]/.test(text)) return 'must not have blanks, control characters or backslashes';
  if (/%/.test(text)) return 'must not be percent-encoded: a claim is a name as clients write it, @acme/*';
  if (/[?[\]{}()|^$,"'`<>]/.test(text))
    return 'must be a name in which * stands for any characters: nothing else has a meaning';
  if (text.includes('**')) return 'must not have **: one * stands for any run of characters, slashes too';
  if (!/[\p{L}\p{N}]/u.test(text)) return 'must have a letter or a digit: as it is, every name would be claimed';
  if (/(?:^|\/)\.{1,2}(?:\/|$)/.test(text) || text.includes('//')) return 'must not have empty, . or .. parts';
  return undefined;
}

function requireNpm(name: string): void {
  if (name.includes('/') && !/^[@*]/.test(name)) throw new RangeError('is no name of npm: a scope begins with @');
  if (/^@[^/*]*$/.test(name)) throw new RangeError(`is a scope: all that is in it is ${JSON.stringify(`${name}/*`)}`);
}
