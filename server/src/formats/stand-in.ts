import type { VersionOrder } from '../engine/format.ts';

/**
 * The version that is named in place of one that is hidden: the highest stable one not above it, so that no later release
 * of an older line comes first; the lowest above it where there is none; a prerelease only where nothing is stable.
 */
export function standIn(hidden: string, visible: Iterable<string>, order: VersionOrder): string | undefined {
  const isKnown = (version: string): boolean => order.canonical(version) !== undefined;
  const known = [...visible].filter(isKnown);
  const stable = known.filter((version) => !order.isPrerelease(version));
  const pool = stable.length > 0 ? stable : known;
  const below = isKnown(hidden) ? pool.filter((version) => order.compare(version, hidden) <= 0) : pool;
  return furthest(below, order.compare) ?? furthest(pool, (one, other) => order.compare(other, one));
}

function furthest(versions: Iterable<string>, compare: VersionOrder['compare']): string | undefined {
  let best: string | undefined;
  for (const version of versions) if (best === undefined || compare(version, best) > 0) best = version;
  return best;
}
