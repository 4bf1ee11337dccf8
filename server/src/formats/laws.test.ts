import { describe, expect, test } from 'vitest';
import { FAULT_CODES } from '../engine/fault.ts';
import type {
  AnyFormat,
  ArtifactTarget,
  CallTarget,
  IndexTarget,
  RawDocument,
  ReleaseFile,
  Target,
} from '../engine/format.ts';
import { Malformed } from '../engine/format.ts';
import { formatOptions, formats } from './all.ts';
import { documentOf, type Fixture, fixturesOf, get, site, targetOf } from './fixtures.ts';

const secure = { ...site, base: 'https://entrepot.test/mirror' };
const upstreamSite = { ...site, upstream: 'https://upstream.test/base' };
const withheld = { rule: 'test', reason: 'too young' };

/** What clients are known to ask with: every view that a format has is behind one of them. */
const ACCEPTS = [
  undefined,
  'application/json',
  'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*',
  'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01',
  'application/vnd.pypi.simple.v1+html',
  'text/html',
];

const HOSTILE = [
  '',
  '/',
  '-',
  '-/',
  '-/-/--0.0.1.tgz',
  '@',
  '@/',
  '@s',
  '@s/',
  '@s/@t/x',
  '__proto__',
  '__proto__/constructor',
  'constructor/-/constructor-1.0.0.tgz',
  'a b',
  'a%2f..%2fb',
  '%00',
  'https:/evil.test/x',
  'a?b#c',
  'simple',
  'simple/',
  'simple/__proto__/',
  'simple/a/b/',
  'simple/-/',
  'simple/..%2f..%2f/',
  'packages/a/b',
  'packages/a/a-1.0.tar.gz.metadata.asc',
  'packages/__proto__/x.whl',
  'pypi/__proto__/json',
  'pypi/a/b/c/json',
  'integrity/a/%2e%2e/a-1.0.tar.gz/provenance',
  '\u202egnp.exe',
  'ａ',
  `${'a'.repeat(20_000)}`,
  `${'a/'.repeat(10_000)}`,
  `${'-1.1'.repeat(5_000)}`,
  `simple/${'-'.repeat(20_000)}x/`,
  'manifests/latest',
  '__proto__/manifests/constructor',
  'a/manifests/..%2f..%2fx',
  'a/manifests/sha256:../../x',
  'a/blobs/https:/evil.test/x',
  `a/manifests/${'-'.repeat(20_000)}`,
  `${'a/'.repeat(10_000)}tags/list`,
  `${'a--'.repeat(10_000)}/tags/list`,
  'dists/__proto__/InRelease',
  'dists/..%2f..%2fRelease',
  'dists/stable/by-hash/SHA256/x',
  `dists/${'a/'.repeat(10_000)}by-hash/MD5Sum/x`,
];

const cases = formats.flatMap((format) =>
  fixturesOf(format).map((fixture) => ({
    name: `${format.id} ${fixture.file}`,
    format,
    fixture,
    raw: documentOf(format, fixture),
  })),
);

/** Documents that are filtered and written anew; the others pass byte for byte. */
const rendered = cases.filter(({ format, fixture }) => !targetOf(format, fixture).opaque);

test('every format is tried: with an index, or without one by design', () => {
  const tried = new Set(cases.map(({ format }) => format.id));
  const untried = formats.filter((format) => !tried.has(format.id));
  expect(untried.map((format) => [format.id, ...format.roster('a')])).toEqual(untried.map((format) => [format.id]));
});

test('options are those of a format', () => {
  const ids = formats.map((format) => format.id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual(expect.arrayContaining(Object.keys(formatOptions)));
});

describe.each(cases)('$name', ({ format, fixture, raw }) => {
  const target = targetOf(format, fixture);
  const doc = format.index.decode(raw, target);
  const releases = [...format.index.releases(doc)];
  const files = releases.flatMap((release) => release.files);

  test('every file of a release is one that a request leads to', () => {
    for (const { path, role = 'package' } of files) {
      const asked = format.parse(get(path), site);
      expect(asked).toMatchObject(asked?.kind === 'alias' ? { path } : { kind: 'artifact', path, role });
    }
  });

  test('a file that its bytes do not name is described by the index that lists it', () => {
    for (const { name, files: own } of releases) {
      for (const { path } of own) {
        const artifact = format.parse(get(path), site);
        if (artifact?.kind !== 'artifact' || artifact.digest || artifact.listedAnywhere) continue;
        const facts = format.factsOf(artifact).map((index) => index.path);
        expect(facts).toEqual(format.roster(name, artifact).map((index) => index.path));
        expect(facts).toEqual(expect.arrayContaining(format.factsOf(target).map((index) => index.path)));
      }
    }
  });

  test('no two files share a path', () => {
    expect(new Set(files.map((file) => file.path)).size).toBe(files.length);
  });

  test('a document that is a file lists itself, and describes itself', () => {
    const { file } = target;
    if (!file) return;
    expect(files).toContainEqual(expect.objectContaining({ path: file.path }));
    expect(file.path).toBe(target.path);
    expect(format.factsOf(file).map(({ path, digest }) => ({ path, digest }))).toContainEqual({
      path: target.path,
      digest: target.digest,
    });
  });

  test('a request leads to every part', () => {
    for (const part of format.index.parts?.(doc) ?? []) {
      const asked = format.parse(get(part.path), site);
      if (asked?.kind !== 'alias') {
        expect(asked).toMatchObject({ path: part.target.path });
        continue;
      }
      expect(asked.of.map(({ path }) => path)).toContain(target.path);
      expect(format.index.choose?.(doc, asked.select, () => undefined)).toEqual(part.target);
    }
  });

  test.each([
    ['nothing', ''],
    [
      'half of it',
      Buffer.from(raw.bytes)
        .toString()
        .slice(0, raw.bytes.length / 2),
    ],
    ['a login page', '<!doctype html><html><form action="/login"><input name="password"></form></html>'],
    ['null', 'null'],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['bytes', '\u0000\u0001\u0002'],
  ])('%s in its place is Malformed, or a document with nothing more', (_what, text) => {
    for (const type of [fixture.type, 'text/html', 'application/json', 'application/octet-stream']) {
      const known = new Set(files.map((file) => file.path));
      expect(
        pathsOf(format, { bytes: Buffer.from(text), type, url: raw.url }, target).filter((path) => !known.has(path)),
      ).toEqual([]);
    }
  });
});

describe.each(rendered)('$name', ({ format, fixture, raw }) => {
  const views = viewsOf(format, fixture);
  const target = views[0] as IndexTarget;
  const doc = format.index.decode(raw, target);
  const files = [...format.index.releases(doc)].flatMap((release) => release.files);

  test('keep-all is identity', () => {
    const kept = format.index.keep(doc, () => undefined);
    for (const view of views)
      expect(format.index.encode(kept, view, secure)).toEqual(format.index.encode(doc, view, secure));
  });

  test('keep-none leaves no release and names no file', () => {
    const empty = format.index.keep(doc, () => withheld);
    expect([...format.index.releases(empty)]).toEqual([]);
    for (const view of views) for (const file of files) expect(textOf(format, empty, view)).not.toContain(shown(file));
  });

  test('what we serve reads as what we read, every address being ours', () => {
    for (const view of views) {
      const { bytes, type } = format.index.encode(doc, view, secure) ?? { bytes: '', type: '' };
      const served = { bytes: Buffer.from(bytes), type, url: `${secure.base}/${view.path}` };
      const again = [...format.index.releases(format.index.decode(served, view))].flatMap((release) => release.files);
      expect(again.map(identity)).toEqual(files.map(identity));
      for (const [position, { url }] of again.entries()) {
        if (files[position]?.url === undefined) expect(url).toBeUndefined();
        else expect(url).toMatch(/^https:\/\/entrepot\.test\/mirror\//);
      }
    }
  });

  test('a hidden file is in no view, and takes no other download with it', () => {
    for (const hidden of files) {
      const kept = format.index.keep(doc, (path) => (path === hidden.path ? withheld : undefined));
      const left = [...format.index.releases(kept)].flatMap((release) => release.files.map((file) => file.path));
      const others = files.filter((file) => (file.role ?? 'package') === 'package' && file !== hidden);
      expect(left).not.toContain(hidden.path);
      expect(left).toEqual(expect.arrayContaining(others.map((file) => file.path)));
      for (const view of views) expect(textOf(format, kept, view)).not.toContain(shown(hidden));
    }
  });

  test('a document merged with itself is itself', () => {
    const merged = format.index.merge([doc, doc]);
    for (const view of views)
      expect(format.index.encode(merged, view, secure)).toEqual(format.index.encode(doc, view, secure));
  });
});

describe.each(formats.map((format) => ({ id: format.id, format })))('$id', ({ format }) => {
  test.each(FAULT_CODES)('says %s in words its client prints', (code) => {
    const message = 'left-pad 1.3.0 is younger than 7 days "policy"';
    const body = format.fault(code, message, undefined);
    const text = String(body.bytes);
    expect(body.type === 'application/json' ? textsIn(JSON.parse(text)) : [text.trimEnd()]).toContain(message);
  });

  test.each(HOSTILE)('takes %j without harm', (path) => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'BREW']) {
      const target = parsed(format, method, path);
      if (target === undefined || target.kind === 'call') continue;
      const places = locatable(target).flatMap((each) => format.locate?.(each, upstreamSite) ?? []);
      for (const place of places)
        expect(new URL(place.path ?? '', 'https://upstream.test/base/').href).toMatch(
          /^https:\/\/upstream\.test\/base\//,
        );
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

const hosting = formats.flatMap(({ id, hosting }) => (hosting ? [{ id, hosting }] : []));

describe.each(hosting)('publishing to $id', ({ hosting }) => {
  test.each(HOSTILE)('at %j does no harm, and reading publishes nothing', (path) => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'BREW']) {
      const published = received(hosting, method, path);
      if (published === undefined) continue;
      expect(['POST', 'PUT', 'DELETE']).toContain(method);
      if (published.kind !== 'change') expect(path).toContain(published.file.path);
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

function received(hosting: NonNullable<AnyFormat['hosting']>, method: string, path: string) {
  try {
    return hosting.receive({ method, path, query: '', accept: undefined });
  } catch (error) {
    expect(error).toBeInstanceOf(Malformed);
    return undefined;
  }
}

function parsed(format: AnyFormat, method: string, path: string) {
  try {
    return format.parse({ method, path, query: '', accept: 'a/b;q=x,,*/*' }, site);
  } catch (error) {
    expect(error).toBeInstanceOf(Malformed);
    return undefined;
  }
}

function locatable(target: Exclude<Target, CallTarget>): readonly (ArtifactTarget | IndexTarget)[] {
  switch (target.kind) {
    case 'alias':
      return [...target.of, ...(target.otherwise ? [target.otherwise] : [])];
    case 'derived':
      return [target.of];
    default:
      return [target];
  }
}

/** Every text in a JSON value. */
const textsIn = (value: unknown): readonly unknown[] =>
  typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [value];

function viewsOf(format: AnyFormat, fixture: Fixture): readonly IndexTarget[] {
  const views = ACCEPTS.map((accept) => targetOf(format, fixture, accept));
  return [...new Map(views.map((target) => [target.view, target])).values()];
}

/** What was read of a document, or nothing when it was refused as it should be. */
function pathsOf(format: AnyFormat, raw: RawDocument, target: IndexTarget): readonly string[] {
  try {
    return [...format.index.releases(format.index.decode(raw, target))].flatMap((each) =>
      each.files.map((file) => file.path),
    );
  } catch (error) {
    expect(error).toBeInstanceOf(Malformed);
    return [];
  }
}

const identity = ({ path, digest, role, yanked }: ReleaseFile) => ({ path, digest, role, yanked });

/** What a view would say of it: a download's own name, also where a link keeps another's address. */
const shown = ({ path, role = 'package' }: ReleaseFile): string =>
  role === 'package' ? path.slice(path.lastIndexOf('/') + 1) : path;

/** With paths as they are compared, whatever a URL needs to have encoded. */
const textOf = (format: AnyFormat, doc: unknown, view: IndexTarget): string =>
  String(format.index.encode(doc, view, secure)?.bytes ?? '').replace(/%[0-9a-f]{2}/gi, decodeURIComponent);
