import { hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type IndexTarget, Malformed, type RawDocument, type Target } from '../../engine/format.ts';
import { documentOf, fixturesOf, get, indexAt, site } from '../fixtures.ts';
import { go } from './index.ts';

const TOML = 'github.com/!burnt!sushi/toml';
const PSEUDO = 'v0.0.0-20220411194840-2f41105eb62f';
const withheld = { rule: 'blocklist', reason: 'blocked' };

describe('what a request asks for', () => {
  test.each([
    [`${TOML}/@v/list`, 'list', undefined],
    [`${TOML}/@latest`, 'latest', true],
    [`${TOML}/@v/v1.5.0.info`, 'version:v1.5.0', true],
    [`${TOML}/@v/v2.0.0+incompatible.info`, 'version:v2.0.0+incompatible', true],
    [`${TOML}/@v/${PSEUDO}.info`, `version:${PSEUDO}`, true],
    [`${TOML}/@v/v1.0.0-!r!c1.info`, 'version:v1.0.0-RC1', true],
    [`${TOML}/@v/master.info`, 'query:master', true],
    [`${TOML}/@v/v1.5.info`, 'query:v1.5', true],
    [`${TOML}/@v/v1.5.0+build.info`, 'query:v1.5.0+build', true],
    [`${TOML}/@v/!feature#1.x.info`, 'query:Feature#1.x', true],
  ])('%s → %s', (path, view, partial) => {
    const target = { kind: 'index', path, name: 'github.com/BurntSushi/toml', scope: 'package', view };
    expect(go.parse(get(path), site)).toMatchObject(partial ? { ...target, partial } : target);
  });

  test.each([
    ['zip', 'package', 'application/zip'],
    ['mod', 'metadata', 'text/plain; charset=utf-8'],
  ])('the .%s of a version', (extension, role, type) => {
    const path = `${TOML}/@v/v1.5.0-!r!c1.${extension}`;
    const named = { name: 'github.com/BurntSushi/toml', version: 'v1.5.0-RC1' };
    expect(go.parse(get(path), site)).toEqual({ kind: 'artifact', path, ...named, role, type });
  });

  test('a toolchain is a module like any other', () => {
    const path = 'golang.org/toolchain/@v/v0.0.1-go1.26.0.linux-amd64.zip';
    expect(go.parse(get(path), site)).toMatchObject({ kind: 'artifact', version: 'v0.0.1-go1.26.0.linux-amd64' });
  });

  test.each([
    'sumdb/sums.test/supported',
    'sumdb/sums.test/latest',
    'sumdb/sums.test/deeper/latest',
    `sumdb/sums.test/lookup/${TOML}@v1.5.0`,
    'sumdb/sums.test/tile/8/0/x001/x234/067',
    'sumdb/sums.test/tile/8/1/000.p/17',
    'sumdb/sums.test/tile/8/data/x123/456.p/255',
  ])('of a checksum database, %s, untouched', (path) => {
    expect(go.parse(get(path), site)).toMatchObject({ kind: 'index', path, scope: 'repository', opaque: true });
    expect(go.factsOf(indexAt(go, path))).toEqual([]);
  });

  test.each([
    '',
    TOML,
    `${TOML}/@v/`,
    `${TOML}/@v/list/`,
    `${TOML}/@v/v1.5.0`,
    `${TOML}/@v/.info`,
    `${TOML}/@v/v1.5.0.ziphash`,
    `${TOML}/@v/V1.5.0.info`,
    `${TOML}/@v/a/b.info`,
    `${TOML}/@v/master.zip`,
    `${TOML}/@v/v1.5.mod`,
    'sumdb/sums.test/tile/0/0/000',
    'sumdb/sums.test/tile/31/0/000',
    'sumdb/sums.test/tile/8/0/1',
    'sumdb/sums.test/lookup/no-version',
    'sumdb/supported',
  ])('nothing at %j', (path) => expect(go.parse(get(path), site)).toBeUndefined());

  test.each(['github.com/BurntSushi/toml', 'a/.hidden', 'a/b.', 'a!', '!1', 'a b', 'ünïcode'])(
    '%s is no module as the go command writes it',
    (path) => {
      for (const end of ['@v/list', '@latest', '@v/v1.0.0.zip'])
        expect(() => go.parse(get(`${path}/${end}`), site)).toThrow(Malformed);
    },
  );

  test('nothing by other methods', () => {
    expect(go.parse({ ...get(`${TOML}/@v/list`), method: 'POST' }, site)).toBeUndefined();
  });
});

describe('where the upstream has it, and for how long it stays so', () => {
  const place = (path: string) => {
    const target = go.parse(get(path), site);
    return target?.kind === 'index' || target?.kind === 'artifact' ? go.locate?.(target, site) : undefined;
  };
  const forever = { ttl: Number.POSITIVE_INFINITY };

  test.each([
    [`${TOML}/@v/list`, {}],
    [`${TOML}/@latest`, {}],
    [`${TOML}/@v/master.info`, {}],
    [`${TOML}/@v/v1.0.0+incompatible.info`, forever],
    [`${TOML}/@v/v1.0.0+incompatible.zip`, {}],
    ['sumdb/sums.test/supported', {}],
    ['sumdb/sums.test/latest', {}],
    [`sumdb/sums.test/lookup/${TOML}@v1.5.0+incompatible`, forever],
    ['sumdb/sums.test/tile/8/0/x001/067.p/3', forever],
  ])('%s', (path, ttl) => expect(place(path)).toEqual([{ path, ...ttl }]));

  test('a branch with odd letters', () => {
    expect(place(`${TOML}/@v/a#b?c d.info`)).toEqual([{ path: `${TOML}/@v/a%23b%3Fc%20d.info` }]);
  });
});

describe('what describes a file', () => {
  const facts = (path: string) => go.factsOf(go.parse(get(path), site) as Extract<Target, { kind: 'index' }>);

  test.each(['zip', 'mod', 'info'])('.%s: its own description, then the list', (extension) => {
    const paths = facts(`${TOML}/@v/${PSEUDO}.${extension}`).map(({ path }) => path);
    expect(paths).toEqual([`${TOML}/@v/${PSEUDO}.info`, `${TOML}/@v/list`]);
  });

  test.each(['@v/list', '@latest', '@v/master.info'])('%s: the list, which says who owns the name', (end) => {
    expect(facts(`${TOML}/${end}`).map(({ path }) => path)).toEqual([`${TOML}/@v/list`]);
    expect(go.roster('github.com/BurntSushi/toml').map(({ path }) => path)).toEqual([`${TOML}/@v/list`]);
  });
});

describe('a list', () => {
  const widget = read('example.com/acme/widget/@v/list');
  const text = (doc: typeof widget) =>
    go.index.encode(doc, indexAt(go, 'example.com/acme/widget/@v/list'), site)?.bytes;

  test('names every version with its two files', () => {
    const releases = [...go.index.releases(widget)];
    expect(releases.map(({ version }) => version)).toEqual(['v1.0.0', 'v1.1.0', 'v1.2.0-rc.1', 'v2.0.0+incompatible']);
    expect(releases[0]).toEqual({
      name: 'example.com/acme/widget',
      version: 'v1.0.0',
      details: expect.objectContaining({ path: 'example.com/acme/widget/@v/v1.0.0.info', view: 'version:v1.0.0' }),
      files: [
        { path: 'example.com/acme/widget/@v/v1.0.0.zip' },
        { path: 'example.com/acme/widget/@v/v1.0.0.mod', role: 'metadata' },
      ],
    });
  });

  test('loses the lines of what is withheld, and keeps the others as they came', () => {
    const kept = without(widget, /v1\.1\.0|incompatible/);
    expect(text(kept)).toBe('v1.0.0 2019-04-23T10:00:00Z\nv1.2.0-rc.1\n');
    expect(text(without(widget, /./))).toBe('');
  });

  test('asks about what is beside a withheld zip no more, so that nothing of it counts as admitted', () => {
    const asked: string[] = [];
    go.index.keep(widget, (path) => {
      asked.push(path);
      return path.endsWith('.zip') ? withheld : undefined;
    });
    expect(asked.filter((path) => path.endsWith('.mod'))).toEqual([]);
  });

  test('may be empty', () => {
    const empty = go.index.decode(raw(''), indexAt(go, 'a.test/b/@v/list'));
    expect([...go.index.releases(empty)]).toEqual([]);
    expect(go.index.encode(empty, indexAt(go, 'a.test/b/@v/list'), site)?.bytes).toBe('');
  });

  test.each(['<!doctype html>\n<title>Sign in</title>', 'Not found\n', '{"error":"no"}'])('%j is none', (nonsense) => {
    expect(() => go.index.decode(raw(nonsense), indexAt(go, 'a.test/b/@v/list'))).toThrow(Malformed);
  });

  test('of two, is all versions once', () => {
    const at = indexAt(go, 'a.test/b/@v/list');
    const docs = ['v1.0.0 first\nv1.1.0\n', 'v1.0.0\nv2.0.0\n'].map((each) => go.index.decode(raw(each), at));
    expect(go.index.encode(go.index.merge(docs), at, site)?.bytes).toBe('v1.0.0 first\nv1.1.0\nv2.0.0\n');
  });
});

describe('the description of a version', () => {
  const at = indexAt(go, 'a.test/b/@v/v1.0.0.info');
  const info = '{"Version":"v1.0.0","Time":"2020-01-14T19:47:44Z","Origin":{"VCS":"git"}}';

  test('dates its files by their author', () => {
    const [release] = go.index.releases(go.index.decode(raw(info), at));
    const published = { at: Date.UTC(2020, 0, 14, 19, 47, 44), by: 'author' };
    expect(release?.files).toEqual([
      { path: 'a.test/b/@v/v1.0.0.zip', published },
      { path: 'a.test/b/@v/v1.0.0.mod', role: 'metadata', published },
    ]);
  });

  test('dates them by the server where that says since when it has it', () => {
    const dated = { ...raw(info), lastModified: 'Wed, 01 Jul 2026 10:00:00 GMT' };
    const [release] = go.index.releases(go.index.decode(dated, at));
    expect(release?.files[0]?.published).toEqual({ at: Date.UTC(2026, 6, 1, 10), by: 'server' });
  });

  test.each([
    '{"Version":"v1.0.0"}',
    '{"Version":"v1.0.0","Time":"0001-01-01T00:00:00Z"}',
    '{"Version":"v1.0.0","Time":7}',
  ])('%s has no time', (text) => {
    const [release] = go.index.releases(go.index.decode(raw(text), at));
    expect(release?.files[0]?.published).toBeUndefined();
  });

  test('passes as it came, or not at all', () => {
    const doc = go.index.decode(raw(info), at);
    expect(go.index.encode(doc, at, site)).toEqual({ bytes: info, type: 'application/json' });
    expect(go.index.encode(without(doc, /zip$/), at, site)).toBeUndefined();
  });

  test('of a branch is about the version that it is now', () => {
    const doc = go.index.decode(raw(`{"Version":"${PSEUDO}"}`), indexAt(go, 'a.test/b/@v/master.info'));
    expect([...go.index.releases(doc)].map(({ version }) => version)).toEqual([PSEUDO]);
  });

  test.each(['{}', '{"Version":"master"}', '{"Version":"v1.0.1"}', '[]', '', '<html></html>'])('%j is none', (text) => {
    expect(() => go.index.decode(raw(text), at)).toThrow(Malformed);
  });

  test('of a tag may name the version that it makes without go.mod', () => {
    const doc = go.index.decode(raw('{"Version":"v2.0.0+incompatible"}'), indexAt(go, 'a.test/b/@v/v2.0.0.info'));
    expect([...go.index.releases(doc)].map(({ version }) => version)).toEqual(['v2.0.0+incompatible']);
  });
});

describe('what is latest', () => {
  const at = indexAt(go, 'a.test/b/@latest');
  const list = indexAt(go, 'a.test/b/@v/list');
  const text = '{"Version":"v2.0.0","Time":"2020-01-14T19:47:44Z"}';
  const complete = (lines: string) =>
    go.index.merge([go.index.decode(raw(text), at), go.index.decode(raw(lines), list)]);
  const without2 = (lines: string) => go.index.encode(without(complete(lines), /v2\.0\.0\./), at, site)?.bytes;

  test('is what the upstream says, while that may be seen', () => {
    expect(go.index.encode(complete('v1.0.0\nv2.0.0\n'), at, site)?.bytes).toBe(text);
  });

  test('asks for the list too, and does without', () => {
    const more = go.index.more?.(go.index.decode(raw(text), at), at) ?? [];
    expect(more).toMatchObject([{ path: 'a.test/b/@v/list', optional: true }]);
    expect(go.index.more?.(go.index.decode(raw('v1.0.0\n'), list), list)).toEqual([]);
  });

  test.each([
    ['the highest release', 'v1.9.0\nv1.10.0\nv1.11.0-rc.1\nv2.0.0\n', 'v1.10.0'],
    ['else the highest prerelease', `v1.0.0-rc.2\nv1.0.0-rc.10\n${PSEUDO}\n`, 'v1.0.0-rc.10'],
    ['else the newest commit', `v0.0.0-20190101000000-aaaaaaaaaaaa\n${PSEUDO}\n`, PSEUDO],
  ])('and withheld: %s', (_what, lines, version) => {
    expect(JSON.parse(String(without2(lines)))).toEqual({ Version: version });
  });

  test('and withheld with nothing else: nothing', () => expect(without2('v2.0.0\n')).toBeUndefined());
});

describe('of a checksum database', () => {
  const read = (path: string, bytes: Uint8Array | string) =>
    go.index.decode({ ...raw(''), bytes: Buffer.from(bytes) }, indexAt(go, path));
  const LOOKUP = `sumdb/upstream.test/lookup/${TOML}@v1.5.0`;

  test.each(['sumdb/upstream.test/latest', LOOKUP])('%s passes byte for byte', (path) => {
    const { bytes } = documentOf(go, fixture(path));
    expect(go.index.encode(read(path, bytes), indexAt(go, path), site)).toEqual({ bytes, type: 'text/plain' });
  });

  test.each([
    ['8/0/000', 8192],
    ['8/2/x001/000', 8192],
    ['3/0/000', 256],
    ['8/0/000.p/5', 160],
  ])('a tile %s has %i bytes', (tile, size) => {
    const path = `sumdb/sums.test/tile/${tile}`;
    expect(go.index.encode(read(path, Buffer.alloc(size)), indexAt(go, path), site)?.bytes).toHaveLength(size);
    expect(() => read(path, Buffer.alloc(size - 1))).toThrow(Malformed);
  });

  test('a login page in its place is not kept', () => {
    const paths = ['supported', 'latest', 'tile/8/0/000', 'tile/8/data/000', `lookup/${TOML}@v1.5.0`];
    for (const path of paths)
      expect(() => read(`sumdb/sums.test/${path}`, '<!doctype html><form action="/login">')).toThrow(Malformed);
    expect(() => read(LOOKUP, documentOf(go, fixture(LOOKUP)).bytes.subarray(0, 300))).toThrow(Malformed);
    expect(() => read('sumdb/sums.test/supported', '')).not.toThrow();
  });
});

describe('the sum of a zip', () => {
  const { sums } = go;
  const LOOKUP = `sumdb/upstream.test/lookup/${TOML}@v1.5.0`;
  const zip = (path: string) => go.parse(get(path), site) as Extract<Target, { kind: 'artifact' }>;
  const release = { name: 'github.com/BurntSushi/toml', version: 'v1.5.0' };
  const zipped = (files: Readonly<Record<string, string>>) =>
    Object.entries(files).map(([path, text]) => ({
      name: Buffer.from(`github.com/BurntSushi/toml@v1.0.0/${path}`).toString('latin1'),
      sha256: hash('sha256', text),
    }));

  test('is what `go mod download -json` says of the same files', () => {
    const files = zipped({
      'go.mod': 'module github.com/BurntSushi/toml\n',
      'toml.go': 'package toml\n',
      'Z.go': 'package toml\n',
      'ä/é.txt': 'x',
      empty: '',
      'big.bin': 'entrepot'.repeat(40_000),
    });
    expect(sums?.of(files)).toBe('h1:5B8U954+l+1H+mM1d8wl20s8jgd0V1oapmVzv6CoUqQ=');
    expect(sums?.of(files.toReversed())).toBe(sums?.of(files));
    expect(sums?.of(files.slice(1))).not.toBe(sums?.of(files));
  });

  test('has no file with a line break in its name', () => {
    expect(() => sums?.of(zipped({ 'a\nb': '' }))).toThrow(Malformed);
  });

  test('is on record in the database that a path names', () => {
    expect(sums?.database(LOOKUP)).toBe('sumdb/upstream.test');
    expect(sums?.database('sumdb/sums.test/deeper/tile/8/0/000')).toBe('sumdb/sums.test/deeper');
    expect(sums?.database(`${TOML}/@v/v1.5.0.zip`)).toBeUndefined();
  });

  test.each([`${TOML}/@v/v1.5.0.zip`, `${TOML}/@v/v1.5.0-!r!c1.zip`, `${TOML}/@v/v2.0.0+incompatible.zip`])(
    'of %s, and the record leads back to the file',
    (path) => {
      const record = sums?.record(zip(path), 'sumdb/upstream.test') as IndexTarget;
      expect(record).toEqual(indexAt(go, record.path));
      expect(sums?.recorded(record)).toBe(path);
    },
  );

  test('stands beside that of go.mod, which has no record of its own', () => {
    const { bytes } = documentOf(go, fixture(LOOKUP));
    expect(sums?.read(bytes, release)).toBe('h1:W5quZX/G/csjUnuI8SUYlsHs9M38FC7znL0lIO+DvMg=');
    expect(sums?.read(bytes, { ...release, version: 'v1.5' })).toBeUndefined();
    expect(sums?.read(Buffer.from(`1\n${release.name} v1.5.0 h2:x\n`), release)).toBeUndefined();
    expect(sums?.record(zip(`${TOML}/@v/v1.5.0.mod`), 'sumdb/upstream.test')).toBeUndefined();
    expect(sums?.recorded(indexAt(go, 'sumdb/upstream.test/latest'))).toBeUndefined();
  });
});

function raw(text: string): RawDocument {
  return { bytes: Buffer.from(text), type: 'text/plain', url: 'https://upstream.test/x' };
}

function fixture(request: string) {
  const found = fixturesOf(go).find((each) => each.request === request);
  if (!found) throw new Error(`no fixture of ${request}`);
  return found;
}

function read(request: string) {
  return go.index.decode(documentOf(go, fixture(request)), indexAt(go, request));
}

function without(doc: ReturnType<typeof read>, hidden: RegExp) {
  return go.index.keep(doc, (path) => (hidden.test(path) ? withheld : undefined));
}
