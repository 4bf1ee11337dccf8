import { gunzipSync } from 'node:zlib';
import type { Heard } from './wire.ts';
import type { Package, Release } from './world.ts';

/** How old an index may be when nothing is wrong: twice its `index_ttl`, and time for a slow machine; milliseconds. */
const STALE = 15_000;

/** What may be so in an index while it was asked for. */
export interface Times {
  /** Those there were when it had come, in the order in which they appeared. */
  releases(index: Package): readonly Release[];
  mustHide(release: Release): boolean;
  mayHide(release: Release): boolean;
  /** Nothing kept the servers from asking the upstream lately. */
  readonly isCurrent: boolean;
}

/** What is wrong with an index, each with a detail. Throws when it cannot be read. */
export function* wrongIn(heard: Heard, index: Package, times: Times): Iterable<readonly [string, string]> {
  const body = heard.headers['content-encoding'] === 'gzip' ? gunzipSync(heard.body) : heard.body;
  const listed = index.ecosystem.listed(body.toString('utf8'), heard.headers['content-type'] ?? '');
  const releases = times.releases(index);
  const known = new Map(releases.map((release) => [release.version, release]));
  for (const [version, { digest, url }] of listed) {
    const release = known.get(version);
    const what = release ? wrongEntry(release, digest, url, times) : 'an index lists what there never was';
    if (what !== undefined) yield [what, version];
  }
  for (const { version } of missing(releases, new Set(listed.keys()), heard, times))
    yield ['an index does not list what there is', version];
}

function wrongEntry(release: Release, digest: string, url: string | undefined, times: Times): string | undefined {
  const { ecosystem } = release;
  if (digest !== ecosystem.announced(release)) return 'an index announces another digest';
  if (url !== undefined && !url.endsWith(ecosystem.artifactPath(release).slice(1))) return 'an index leads elsewhere';
  return times.mustHide(release) ? 'an index lists what is blocked' : undefined;
}

/** It may be an older index, but no other: all that appeared before the newest in it, and, when all is well, all that is old enough. */
function missing(
  releases: readonly Release[],
  listed: ReadonlySet<string>,
  { began }: Heard,
  { mayHide, isCurrent }: Times,
): readonly Release[] {
  const newest = releases.findLastIndex(({ version }) => listed.has(version));
  const due = isCurrent ? releases.filter(({ at }) => at < began - STALE).length : 0;
  return releases.slice(0, Math.max(newest, due)).filter((one) => !listed.has(one.version) && !mayHide(one));
}
