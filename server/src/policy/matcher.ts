import { foldedForWildcards, type PackageParts, packageKey } from './package-key.ts';
import { type PackagePattern, wildcardMatches } from './package-pattern.ts';
import { Remembered } from './remembered.ts';
import { inRange, type VersionRange } from './version-range.ts';
import type { Covered, VersionOrder } from './versions.ts';

/** A package or, with a version, a release of it. */
export interface Release extends PackageParts {
  /** Undefined: not known; what a rule says of some versions then covers it by `unknown`. */
  readonly version?: string | undefined;
}

export interface Entry<Rule> {
  readonly pattern: PackagePattern;
  readonly rule: Rule;
}

export interface Match<Rule> extends Entry<Rule> {
  /** `unknown`: the rule is about some versions, and it cannot be told whether this is one of them. */
  readonly covered: Exclude<Covered, 'no'>;
}

/**
 * Which of many rules are about a package, without asking each: names are looked up, patterns with `*` by the literal text
 * that they begin or end with. What was found is remembered, so that a second file of a release costs a lookup.
 */
export class Matcher<Rule> {
  readonly #named = new Map<string, Entry<Rule>[]>();
  readonly #wildcards = new Map<string, Wildcards<Rule>>();
  readonly #about = new Remembered<About<Rule>>();
  readonly #matches = new Remembered<readonly Match<Rule>[]>();

  constructor(entries: Iterable<Entry<Rule>>) {
    for (const entry of entries) {
      const { type, key, wildcard } = entry.pattern;
      if (wildcard) entryOf(this.#wildcards, type, () => new Wildcards<Rule>()).add(entry);
      else entryOf(this.#named, `${type}/${key}`, () => [] as Entry<Rule>[]).push(entry);
    }
  }

  /** In no particular order. The versions of one type are always read by the same order. */
  match(release: Release | undefined, order: VersionOrder | undefined): readonly Match<Rule>[] {
    if (!release) return NONE;
    const name = `${release.type}/${packageKey(release)}`;
    const wildcards = this.#wildcards.get(release.type);
    const named = this.#named.get(name);
    if (!wildcards && !named) return NONE;
    const about = this.#about.of(name, () => {
      const others = wildcards?.match(name.slice(release.type.length + 1), release.type) ?? NONE;
      return aboutPackage([...(named ?? NONE), ...others], order);
    });
    return this.#matches.of(`${name}\0${release.version ?? ''}`, () => matchesOf(about, release.version, order));
  }
}

/** What is said of one package: of all of its versions, of single ones by their canonical spelling, of ranges. */
interface About<Rule> {
  readonly all: readonly Match<Rule>[];
  readonly single: ReadonlyMap<string, readonly Entry<Rule>[]>;
  readonly ranges: readonly Ranged<Rule>[];
}

interface Ranged<Rule> extends Entry<Rule> {
  readonly pattern: PackagePattern & { readonly range: VersionRange };
}

function aboutPackage<Rule>(entries: readonly Entry<Rule>[], order: VersionOrder | undefined): About<Rule> {
  const single = new Map<string, Entry<Rule>[]>();
  for (const entry of entries) {
    const { version } = entry.pattern;
    if (version !== undefined) entryOf(single, spelling(version, order), () => [] as Entry<Rule>[]).push(entry);
  }
  return {
    all: entries
      .filter(({ pattern }) => pattern.version === undefined && pattern.range === undefined)
      .map((entry) => ({ ...entry, covered: 'yes' as const })),
    single,
    ranges: entries.filter((entry): entry is Ranged<Rule> => entry.pattern.range !== undefined),
  };
}

function matchesOf<Rule>(
  { all, single, ranges }: About<Rule>,
  version: string | undefined,
  order: VersionOrder | undefined,
): readonly Match<Rule>[] {
  const unknown = (entry: Entry<Rule>): Match<Rule> => ({ ...entry, covered: 'unknown' });
  if (version === undefined) return [...all, ...[...single.values()].flat().map(unknown), ...ranges.map(unknown)];
  const named = single.get(spelling(version, order)) ?? NONE;
  const ranged = ranges.flatMap((entry): Match<Rule>[] => {
    const covered = inRange(entry.pattern.range, version, order);
    return covered === 'no' ? [] : [{ ...entry, covered }];
  });
  return [...all, ...named.map((entry) => ({ ...entry, covered: 'yes' as const })), ...ranged];
}

function spelling(version: string, order: VersionOrder | undefined): string {
  return order?.canonical(version) ?? version;
}

const NONE: readonly never[] = [];

/** Patterns with `*` of one type. */
class Wildcards<Rule> {
  readonly #beginning = new Map<string, Entry<Rule>[]>();
  readonly #ending = new Map<string, Entry<Rule>[]>();
  readonly #beginnings = new Set<number>();
  readonly #endings = new Set<number>();

  add(entry: Entry<Rule>): void {
    const { key } = entry.pattern;
    const [begin, end] = [key.slice(0, key.indexOf('*')), key.slice(key.lastIndexOf('*') + 1)];
    const [map, lengths, text] =
      begin.length >= end.length
        ? ([this.#beginning, this.#beginnings, begin] as const)
        : ([this.#ending, this.#endings, end] as const);
    entryOf(map, text, () => [] as Entry<Rule>[]).push(entry);
    lengths.add(text.length);
  }

  match(key: string, type: string): readonly Entry<Rule>[] {
    const folded = foldedForWildcards(type, key);
    const near: Entry<Rule>[] = [];
    for (const length of this.#beginnings)
      if (length <= folded.length) near.push(...(this.#beginning.get(folded.slice(0, length)) ?? []));
    for (const length of this.#endings)
      if (length <= folded.length) near.push(...(this.#ending.get(folded.slice(folded.length - length)) ?? []));
    return near.filter(({ pattern }) => wildcardMatches(pattern.key, folded));
  }
}

function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
