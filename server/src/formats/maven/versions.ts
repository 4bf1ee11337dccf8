/** Maven's order of versions, as `ComparableVersion` of Maven 3 has it. */

import type { VersionOrder } from '../../engine/format.ts';

type Item = bigint | string | readonly Item[];

/** From the least to the release itself (empty) and what follows it; a word that is none of these comes after them all. */
const QUALIFIERS = ['alpha', 'beta', 'milestone', 'rc', 'snapshot', '', 'sp'];
const RELEASE = QUALIFIERS.indexOf('');
const ALIASES: Readonly<Record<string, string>> = { ga: '', final: '', release: '', cr: 'rc' };
const SHORT: Readonly<Record<string, string>> = { a: 'alpha', b: 'beta', m: 'milestone' };
/** Longer ones are compared by their beginnings. */
const LONGEST = 200;

/** Any text is a version. `1.0` and `1.0.0` have one place in the order, and are two: each has its own files. */
export const mavenOrder: VersionOrder = {
  canonical: (version) => (version === '' || /\s/.test(version) ? undefined : version),
  compare: compareVersions,
  isPrerelease,
};

export function compareVersions(left: string, right: string): number {
  return compare(parsed(left), parsed(right));
}

/** Whether a word of it says that it comes before a release. */
export function isPrerelease(version: string): boolean {
  const says = (item: Item): boolean =>
    typeof item === 'string' ? rank(item)[0] < RELEASE : typeof item !== 'bigint' && item.some(says);
  return says(parsed(version));
}

/** `1.0-rc2`, `1.0.rc2` → [1, [rc, [2]]]: a hyphen, a change between digits and letters, and a word begin a list in the list. */
function parsed(version: string): readonly Item[] {
  const lists: Item[][] = [[]];
  let before: string | undefined = '.';
  for (const [, separator, token = '', next] of version.toLowerCase().slice(0, LONGEST).matchAll(TOKENS)) {
    const list = lists.at(-1) as Item[];
    if (separator && before) list.push(0n);
    if (separator === '-') lists.push([]);
    if (!separator)
      add(lists, itemOf(token, next), before === undefined || (list.length > 0 && isWordAlone(token, next)));
    before = separator;
  }
  return lists.reduceRight<readonly Item[]>((inner, list) => trimmed(inner.length > 0 ? [...list, inner] : list), []);
}

function add(lists: Item[][], item: Item, deeper: boolean): void {
  if (deeper) lists.push([item]);
  else lists.at(-1)?.push(item);
}

const isWordAlone = (token: string, next: string | undefined): boolean => !/^\d/.test(token) && !isSeparator(next);

/** A separator, or a run of digits or of anything else; with the character after it. */
const TOKENS = /([.-])|(\d+|[^\d.-]+)(?=(.?))/gs;

const isSeparator = (character: string | undefined): boolean => character === '.' || character === '-';

function itemOf(token: string, next: string | undefined): Item {
  return /^\d/.test(token) ? BigInt(token) : qualifier(token, next !== '' && !isSeparator(next));
}

function qualifier(word: string, beforeDigit: boolean): string {
  const long = beforeDigit && Object.hasOwn(SHORT, word) ? SHORT[word] : word;
  return Object.hasOwn(ALIASES, long ?? word) ? (ALIASES[long ?? word] ?? '') : (long ?? word);
}

/** Without what means nothing at its end, or before the list at its end: 1.0.0 is 1, 1.0-rc is 1-rc. */
function trimmed(list: readonly Item[]): readonly Item[] {
  const kept = [...list];
  for (let at = kept.length - 1; at >= 0; at--) {
    const item = kept[at];
    if (item === 0n || item === '' || (Array.isArray(item) && item.length === 0)) kept.splice(at, 1);
    else if (!Array.isArray(item)) break;
  }
  return kept;
}

function compare(left: Item | undefined, right: Item | undefined): number {
  if (left === undefined) return right === undefined ? 0 : -compare(right, undefined);
  if (typeof left === 'bigint') return compareNumber(left, right);
  if (typeof left === 'string') return compareWord(left, right);
  return compareList(left, right);
}

function compareNumber(left: bigint, right: Item | undefined): number {
  const other = right ?? 0n;
  return typeof other === 'bigint' ? Number(left > other) - Number(left < other) : 1;
}

function compareWord(left: string, right: Item | undefined): number {
  const other = right ?? '';
  if (typeof other !== 'string') return -1;
  const [rankLeft, wordLeft] = rank(left);
  const [rankRight, wordRight] = rank(other);
  return rankLeft - rankRight || Number(wordLeft > wordRight) - Number(wordLeft < wordRight);
}

function compareList(left: readonly Item[], right: Item | undefined): number {
  if (typeof right === 'bigint') return -1;
  if (typeof right === 'string') return 1;
  const others = right ?? [];
  for (let at = 0; at < Math.max(left.length, others.length); at++) {
    const compared = compare(left[at], others[at]);
    if (compared !== 0) return compared;
  }
  return 0;
}

function rank(word: string): readonly [number, string] {
  const known = QUALIFIERS.indexOf(word);
  return known === -1 ? [QUALIFIERS.length, word] : [known, ''];
}
