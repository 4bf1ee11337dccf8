import { Malformed, type RawDocument } from '../../engine/format.ts';
import { isJson, type Json, own, ownText, parseJson } from '../json.ts';
import type { Legacy, List, Page } from './documents.ts';
import { type ProjectFile, usableHashes } from './file.ts';
import { fileUrl, firstOfEach, isDistribution, isProject, normalize } from './names.ts';

/** PEP 691. Throws `Malformed`. */
export function readJsonPage(raw: RawDocument, project: string): Page {
  const what = `The page of ${project}`;
  const json = parseJson(raw.bytes, what);
  requireName(ownText(json, 'name'), project, what);
  const files = own(json, 'files');
  if (!Array.isArray(files)) throw new Malformed(`${what} has no files`);
  const status = statusOf(own(json, 'project-status'));
  return {
    kind: 'page',
    name: project,
    files: firstOfEach(files.flatMap((each) => pageFile(each, raw.url))),
    ...status,
  };
}

export function readJsonList(raw: RawDocument): List {
  const projects = own(parseJson(raw.bytes, 'The list of projects'), 'projects');
  if (!Array.isArray(projects)) throw new Malformed('The list of projects has no projects');
  const names = projects.flatMap((each) => (isJson(each) ? (ownText(each, 'name') ?? []) : []));
  return { kind: 'list', names: names.filter(isProject) };
}

/** The older JSON, of all versions (`releases`) or of one (`urls` alone). */
export function readLegacy(raw: RawDocument, project: string): Legacy {
  const what = `The JSON of ${project}`;
  const json = parseJson(raw.bytes, what);
  const about = own(json, 'info');
  if (!isJson(about)) throw new Malformed(`${what} has no info`);
  requireName(ownText(about, 'name'), project, what);
  const releases = own(json, 'releases');
  const lists = [own(json, 'urls'), ...(isJson(releases) ? Object.values(releases) : [])];
  const entries = lists.flatMap((list) => (Array.isArray(list) ? list : []));
  return {
    kind: 'legacy',
    name: project,
    json,
    files: firstOfEach(entries.flatMap((each) => legacyFile(each, raw.url))),
  };
}

function requireName(name: string | undefined, project: string, what: string): void {
  if (name !== undefined && normalize(name) !== project) {
    throw new Malformed(`${what} is about another project, ${JSON.stringify(name.slice(0, 80))}`);
  }
}

function pageFile(entry: unknown, from: string): readonly ProjectFile[] {
  const basics = isJson(entry) ? basicsOf(entry, from, own(entry, 'hashes')) : undefined;
  if (!isJson(entry) || basics === undefined) return [];
  const requiresPython = ownText(entry, 'requires-python');
  const metadata = metadataOf(entry);
  const yanked = own(entry, 'yanked');
  const provenance = fileUrl(ownText(entry, 'provenance'), from)?.href;
  const uploadTime = ownText(entry, 'upload-time');
  return [
    {
      ...basics,
      ...(requiresPython !== undefined && { requiresPython }),
      ...(metadata !== undefined && { metadata }),
      ...(own(entry, 'gpg-sig') === true && { signed: true }),
      ...((yanked === true || (typeof yanked === 'string' && yanked !== '')) && { yanked }),
      ...(provenance !== undefined && { provenance }),
      ...(uploadTime !== undefined && { uploadTime }),
    },
  ];
}

function legacyFile(entry: unknown, from: string): readonly ProjectFile[] {
  const basics = isJson(entry) ? basicsOf(entry, from, own(entry, 'digests')) : undefined;
  if (!isJson(entry) || basics === undefined) return [];
  const requiresPython = ownText(entry, 'requires_python');
  const uploadTime = ownText(entry, 'upload_time_iso_8601') ?? ownText(entry, 'upload_time');
  return [
    {
      ...basics,
      ...(requiresPython !== undefined && { requiresPython }),
      ...(own(entry, 'yanked') === true && { yanked: ownText(entry, 'yanked_reason') || true }),
      ...(uploadTime !== undefined && { uploadTime }),
    },
  ];
}

function basicsOf(entry: Json, from: string, hashes: unknown) {
  const url = fileUrl(ownText(entry, 'url'), from);
  const filename = ownText(entry, 'filename');
  if (url === undefined || filename === undefined || !isDistribution(filename)) return undefined;
  const size = own(entry, 'size');
  return {
    filename,
    url: url.href,
    hashes: usableHashes(isJson(hashes) ? Object.entries(hashes) : []),
    ...(Number.isSafeInteger(size) && (size as number) >= 0 && { size: size as number }),
  };
}

/** PEP 714 renamed the key; the public index also writes the name that HTML has. */
function metadataOf(entry: Json): ProjectFile['metadata'] {
  const keys = ['core-metadata', 'data-core-metadata', 'dist-info-metadata', 'data-dist-info-metadata'];
  const value = keys.map((key) => own(entry, key)).find((each) => each !== undefined);
  if (value === true) return true;
  const hashes = isJson(value) ? usableHashes(Object.entries(value)) : undefined;
  return hashes && (Object.keys(hashes).length > 0 ? hashes : true);
}

function statusOf(value: unknown): Pick<Page, 'status'> {
  const status = isJson(value) ? ownText(value, 'status') : undefined;
  if (!isJson(value) || status === undefined) return {};
  const reason = ownText(value, 'reason');
  return { status: { status, ...(reason !== undefined && { reason }) } };
}
