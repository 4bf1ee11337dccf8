import { isJson, type Json, own, ownText } from '../json.ts';
import { standIn } from '../stand-in.ts';
import type { Legacy } from './documents.ts';
import type { ProjectFile } from './file.ts';
import { canonicalVersion, versionOf } from './names.ts';
import { pep440Order } from './version-order.ts';

/** What `info` says of one release alone, as the public index has it where nothing is known. */
const UNKNOWN: Json = { description: '', requires_dist: null, requires_python: null, provides_extra: null };

/**
 * The older JSON with some of its files. `info`, `urls` and `vulnerabilities` are about one release: when nothing of it is
 * left, `info` names the one that stands in for it, and says no more of that than its files do.
 */
export function withFiles(doc: Legacy, files: readonly ProjectFile[]): Legacy {
  const info = own(doc.json, 'info');
  const said = isJson(info) ? ownText(info, 'version') : undefined;
  const before = byVersion(doc, doc.files);
  const after = byVersion(doc, files);
  const described = said === undefined ? undefined : (canonicalVersion(said) ?? said);
  if (!isJson(info) || described === undefined || !before.has(described) || after.has(described))
    return { ...doc, files };
  const version = standInFor(described, after);
  if (version === undefined) return { ...doc, files };
  const { vulnerabilities: _ofAnother, ...json } = doc.json;
  const [spelled, urls] = releaseOf(json, version);
  const about = infoOf(info, spelled, after.get(version) ?? []);
  return { ...doc, files, json: { ...json, info: about, ...(own(json, 'urls') !== undefined && { urls }) } };
}

/** One that was yanked only where there is nothing else. */
function standInFor(hidden: string, visible: ReadonlyMap<string, readonly ProjectFile[]>): string | undefined {
  const offered = [...visible].flatMap(([version, files]) => (isYanked(files) ? [] : [version]));
  return standIn(hidden, offered, pep440Order) ?? standIn(hidden, visible.keys(), pep440Order);
}

function infoOf(info: Json, version: string, files: readonly ProjectFile[]): Json {
  const kept = Object.entries(info).map(([key, said]) => [key, Object.hasOwn(UNKNOWN, key) ? UNKNOWN[key] : said]);
  const [first] = files;
  const reason = files.map(({ yanked }) => yanked).find((yanked) => typeof yanked === 'string');
  const address = ownText(info, 'release_url');
  return {
    ...Object.fromEntries(kept),
    version,
    ...(address !== undefined && { release_url: address.replace(/[^/]+(?=\/?$)/, () => encodeURIComponent(version)) }),
    ...(first?.requiresPython !== undefined && { requires_python: first.requiresPython }),
    yanked: isYanked(files),
    yanked_reason: isYanked(files) ? (reason ?? null) : null,
  };
}

/** As `releases` spells and lists it. */
function releaseOf(json: Json, version: string): readonly [string, unknown] {
  const releases = own(json, 'releases');
  const found = Object.entries(isJson(releases) ? releases : {}).find(
    ([spelled]) => (canonicalVersion(spelled) ?? spelled) === version,
  );
  return found ?? [version, []];
}

const byVersion = ({ name }: Legacy, files: readonly ProjectFile[]): ReadonlyMap<string, readonly ProjectFile[]> =>
  Map.groupBy(files, ({ filename }) => versionOf(filename, name));

const isYanked = (files: readonly ProjectFile[]): boolean => files.every(({ yanked }) => yanked !== undefined);
