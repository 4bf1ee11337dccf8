import {
  type Body,
  type IndexTarget,
  type Judge,
  Malformed,
  type Published,
  type RawDocument,
  type Release,
  type ReleaseFile,
} from '../../engine/format.ts';
import { ownText, parseJson } from '../json.ts';
import { semverOrder } from '../semver-order.ts';
import { standIn } from '../stand-in.ts';
import { filePath, isCanonical, isPseudo } from './names.ts';

/** What a module's `list` says, or `.info` or `@latest` of one version, or several of them. */
export interface ModuleIndex {
  readonly kind: 'module';
  readonly name: string;
  readonly versions: ReadonlyMap<string, Version>;
  /** The JSON of one version, as it came. */
  readonly info?: { readonly version: string; readonly text: string };
}

interface Version {
  /** As `list` has it: some proxies write the time behind the version. */
  readonly line: string;
  readonly files: readonly ReleaseFile[];
}

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';

/** Throws `Malformed`. Like the go command it passes over a line that is no version; of nothing but such it is not a list. */
export function readList({ bytes }: RawDocument, name: string): ModuleIndex {
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/).filter(Boolean);
  const versions = lines.flatMap((line): [string, Version][] => {
    const [version = ''] = line.split(' ', 1);
    return isCanonical(version) ? [[version, { line, files: filesOf(name, version, undefined) }]] : [];
  });
  if (lines.length > 0 && versions.length === 0)
    throw new Malformed(`The list of ${name} has no version in it: ${JSON.stringify(lines[0]?.slice(0, 80))}`);
  return { kind: 'module', name, versions: new Map(versions) };
}

/** `asked`: the version, where one was. Throws `Malformed`. */
export function readInfo(raw: RawDocument, name: string, asked: string | undefined): ModuleIndex {
  const what = `The description of ${name}${asked === undefined ? '' : ` ${asked}`}`;
  const json = parseJson(raw.bytes, what);
  const version = ownText(json, 'Version');
  if (version === undefined || !isCanonical(version)) throw new Malformed(`${what} names no version`);
  // A tag without go.mod beyond v1 is asked for by its tag and answered by its version.
  if (asked !== undefined && version !== asked && version !== `${asked}+incompatible`)
    throw new Malformed(`${what} is about another version, ${version}`);
  const files = filesOf(name, version, publishedAt(raw.lastModified, ownText(json, 'Time')));
  const text = new TextDecoder().decode(raw.bytes);
  return {
    kind: 'module',
    name,
    versions: new Map([[version, { line: version, files }]]),
    info: { version, text },
  };
}

export function* releasesOf({ name, versions }: ModuleIndex): Iterable<Release> {
  for (const [version, { files }] of versions) {
    const path = filePath(name, version, 'info');
    yield {
      name,
      version,
      files,
      details: { kind: 'index', path, name, scope: 'package', view: `version:${version}` },
    };
  }
}

/** A version goes with its zip, which is judged first: what is left of it then admits nothing. */
export function keepVersions(doc: ModuleIndex, judge: Judge): ModuleIndex {
  const versions = new Map<string, Version>();
  let changed = false;
  for (const [version, known] of doc.versions) {
    const [zip, ...others] = known.files as [ReleaseFile, ...ReleaseFile[]];
    const hidden = judge(zip.path) !== undefined;
    const files = hidden ? [] : [zip, ...others.filter(({ path }) => judge(path) === undefined)];
    if (!hidden) versions.set(version, files.length === known.files.length ? known : { ...known, files });
    changed ||= files.length < known.files.length;
  }
  return changed ? { ...doc, versions } : doc;
}

export function mergeModules(docs: readonly ModuleIndex[]): ModuleIndex {
  const [first] = docs as [ModuleIndex, ...ModuleIndex[]];
  const infos = docs.flatMap(({ info }) => info ?? []);
  const versions = new Map<string, Version>();
  for (const [version, known] of docs.flatMap((doc) => [...doc.versions]))
    if (!versions.has(version)) versions.set(version, known);
  const info = infos.find(({ version }) => versions.has(version)) ?? infos[0];
  return { ...first, versions, ...(info && { info }) };
}

/** Views: `list`, `latest`, `version:` with a version and `query:` with what resolves to one. */
export function encodeModule({ versions, info }: ModuleIndex, { view }: IndexTarget): Body | undefined {
  if (view === 'list') return { bytes: [...versions.values()].map(({ line }) => `${line}\n`).join(''), type: TEXT };
  if (!info) return undefined;
  if (versions.has(info.version)) return { bytes: info.text, type: JSON_TYPE };
  const left = view === 'latest' ? latest([...versions.keys()], info.version) : undefined;
  return left === undefined ? undefined : { bytes: JSON.stringify({ Version: left }), type: JSON_TYPE };
}

/** Module reference, "Version queries": a release, else a prerelease, else a pseudo-version. */
function latest(versions: readonly string[], hidden: string): string | undefined {
  const tagged = versions.filter((version) => !isPseudo(version));
  return standIn(hidden, tagged.length > 0 ? tagged : versions, semverOrder);
}

function filesOf(name: string, version: string, published: Published | undefined): readonly ReleaseFile[] {
  const dated = published && { published };
  return [
    { path: filePath(name, version, 'zip'), ...dated },
    { path: filePath(name, version, 'mod'), role: 'metadata', ...dated },
  ];
}

/** `Time` is the commit's, so its author's; when the server came to have it only its own header says. */
function publishedAt(lastModified: string | undefined, time: string | undefined): Published | undefined {
  const server = Date.parse(lastModified ?? '');
  if (server > 0) return { at: server, by: 'server' };
  const author = Date.parse(time ?? '');
  return author > 0 ? { at: author, by: 'author' } : undefined;
}
