import { semverOrder } from '../semver-order.ts';
import { standIn } from '../stand-in.ts';

type Tags = Readonly<Record<string, string>>;

/** Tags of versions that are gone: `latest` moves to the one that stands in for it, every other is dropped. */
export function repairTags(tags: Tags, versions: ReadonlyMap<string, unknown>): Tags {
  if (Object.values(tags).every((version) => versions.has(version))) return tags;
  const entries = Object.entries(tags).flatMap(([tag, version]) => {
    const now = versions.has(version) || tag !== 'latest' ? version : standIn(version, versions.keys(), semverOrder);
    return now !== undefined && versions.has(now) ? [[tag, now] as const] : [];
  });
  return Object.fromEntries(entries);
}
