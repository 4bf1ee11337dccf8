import { describe, expect, test } from 'vitest';
import { FAULT_CODES } from '../engine/fault.ts';
import type { AnyFormat, IndexTarget, RawDocument, ReleaseFile } from '../engine/format.ts';
import { Malformed } from '../engine/format.ts';
import { formatOptions, formats } from './all.ts';
import { documentOf, fixturesOf, get, indexAt, site } from './fixtures.ts';

const secure = { ...site, base: 'https://entrepot.test/mirror' };
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
];

const cases = formats.flatMap((format) =>
  fixturesOf(format).map((fixture) => ({
    name: `${format.id} ${fixture.file}`,
    format,
    fixture,
    raw: documentOf(format, fixture),
  })),
);

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
  const views = viewsOf(format, fixture.request);
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

  test('every file of a release is an artifact that its own index describes', () => {
    for (const release of format.index.releases(doc)) {
      for (const file of release.files) {
        const artifact = format.parse(get(file.path), site);
        expect(artifact).toMatchObject({ kind: 'artifact', path: file.path, role: file.role ?? 'package' });
        if (artifact?.kind !== 'artifact') continue;
        const facts = format.factsOf(artifact).map((index) => index.path);
        expect(facts).toEqual(format.roster(release.name, artifact).map((index) => index.path));
        expect(facts).toEqual(expect.arrayContaining(format.factsOf(target).map((index) => index.path)));
      }
    }
  });

  test('no two files share a path', () => {
    expect(new Set(files.map((file) => file.path)).size).toBe(files.length);
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

describe.each(formats.map((format) => ({ id: format.id, format })))('$id', ({ format }) => {
  test.each(FAULT_CODES)('says %s in words its client prints', (code) => {
    const message = 'left-pad 1.3.0 is younger than 7 days "policy"';
    const body = format.fault(code, message, undefined);
    const text = String(body.bytes);
    expect(body.type === 'application/json' ? Object.values(JSON.parse(text)) : [text.trimEnd()]).toContain(message);
  });

  test.each(HOSTILE)('takes %j without harm', (path) => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'BREW']) {
      const target = parsed(format, method, path);
      if (target === undefined || target.kind === 'call') continue;
      const places = 'role' in target || target.kind === 'index' ? (format.locate?.(target, site) ?? []) : [];
      for (const place of places)
        expect(new URL(place.path ?? '', 'https://upstream.test/base/').href).toMatch(
          /^https:\/\/upstream\.test\/base\//,
        );
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

function parsed(format: AnyFormat, method: string, path: string) {
  try {
    return format.parse({ method, path, query: '', accept: 'a/b;q=x,,*/*' }, site);
  } catch (error) {
    expect(error).toBeInstanceOf(Malformed);
    return undefined;
  }
}

function viewsOf(format: AnyFormat, path: string): readonly IndexTarget[] {
  const views = ACCEPTS.map((accept) => indexAt(format, path, accept));
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
