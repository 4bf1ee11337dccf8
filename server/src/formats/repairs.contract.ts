import fc from 'fast-check';
import { expect } from 'vitest';
import type { Format, Release, VersionOrder } from '../engine/format.ts';

/** Versions of a package, in the order in which they were published, and some of them that are hidden; not all. */
export interface Hiding {
  readonly versions: readonly string[];
  readonly hidden: ReadonlySet<string>;
}

/** `canonical`: two that mean the same are not both published. */
export const hidings = (version: fc.Arbitrary<string>, canonical: VersionOrder['canonical']): fc.Arbitrary<Hiding> =>
  fc
    .uniqueArray(version, { minLength: 2, maxLength: 12, selector: (each) => canonical(each) ?? each })
    .chain((versions) =>
      fc
        .subarray([...versions], { maxLength: versions.length - 1 })
        .map((hidden) => ({ versions, hidden: new Set(hidden) })),
    );

/** Few numbers, so that lines of releases and their prereleases meet. */
export const semantic: fc.Arbitrary<string> = fc
  .tuple(
    fc.tuple(...[3, 3, 12].map((max) => fc.integer({ min: 0, max }))).map((numbers) => numbers.join('.')),
    fc.constantFrom('', '', '', '-rc.1', '-rc.10', '-alpha', '-0'),
  )
  .map((parts) => parts.join(''));

export const visibleOf = ({ versions, hidden }: Hiding): readonly string[] =>
  versions.filter((version) => !hidden.has(version));

/** The document without the files of some releases. Nothing but files that it lists is asked about. */
export function without<Doc>(format: Format<Doc>, doc: Doc, isHidden: (release: Release) => boolean): Doc {
  const releases = [...format.index.releases(doc)];
  const owners = new Map(releases.flatMap((release) => release.files.map(({ path }) => [path, release] as const)));
  return format.index.keep(doc, (path) => {
    const owner = owners.get(path);
    expect(owner, path).toBeDefined();
    return owner && isHidden(owner) ? { rule: 'cooldown/week', reason: 'too young' } : undefined;
  });
}

/** What stands in for a version that is hidden: `now` among those that are visible. */
export function expectStandIn(
  named: string,
  now: string | undefined,
  visible: readonly string[],
  order: VersionOrder,
): void {
  expect(visible).toContain(now);
  if (now === undefined || visible.includes(named)) return expect(now).toBe(named);
  const stable = visible.filter((version) => !order.isPrerelease(version));
  const pool = stable.length > 0 ? stable : visible;
  expect(pool, 'no prerelease while a stable one is visible').toContain(now);
  const below = pool.filter((version) => order.compare(version, named) <= 0);
  if (below.length === 0) return expect(pool.filter((version) => order.compare(version, now) < 0)).toEqual([]);
  expect(order.compare(now, named), 'never above the one that was named').toBeLessThanOrEqual(0);
  expect(below.filter((version) => order.compare(version, now) > 0)).toEqual([]);
}
