import { isJson, type Json, own, ownText } from '../json.ts';
import { repairTags } from './dist-tags.ts';
import type { Manifest, Packument } from './packument.ts';

/** What a packument says of the package as its latest release does. */
export const OF_LATEST = [
  'description',
  'homepage',
  'keywords',
  'repository',
  'author',
  'bugs',
  'license',
  'contributors',
];
/** What it says so too, and a manifest mostly does not have. */
const README = ['readme', 'readmeFilename'];

type Versions = ReadonlyMap<string, Manifest>;

/** The document as if some of its versions had never been published. */
export function withVersions(doc: Packument, versions: Versions): Packument {
  const tags = repairTags(doc.tags, versions);
  const isMoved = tags['latest'] !== doc.tags['latest'];
  const described = isMoved ? describedBy(versions.get(tags['latest'] ?? ''), doc.json) : doc.json;
  const time = versions.size < doc.versions.size ? own(doc.json, 'time') : undefined;
  const json = isJson(time) ? { ...described, time: timesOf(time, doc.versions, versions) } : described;
  return { ...doc, json, tags, versions };
}

function describedBy(latest: Manifest | undefined, json: Json): Json {
  const ofLatest = new Set([...OF_LATEST, ...README]);
  const entries = Object.entries(json).flatMap(([key, said]) => {
    const value = ofLatest.has(key) ? latest && own(latest.json, key) : said;
    return value === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(entries);
}

/** `modified` is the time of the newest that is left: it would tell when the last of the others came. */
function timesOf(time: Json, before: Versions, left: Versions): Json {
  const newest = newestOf([...left.keys()].flatMap((version) => ownText(time, version) ?? []));
  const entries = Object.entries(time).flatMap(([key, at]) => {
    if (before.has(key) && !left.has(key)) return [];
    if (key !== 'modified') return [[key, at] as const];
    return newest === undefined ? [] : [[key, newest] as const];
  });
  return Object.fromEntries(entries);
}

/** Of ISO 8601 times. */
function newestOf(times: readonly string[]): string | undefined {
  const dated = times.filter((time) => !Number.isNaN(Date.parse(time)));
  return dated.reduce<string | undefined>(
    (best, time) => (best !== undefined && Date.parse(best) >= Date.parse(time) ? best : time),
    undefined,
  );
}
