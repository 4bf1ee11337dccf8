import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Malformed, type Place, type RawDocument } from '../../engine/format.ts';
import { documentOf, fixturesOf, get, indexAt, site } from '../fixtures.ts';
import { npm } from './index.ts';
import type { Packument } from './packument.ts';

const CORGI = 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*';
const withheld = { rule: 'cooldown', reason: 'too young' };

describe('what a request asks for', () => {
  test.each([
    ['express', undefined, 'express', 'full'],
    ['express', CORGI, 'express', 'abbreviated'],
    ['express', 'application/json', 'express', 'full'],
    ['express', 'application/vnd.npm.install-v1+json;q=0, application/json', 'express', 'full'],
    ['express', 'application/json;q=0.5, application/vnd.npm.install-v1+json;q=0.4', 'express', 'full'],
    ['express', 'text/html', 'express', 'full'],
    ['express/', undefined, 'express', 'full'],
    ['@s/foo', CORGI, '@s/foo', 'abbreviated'],
    ['JSONStream', undefined, 'JSONStream', 'full'],
    ['socket.io', undefined, 'socket.io', 'full'],
    ['express/4.18.2', CORGI, 'express', 'version:4.18.2'],
    ['express/latest', undefined, 'express', 'version:latest'],
    ['@s/foo/1.0.0', undefined, '@s/foo', 'version:1.0.0'],
    ['-/package/@s/foo/dist-tags', undefined, '@s/foo', 'tags'],
  ])('%s, Accept %s → %s %s', (path, accept, name, view) => {
    expect(npm.parse(get(path, accept), site)).toEqual({ kind: 'index', path: name, name, scope: 'package', view });
  });

  test('a tarball, whatever the Accept header says', () => {
    const target = npm.parse(get('@s/foo/-/foo-1.0.0.tgz', CORGI), site);
    expect(target).toMatchObject({ kind: 'artifact', name: '@s/foo', path: '@s/foo/-/foo-1.0.0.tgz', role: 'package' });
  });

  test('attestations, which may gain bundles', () => {
    const path = '-/npm/v1/attestations/@s/foo@1.0.0';
    const target = npm.parse(get(path), site);
    expect(target).toEqual({ kind: 'artifact', path, name: '@s/foo', role: 'signature', mutable: true });
  });

  test('a ping, answered here', () => {
    expect(npm.parse(get('-/ping'), site)).toMatchObject({ kind: 'call', answer: { bytes: '{}' } });
  });

  test('a search, with its query, from the upstream', () => {
    const target = npm.parse(get('-/v1/search', undefined, 'text=a%20b&size=20'), site);
    expect(target).toMatchObject({ kind: 'call', place: { path: '-/v1/search?text=a%20b&size=20' } });
  });

  test('an audit, with its body, from the upstream', () => {
    const body = Buffer.from('{"express":["4.18.2"]}');
    const request = { ...get('-/npm/v1/security/advisories/bulk'), method: 'POST', body };
    expect(npm.parse(request, site)).toMatchObject({
      kind: 'call',
      place: {
        method: 'POST',
        path: '-/npm/v1/security/advisories/bulk',
        body,
        headers: { 'content-type': 'application/json' },
      },
    });
  });

  test.each(['-/all', 'favicon.ico', 'express/1.0.0/x', '-/npm/v1/tokens', 'express/-/', 'express/-/a/b.tgz'])(
    'nothing at %s',
    (path) => expect(npm.parse(get(path), site)).toBeUndefined(),
  );

  test.each(['a b', '.hidden', '_private', '@scope', 'node_modules', 'ünïcode'])('%s is no name', (path) => {
    expect(() => npm.parse(get(path), site)).toThrow(Malformed);
  });
});

describe('where the upstream has it', () => {
  const place = (path: string): Place | undefined => {
    const target = npm.parse(get(path, CORGI), site);
    return target?.kind === 'index' || target?.kind === 'artifact' ? npm.locate?.(target, site)[0] : undefined;
  };

  test('always the full document, a scope in one segment', () => {
    expect(place('@s/foo')).toEqual({ path: '@s%2ffoo', headers: { accept: 'application/json' } });
    expect(place('@s/foo/latest')).toEqual(place('@s/foo'));
  });

  test('tarballs and attestations', () => {
    expect(place('@s/foo/-/foo-1.0.0+a.tgz')).toEqual({ path: '@s/foo/-/foo-1.0.0%2Ba.tgz' });
    expect(place('-/npm/v1/attestations/@s/foo@1.0.0')).toEqual({ path: '-/npm/v1/attestations/@s%2ffoo@1.0.0' });
  });
});

describe('a packument', () => {
  const widget = read('@acme/widget');

  test('says of every file where it is, when it was published and what it must be', () => {
    const [first, ...others] = [...npm.index.releases(widget)];
    expect(first).toEqual({
      name: '@acme/widget',
      version: '1.0.0',
      files: [
        {
          path: '@acme/widget/-/widget-1.0.0.tgz',
          url: 'https://upstream.test/download/@acme/widget/1.0.0/3f9a',
          digest: `sha1:${sha1('1.0.0')}`,
          published: { at: Date.UTC(2021, 0, 1), by: 'server' },
        },
      ],
    });
    expect(others.flatMap(({ files }) => files.map((file) => file.digest?.length ?? 0))).toContain(
      'sha512:'.length + 128,
    );
    expect(others.at(-1)?.files.at(-1)).toMatchObject({
      path: '-/npm/v1/attestations/@acme/widget@3.0.0-rc.1',
      url: 'https://upstream.test/-/npm/v1/attestations/@acme%2fwidget@3.0.0-rc.1',
      role: 'signature',
    });
  });

  test('keeps in full what it does not rewrite', () => {
    const source = json(documentOf(npm, fixture('@acme/widget')).bytes);
    const served = json(view(widget, 'full'));
    expect({ ...served, versions: 0 }).toEqual({ ...source, versions: 0 });
    expect(served.versions['2.0.0']).toEqual({
      ...source.versions['2.0.0'],
      dist: { ...source.versions['2.0.0'].dist, tarball: `${site.base}/@acme/widget/-/widget-2.0.0.tgz` },
    });
    const { attestations, tarball } = json(view(widget, 'version:2.1.0')).dist;
    expect(tarball).toBe(`${site.base}/@acme/widget/-/widget-2.1.0.tgz`);
    expect(attestations).toEqual({
      url: `${site.base}/-/npm/v1/attestations/@acme%2fwidget@2.1.0`,
      provenance: { predicateType: 'https://slsa.dev/provenance/v1' },
    });
  });

  test('abbreviated, has what an install needs and nothing else', () => {
    const served = json(view(widget, 'abbreviated'));
    expect(Object.keys(served).sort()).toEqual(['dist-tags', 'modified', 'name', 'versions']);
    expect(Object.keys(served.versions)).toEqual(Object.keys(json(view(widget, 'full')).versions));
    const { dist, ...manifest } = served.versions['2.0.0'];
    expect(dist).toEqual(json(view(widget, 'version:2.0.0')).dist);
    expect(manifest).toEqual({
      name: '@acme/widget',
      version: '2.0.0',
      dependencies: { express: '^4.18.0' },
      bin: { widget: 'cli.js' },
      engines: { node: '>=20' },
      os: ['linux'],
      _hasShrinkwrap: false,
      hasInstallScript: true,
    });
    expect(npm.index.encode(widget, { ...indexAt(npm, '@acme/widget'), view: 'abbreviated' }, site)?.type).toBe(
      'application/vnd.npm.install-v1+json',
    );
  });

  test('gives one version by number or tag', () => {
    expect(json(view(widget, 'version:latest')).version).toBe('2.1.0');
    expect(json(view(widget, 'version:1.9.0')).version).toBe('1.9.0');
    for (const none of ['7.0.0', 'beta', '__proto__', 'constructor', ''])
      expect(view(widget, `version:${none}`)).toBeUndefined();
    expect(json(view(widget, 'tags'))).toEqual({ latest: '2.1.0', next: '3.0.0-rc.1', legacy: '1.9.0' });
  });

  test.each([
    ['nothing', [], { latest: '2.1.0', next: '3.0.0-rc.1', legacy: '1.9.0' }],
    ['the newest', ['2.1.0'], { latest: '2.0.0', next: '3.0.0-rc.1', legacy: '1.9.0' }],
    ['a prerelease', ['3.0.0-rc.1'], { latest: '2.1.0', legacy: '1.9.0' }],
    ['all but the oldest', ['1.9.0', '2.0.0', '2.1.0', '3.0.0-rc.1'], { latest: '1.0.0' }],
    ['all that is stable', ['1.0.0', '1.9.0', '2.0.0', '2.1.0'], { latest: '3.0.0-rc.1', next: '3.0.0-rc.1' }],
    ['everything', ['1.0.0', '1.9.0', '2.0.0', '2.1.0', '3.0.0-rc.1'], {}],
  ])('without %s has tags that lead somewhere', (_what, hidden, tags) => {
    const kept = without(widget, hidden);
    expect(json(view(kept, 'full'))['dist-tags']).toEqual(tags);
    expect(Object.keys(json(view(kept, 'full')).time).filter((key) => hidden.includes(key))).toEqual([]);
    expect(json(view(kept, 'full')).time['0.9.0']).toBe('2020-01-01T00:00:00.000Z');
  });

  test('moves latest up only when nothing below it is left', () => {
    const doc = decode({
      name: 'a',
      'dist-tags': { latest: '1.0.0' },
      versions: { '1.0.0': v('1.0.0'), '2.0.0': v('2.0.0'), '3.0.0': v('3.0.0') },
    });
    expect(json(view(without(doc, ['1.0.0'], 'a'), 'tags'))).toEqual({ latest: '2.0.0' });
  });

  test('an unpublished package has no releases', () => {
    expect([...npm.index.releases(read('gone'))]).toEqual([]);
  });

  test('of two, the first one wins a version', () => {
    const first = decode({
      name: 'a',
      'dist-tags': { latest: '1.0.0' },
      versions: { '1.0.0': v('1.0.0', 'x') },
      time: { '1.0.0': '2020-01-01' },
    });
    const second = decode({
      name: 'a',
      'dist-tags': { latest: '2.0.0' },
      versions: { '1.0.0': v('1.0.0', 'y'), '2.0.0': v('2.0.0', 'y') },
      time: { '2.0.0': '2021-01-01' },
    });
    const merged = json(view(npm.index.merge([first, second]), 'full'));
    expect(Object.entries(merged.versions).map(([key, each]) => [key, (each as { mark: string }).mark])).toEqual([
      ['1.0.0', 'x'],
      ['2.0.0', 'y'],
    ]);
    expect(merged['dist-tags']).toEqual({ latest: '1.0.0' });
    expect(merged.time).toEqual({ '1.0.0': '2020-01-01', '2.0.0': '2021-01-01' });
  });
});

describe('a bad packument', () => {
  test.each([
    ['', /empty/],
    ['<html><body>Sign in</body></html>', /markup, perhaps an error or login page/],
    ['{"name":"a","versions":{', /not JSON/],
    ['{"name":"a"}', /no versions/],
    ['{"name":"a","versions":null}', /no versions/],
    ['{"name":"a","versions":[]}', /no versions/],
    ['{"name":"b","versions":{}}', /another package, "b"/],
    ['{"name":{"a":1},"versions":{}}', /another package/],
  ])('%s is Malformed', (text, why) => {
    expect(() => npm.index.decode(raw(text), indexAt(npm, 'a'))).toThrow(why);
    expect(() => npm.index.decode(raw(text), indexAt(npm, 'a'))).toThrow(Malformed);
  });

  test('loses only the versions that cannot be had', () => {
    const doc = decode({
      name: 'a',
      'dist-tags': { latest: '1.0.7', odd: 7 },
      versions: {
        '1.0.0': v('1.0.0'),
        '1.0.1': null,
        '1.0.2': { name: 'a', version: '1.0.2' },
        '1.0.3': { ...v('1.0.3'), dist: { tarball: 'file:///etc/passwd' } },
        '1.0.4': { ...v('1.0.4'), dist: { tarball: 12 } },
        '1/../../x': v('1/../../x'),
        '1.0.7': { ...v('1.0.7'), dist: { tarball: '' } },
      },
    });
    expect([...npm.index.releases(doc)].map(({ version }) => version)).toEqual(['1.0.0']);
    expect(json(view(doc, 'tags'))).toEqual({ latest: '1.0.0' });
  });

  test('cannot give a young version the path of an old one, whichever is listed first', () => {
    const old = v('1.0.0');
    const young = { ...v('2.0.0'), dist: old.dist };
    for (const versions of [
      { '1.0.0': old, '2.0.0': young },
      { '2.0.0': young, '1.0.0': old },
    ]) {
      const releases = [...npm.index.releases(decode({ name: 'a', versions }))];
      const paths = releases.map(({ version, files }) => [version, files[0]?.path]);
      expect(Object.fromEntries(paths)).toEqual({ '1.0.0': 'a/-/a-1.0.0.tgz', '2.0.0': 'a/-/a-2.0.0.tgz' });
    }
  });

  test('cannot reach prototypes', () => {
    const text = `{"name":"a","__proto__":{"polluted":1},"dist-tags":{"__proto__":"1.0.0"},"versions":{"__proto__":${JSON.stringify(v('1.0.0'))},"1.0.0":${JSON.stringify(v('1.0.0'))}},"time":{"__proto__":"2020-01-01"}}`;
    const doc = npm.index.keep(npm.index.decode(raw(text), indexAt(npm, 'a')), () => undefined);
    expect(json(view(doc, 'version:1.0.0')).version).toBe('1.0.0');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(JSON.parse(String(view(doc, 'full'))).versions)).toBe(Object.prototype);
  });

  test('takes the strongest digest that can be one', () => {
    const doc = decode({
      name: 'a',
      versions: {
        '1.0.0': {
          ...v('1.0.0'),
          dist: {
            ...v('1.0.0').dist,
            integrity: `sha1-${'A'.repeat(27)}= sha512-short sha384-${'A'.repeat(64)}?x`,
            shasum: 'zz',
          },
        },
      },
    });
    expect([...npm.index.releases(doc)][0]?.files[0]?.digest).toBe(`sha384:${'0'.repeat(96)}`);
  });
});

function v(version: string, mark = '') {
  return {
    name: 'a',
    version,
    mark,
    dist: { tarball: `https://upstream.test/a/-/a-${version}.tgz`, shasum: sha1(version) },
  };
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

function raw(text: string): RawDocument {
  return { bytes: Buffer.from(text), type: 'application/json', url: 'https://upstream.test/a' };
}

function decode(packument: object): Packument {
  return npm.index.decode(raw(JSON.stringify(packument)), indexAt(npm, 'a'));
}

function fixture(request: string) {
  const found = fixturesOf(npm).find((each) => each.request === request);
  if (!found) throw new Error(`no fixture of ${request}`);
  return found;
}

function read(request: string): Packument {
  return npm.index.decode(documentOf(npm, fixture(request)), indexAt(npm, request));
}

function view(doc: Packument, name: string): string | Uint8Array | undefined {
  return npm.index.encode(doc, { ...indexAt(npm, doc.name), view: name }, site)?.bytes;
}

const json = (bytes: string | Uint8Array | undefined) => JSON.parse(Buffer.from(bytes ?? '').toString());

function without(doc: Packument, versions: readonly string[], base = 'widget'): Packument {
  const hidden = versions.map((version) => `${doc.name}/-/${base}-${version}.tgz`);
  return npm.index.keep(doc, (path) => (hidden.includes(path) ? withheld : undefined));
}
