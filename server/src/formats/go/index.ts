import type { Format, IndexTarget, Place, Target } from '../../engine/format.ts';
import { semverOrder } from '../semver-order.ts';
import { type Checksums, isSettled, moduleSums, modulesIn, parseChecksums, readChecksums } from './checksums.ts';
import {
  encodeModule,
  keepVersions,
  type ModuleIndex,
  mergeModules,
  readInfo,
  readList,
  releasesOf,
} from './module-index.ts';
import { filePath, isCanonical, listPath, moduleOf, urlPath, versionOf } from './names.ts';

type Document = ModuleIndex | Checksums;

const LATEST = '/@latest';
const VERSIONS = '/@v/';

export const go: Format<Document> = {
  id: 'go',
  traits: {
    title: 'Go',
    purl: 'golang',
    mount: 'go',
    upstream: { sample: 'pkg:golang/github.com/a/b@v1.0.0' },
    evidence: 'last_modified',
    signedIndexes: false,
    notes: [
      'A version became public when the upstream says its `.info` was last modified; where it does not, `Time` is all there is, which is the commit’s and so its author’s.',
      'A checksum database is passed on byte for byte below `/sumdb/`, where the upstream has it; it is not filtered.',
      'A zip is verified against its record in the checksum database that clients ask this remote for, where the upstream has that; one that does not agree is refused and not kept.',
      'The paths of all modules are looked up in that database: those that must not reach it need a remote through which no client asks for one.',
      'A withheld version is answered 403, so that `GOPROXY=a,direct` does not go round it; a missing one 404 or 410.',
    ],
  },

  parse({ method, path }) {
    if (method !== 'GET' && method !== 'HEAD') return undefined;
    if (path.startsWith('sumdb/')) return parseChecksums(path);
    const at = path.lastIndexOf(VERSIONS);
    if (at !== -1) return parseVersion(path, path.slice(0, at), path.slice(at + VERSIONS.length));
    if (!path.endsWith(LATEST)) return undefined;
    return { ...described(moduleOf(path.slice(0, -LATEST.length)), path), view: 'latest' };
  },

  locate(target): readonly Place[] {
    const path = urlPath(target.path);
    return [isImmutable(target) ? { path, ttl: Number.POSITIVE_INFINITY } : { path }];
  },

  versions: semverOrder,
  roster: (name, near) => indexesOf(name, near),
  factsOf: (target) => (target.name === undefined ? [] : indexesOf(target.name, target)),
  sums: moduleSums,
  mentions: (target) => (target.kind === 'index' && target.name === undefined ? modulesIn(target) : []),

  index: {
    decode: (raw, target) => {
      if (target.name === undefined) return readChecksums(raw, target);
      return target.view === 'list' ? readList(raw, target.name) : readInfo(raw, target.name, versionIn(target));
    },
    // When what is latest is withheld, the list says what else there is.
    more: (_doc, { name, view }) =>
      name !== undefined && view === 'latest' ? [{ ...list(name), optional: true }] : [],
    releases: (doc) => (doc.kind === 'module' ? releasesOf(doc) : []),
    keep: (doc, judge) => (doc.kind === 'module' ? keepVersions(doc, judge) : doc),
    merge: (docs) => {
      const modules = docs.filter((doc) => doc.kind === 'module');
      return modules.length > 0 ? mergeModules(modules) : (docs[0] as Document);
    },
    encode: (doc, target) => (doc.kind === 'module' ? encodeModule(doc, target) : doc.body),
  },

  fault: (_code, message) => ({ bytes: `${message}\n`, type: 'text/plain; charset=utf-8' }),
};

function parseVersion(path: string, escaped: string, file: string): Target | undefined {
  const name = moduleOf(escaped);
  if (file === 'list') return list(name);
  const dot = file.lastIndexOf('.');
  const version = versionOf(file.slice(0, Math.max(dot, 0)));
  if (version === undefined) return undefined;
  switch (file.slice(dot)) {
    case '.info':
      return { ...described(name, path), view: isCanonical(version) ? `version:${version}` : `query:${version}` };
    case '.mod':
      return isCanonical(version)
        ? { ...artifact(path, name, version), role: 'metadata', type: 'text/plain; charset=utf-8' }
        : undefined;
    case '.zip':
      return isCanonical(version)
        ? { ...artifact(path, name, version), role: 'package', type: 'application/zip' }
        : undefined;
    default:
      return undefined;
  }
}

/** `.info` knows when, and knows versions that no list has: pseudo-versions, and tags made since. */
function indexesOf(name: string, near: Target | undefined): readonly IndexTarget[] {
  const version = near && versionIn(near);
  if (version === undefined) return [list(name)];
  return [{ ...described(name, filePath(name, version, 'info')), view: `version:${version}` }, list(name)];
}

function versionIn(target: Target): string | undefined {
  if (target.kind === 'artifact') return target.version;
  return target.kind === 'index' && target.view.startsWith('version:')
    ? target.view.slice('version:'.length)
    : undefined;
}

const isImmutable = (target: Target): boolean =>
  target.kind === 'index' && (target.name === undefined ? isSettled(target) : versionIn(target) !== undefined);

const list = (name: string): IndexTarget => ({
  kind: 'index',
  path: listPath(name),
  name,
  scope: 'package',
  view: 'list',
});

const described = (name: string, path: string) =>
  ({ kind: 'index', path, name, scope: 'package', partial: true }) as const;

const artifact = (path: string, name: string, version: string) => ({ kind: 'artifact', path, name, version }) as const;
