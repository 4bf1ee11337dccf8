import Negotiator from 'negotiator';
import {
  type ArtifactTarget,
  type Format,
  type IndexTarget,
  type Judge,
  Malformed,
  type ProtocolRequest,
  type RawDocument,
  type Release,
  type Target,
} from '../../engine/format.ts';
import { compose } from './compose.ts';
import { type Document, mergeDocuments } from './documents.ts';
import { keptFile, releaseFiles } from './file.ts';
import { readHtmlList, readHtmlPage } from './html-page.ts';
import { readJsonList, readJsonPage, readLegacy } from './json-page.ts';
import { isDistribution, isProject, normalize, urlPath, versionOf } from './names.ts';
import { withFiles } from './older-json.ts';
import { receive } from './publishing.ts';
import { pep440Order } from './version-order.ts';
import { encodeDocument, HTML_TYPE, JSON_TYPE } from './views.ts';

/** As pip asks, so that an upstream which has JSON gives it. */
const ACCEPT = `${JSON_TYPE}, ${HTML_TYPE}; q=0.1, text/html; q=0.01`;

const VIEWS: Readonly<Record<string, string>> = {
  'text/html': 'html',
  [HTML_TYPE]: 'v1+html',
  [JSON_TYPE]: 'json',
  'application/vnd.pypi.simple.latest+html': 'v1+html',
  'application/vnd.pypi.simple.latest+json': 'json',
};

export const pypi: Format<Document> = {
  id: 'pypi',
  traits: {
    title: 'PyPI',
    purl: 'pypi',
    mount: 'pypi',
    kinds: ['remote', 'hosted', 'virtual'],
    upstream: { sample: 'pkg:pypi/a@1.0.0' },
    evidence: 'index',
    signedIndexes: false,
    notes: [
      'Pages are HTML or JSON as the client asks, whichever of both the upstream has.',
      'Publication times come from the JSON page, else from `/pypi/<project>/json`.',
      'Provenance is offered only over https, as its specification requires.',
      '`info` in `/pypi/<project>/json` is the upstream’s; when it describes a version that is withheld, it names another and leaves out what is not known of that.',
      'A file is published once: neither an upload nor a removal lets its name mean other bytes.',
      'Attestations are not kept of what is published here.',
    ],
  },

  parse(request) {
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
    const [first, ...rest] = request.path.split('/');
    switch (first) {
      case 'simple':
        return parseSimple(request, rest);
      case 'packages':
        return parseFile(request.path, rest);
      case 'integrity':
        return parseProvenance(request.path, rest);
      case 'pypi':
        return parseLegacy(rest);
      default:
        return undefined;
    }
  },

  locate(target, site) {
    if (target.kind !== 'index') return [{ path: urlPath(target.path) }];
    if (target.view === 'legacy') {
      if (site.options.json_api === false) return [];
      return [{ path: urlPath(target.path), headers: { accept: 'application/json' } }];
    }
    const index = String(site.options.index_path ?? 'simple').replace(/^\/+|\/+$/g, '');
    const path = target.path.replace(/^simple\//, index === '' ? '' : `${index}/`);
    return [{ path, headers: { accept: ACCEPT } }];
  },

  versions: pep440Order,
  roster: (name) => [page(normalize(name), 'json')],
  factsOf: ({ name }) => (name === undefined ? [] : [page(name, 'json')]),

  index: {
    decode,
    more: (doc) =>
      doc.kind === 'page' && doc.files.some((file) => file.uploadTime === undefined)
        ? [{ ...legacy(doc.name, `pypi/${doc.name}/json`), optional: true }]
        : [],
    releases,
    keep,
    unlisted: (doc, isLeftOut) =>
      doc.kind === 'list' ? { ...doc, names: doc.names.filter((name) => !isLeftOut(name)) } : doc,
    merge: mergeDocuments,
    encode: encodeDocument,
  },

  fault: (_code, message) => ({ bytes: `${message}\n`, type: 'text/plain; charset=utf-8' }),

  hosting: { receive, compose },
};

function parseSimple(request: ProtocolRequest, [name, end, ...deeper]: readonly string[]): Target | undefined {
  if (deeper.length > 0 || (end !== undefined && end !== '')) return undefined;
  if (name === undefined) return redirect(request, 'simple/');
  if (name === '') return { kind: 'index', path: 'simple/', scope: 'repository', view: negotiate(request) };
  const project = projectOf(name);
  if (end === undefined) return redirect(request, `${project}/`);
  return name === project ? page(project, negotiate(request)) : redirect(request, `../${project}/`);
}

/** PEP 503: one address per project, with a slash at its end; relative, so that it holds behind any proxy. */
function redirect({ path, query }: ProtocolRequest, to: string): Target {
  const location = query === '' ? to : `${to}?${query}`;
  const body = { bytes: `See ${location}\n`, type: 'text/plain; charset=utf-8' };
  return { kind: 'call', path, answer: { ...body, status: 301, headers: { location } } };
}

function parseFile(path: string, [name, file, ...deeper]: readonly string[]): ArtifactTarget | undefined {
  if (name === undefined || file === undefined || deeper.length > 0 || projectOf(name) !== name) return undefined;
  const beside = /\.(?:metadata|asc)$/.exec(file)?.[0];
  if (!isDistribution(beside === undefined ? file : file.slice(0, -beside.length))) return undefined;
  // An archive with a type that implies gzip would be unpacked by some clients, and its hash would fail.
  if (beside === undefined) return { kind: 'artifact', path, name, role: 'package', type: 'application/octet-stream' };
  return beside === '.asc'
    ? { kind: 'artifact', path, name, role: 'signature', type: 'application/pgp-signature' }
    : { kind: 'artifact', path, name, role: 'metadata', type: 'text/plain; charset=utf-8' };
}

function parseProvenance(path: string, [name, version, file, end, ...deeper]: readonly string[]) {
  const known = name && version && file && end === 'provenance' && deeper.length === 0 && isDistribution(file);
  if (!known || projectOf(name) !== name) return undefined;
  const type = 'application/vnd.pypi.integrity.v1+json';
  return { kind: 'artifact', path, name, role: 'signature', mutable: true, type } as const;
}

function parseLegacy(rest: readonly string[]): Target | undefined {
  const [name, ...tail] = rest;
  const end = tail.at(-1) === '' ? tail.slice(0, -1) : tail;
  if (name === undefined || end.at(-1) !== 'json' || end.length > 2) return undefined;
  const project = projectOf(name);
  return legacy(project, ['pypi', project, ...end].join('/'));
}

/** Throws `Malformed`. */
function projectOf(name: string): string {
  if (!isProject(name)) throw new Malformed(`${JSON.stringify(name.slice(0, 80))} is not a valid PyPI project name`);
  return normalize(name);
}

const page = (name: string, view: string): IndexTarget => ({
  kind: 'index',
  path: `simple/${name}/`,
  name,
  scope: 'package',
  view,
});

const legacy = (name: string, path: string): IndexTarget => ({
  kind: 'index',
  path,
  name,
  scope: 'package',
  view: 'legacy',
});

function negotiate({ accept, query }: ProtocolRequest): string {
  const format = new URLSearchParams(query).get('format')?.replaceAll(' ', '+');
  const asked = format === undefined ? undefined : VIEWS[format];
  if (asked !== undefined) return asked;
  const type = accept === undefined ? undefined : new Negotiator({ headers: { accept } }).mediaType(Object.keys(VIEWS));
  return VIEWS[type ?? 'text/html'] ?? 'html';
}

function decode(raw: RawDocument, target: IndexTarget): Document {
  if (target.view === 'legacy') return readLegacy(raw, target.name ?? '');
  const json = isJsonDocument(raw);
  if (target.name === undefined) return json ? readJsonList(raw) : readHtmlList(raw);
  return json ? readJsonPage(raw, target.name) : readHtmlPage(raw, target.name);
}

/** By type; by the first character where the upstream serves files without knowing theirs. */
function isJsonDocument({ type, bytes }: RawDocument): boolean {
  if (/^[^;]*\bhtml\b/i.test(type)) return false;
  return /^[^;]*\bjson\b/i.test(type) || /^\s*\{/.test(new TextDecoder().decode(bytes.subarray(0, 64)));
}

function* releases(doc: Document): Iterable<Release> {
  if (doc.kind === 'list') return;
  const versions = Map.groupBy(doc.files, (file) => versionOf(file.filename, doc.name));
  for (const [version, files] of versions) {
    const yanked = files.every((file) => file.yanked !== undefined);
    const listed = files.flatMap((file) => releaseFiles(file, doc.name));
    yield { name: doc.name, version, files: listed, ...(yanked && { yanked }) };
  }
}

/** A file goes alone: a new wheel of an old version does not take the others with it. */
function keep(doc: Document, judge: Judge): Document {
  if (doc.kind === 'list') return doc;
  const files = doc.files.flatMap((file) => keptFile(file, doc.name, judge));
  const changed = files.length < doc.files.length || files.some((file, at) => file !== doc.files[at]);
  if (!changed) return doc;
  return doc.kind === 'legacy' ? withFiles(doc, files) : { ...doc, files };
}
