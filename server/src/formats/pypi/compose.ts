import type { HostedFile, HostedIndex, HostedPackage, IndexTarget } from '../../engine/format.ts';
import type { Json } from '../json.ts';
import type { Document, Legacy } from './documents.ts';
import type { ProjectFile } from './file.ts';
import { versionOrder } from './names.ts';
import type { Kept } from './publishing.ts';

/** The page of a project, its older JSON, or the list of projects, of what was published here. */
export function compose(held: HostedIndex, target: IndexTarget): Document {
  if (held.scope === 'repository') return { kind: 'list', names: held.names };
  const { name } = held.package;
  const files = filesOf(held.package);
  const listed = files.map(({ file }) => file);
  return target.view === 'legacy' ? legacy(held.package, target) : { kind: 'page', name, files: listed };
}

interface Listed {
  readonly row: HostedFile;
  readonly file: ProjectFile;
}

function filesOf({ files }: HostedPackage): readonly Listed[] {
  const there = new Map(files.filter(({ removedAt }) => removedAt === undefined).map((row) => [row.path, row]));
  return [...there.values()].filter(({ role }) => role === 'package').map((row) => ({ row, file: fileOf(row, there) }));
}

function fileOf(row: HostedFile, there: ReadonlyMap<string, HostedFile>): ProjectFile {
  const { requiresPython } = keptOf(row);
  const metadata = there.get(`${row.path}.metadata`);
  return {
    filename: row.path.slice(row.path.lastIndexOf('/') + 1),
    hashes: { sha256: hexOf(row) },
    size: row.size,
    uploadTime: new Date(row.publishedAt).toISOString(),
    ...(requiresPython && { requiresPython }),
    ...(metadata && { metadata: { sha256: hexOf(metadata) } }),
    ...(there.has(`${row.path}.asc`) && { signed: true }),
  };
}

/** Of all versions, or of the one that the path names. */
function legacy(hosted: HostedPackage, { path }: IndexTarget): Legacy {
  const all = filesOf(hosted);
  const versions = versionOrder(new Set(all.flatMap(({ row }) => row.version ?? [])));
  const [, asked] = /^pypi\/[^/]+\/([^/]+)\/json$/.exec(path) ?? [];
  const version = asked ?? versions.at(-1);
  const entries = (one: string | undefined) => all.filter(({ row }) => row.version === one).map(entryOf);
  const last = all.findLast(({ row }) => row.version === version);
  const { summary = '', requiresPython = '' } = last ? keptOf(last.row) : {};
  const info = { name: hosted.name, version: version ?? '', summary, requires_python: requiresPython };
  const releases = Object.fromEntries(versions.map((each) => [each, entries(each)]));
  const json: Json = { info, ...(asked === undefined && { releases }), urls: entries(version) };
  return { kind: 'legacy', name: hosted.name, json, files: all.map(({ file }) => file) };
}

function entryOf({ row, file }: Listed): Json {
  return {
    filename: file.filename,
    digests: file.hashes,
    size: row.size,
    packagetype: file.filename.endsWith('.whl') ? 'bdist_wheel' : 'sdist',
    requires_python: file.requiresPython ?? null,
    upload_time: file.uploadTime?.slice(0, 19),
    upload_time_iso_8601: file.uploadTime,
    yanked: false,
    yanked_reason: null,
  };
}

const keptOf = ({ metadata }: HostedFile): Kept => (metadata as Kept | undefined) ?? {};
const hexOf = ({ digest }: HostedFile): string => digest.slice(digest.indexOf(':') + 1);
