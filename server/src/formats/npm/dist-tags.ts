import semver, { type SemVer } from 'semver';

type Tags = Readonly<Record<string, string>>;

/**
 * Tags of versions that are gone. `latest` moves to the highest stable version not above the one it named; above it
 * only when there is none, and to a prerelease only when nothing is stable. Every other tag is dropped.
 */
export function repairTags(tags: Tags, versions: ReadonlyMap<string, unknown>): Tags {
  if (Object.values(tags).every((version) => versions.has(version))) return tags;
  const entries = Object.entries(tags).flatMap(([tag, version]) => {
    const now = versions.has(version) || tag !== 'latest' ? version : nearest(version, versions.keys());
    return now !== undefined && versions.has(now) ? [[tag, now] as const] : [];
  });
  return Object.fromEntries(entries);
}

function nearest(gone: string, visible: Iterable<string>): string | undefined {
  const all = [...visible].flatMap((raw) => semver.parse(raw, { loose: true }) ?? []).sort(semver.compare);
  const stable = all.filter((version) => version.prerelease.length === 0);
  const pool = stable.length > 0 ? stable : all;
  const limit: SemVer | null = semver.parse(gone, { loose: true });
  const below = limit === null ? pool : pool.filter((version) => semver.compare(version, limit) <= 0);
  return (below.at(-1) ?? pool[0])?.raw;
}
