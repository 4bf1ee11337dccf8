import { describe, expect, test } from 'vitest';
import { type Digest, Malformed, type Place, type RawDocument, type Target } from '../../engine/format.ts';
import { documentOf, fixturesOf, get, indexAt, site } from '../fixtures.ts';
import { cargo } from './index.ts';

const CHECKSUM = 'ab'.repeat(32);
const withheld = { rule: 'cooldown', reason: 'too young' };

describe('what a request asks for', () => {
  test.each([
    ['1/a', 'a'],
    ['2/ab', 'ab'],
    ['3/a/abc', 'abc'],
    ['ab/cd/abcd', 'abcd'],
    ['in/fl/inflector', 'inflector'],
    ['_o/dd/_odd-name', '_odd-name'],
    ['cr/at/crates', 'crates'],
    ['co/nf/config', 'config'],
  ])('%s → the index of %s', (path, name) => {
    expect(cargo.parse(get(path), site)).toEqual({ kind: 'index', path, name, scope: 'package', view: 'full' });
  });

  test.each(['crates/Inflector/Inflector-0.11.4.crate', 'api/v1/crates/Inflector/0.11.4/download'])(
    '%s → the crate',
    (path) => {
      expect(cargo.parse(get(path), site)).toMatchObject({
        kind: 'artifact',
        path: 'crates/Inflector/Inflector-0.11.4.crate',
        name: 'Inflector',
        version: '0.11.4',
        role: 'package',
      });
    },
  );

  test('a crate whose name ends like a version, and a version with build metadata', () => {
    const path = 'crates/a-1/a-1-1.0.0-rc.1+b-2.crate';
    expect(cargo.parse(get(path), site)).toMatchObject({ path, name: 'a-1', version: '1.0.0-rc.1+b-2' });
  });

  test('a configuration of ours', () => {
    const target = cargo.parse(get('config.json'), site);
    expect(target?.kind === 'call' && JSON.parse(String(target.answer?.bytes))).toEqual({
      dl: 'http://entrepot.test/mirror/crates/{crate}/{crate}-{version}.crate',
      api: 'http://entrepot.test/mirror',
    });
  });

  test.each([
    '',
    'a',
    '1/ab',
    '3/b/abc',
    'ab/ce/abcd',
    'In/fl/Inflector',
    '1/a/',
    'crates/a',
    'crates/a/b-1.0.0.crate',
    'crates/a/a-1.0.crate',
    'crates/a/a-1.0.0.crate/x',
    'api/v1/crates/a/1.0.0',
    'api/v1/crates/a/latest/download',
    'api/v1/summary',
    'index.git/info/refs',
  ])('nothing at %j', (path) => expect(cargo.parse(get(path), site)).toBeUndefined());

  test('nothing for who publishes', () => {
    expect(cargo.parse({ ...get('api/v1/crates/new'), method: 'PUT' }, site)).toBeUndefined();
  });
});

describe('where the upstream has it', () => {
  const located = (path: string, config: object, query = ''): readonly Place[] | undefined => {
    const target = cargo.parse(get(path, undefined, query), site) as Target;
    const discovery = cargo.discovery?.(target);
    const document = discovery && json(config);
    const digest: Digest = `sha256:${CHECKSUM}`;
    return cargo.locate?.(target as never, { ...site, digest, ...(document && { discovery: document }) });
  };

  test.each([
    ['https://dl.upstream.test/crates', 'crates/Serde/1.0.0+x/download'],
    ['https://dl.upstream.test/{crate}-{version}.crate', 'Serde-1.0.0+x.crate'],
    ['https://dl.upstream.test/{prefix}/{crate}?v={version}', 'Se/rd/Serde?v=1.0.0+x'],
    ['https://dl.upstream.test/{lowerprefix}/{crate}/{version}', 'se/rd/Serde/1.0.0+x'],
    ['https://dl.upstream.test/{sha256-checksum}', CHECKSUM],
  ])('a crate by the template %s', (dl, path) => {
    const crate = 'crates/Serde/Serde-1.0.0+x.crate';
    expect(located(crate, { dl })).toEqual([{ origin: 'https://dl.upstream.test', path }]);
  });

  test('an index, which needs no configuration, asked for as cargo does', () => {
    const headers = { accept: 'text/plain', 'cargo-protocol': 'version=1' };
    expect(cargo.discovery?.(indexAt(cargo, 'se/rd/serde'))).toBeUndefined();
    expect(located('se/rd/serde', {})).toEqual([{ path: 'se/rd/serde', headers }]);
  });

  test('a search, by its API', () => {
    const dl = 'https://dl.upstream.test';
    const found = located('api/v1/crates', { dl, api: 'https://api.upstream.test/x/' }, 'q=a%20b&per_page=10');
    expect(found).toEqual([{ origin: 'https://api.upstream.test', path: 'x/api/v1/crates?q=a%20b&per_page=10' }]);
    expect(located('api/v1/crates', { dl })).toEqual([]);
  });

  test.each([
    ['nothing', {}],
    ['no address', { dl: 'crates' }],
    ['no web address', { dl: 'file:///{crate}' }],
    ['no text', { dl: 1 }],
  ])('a `dl` that is %s is refused', (_what, config) => {
    const discovery = cargo.discovery?.(cargo.parse(get('crates/a/a-1.0.0.crate'), site) as Target);
    expect(() => cargo.index.decode(json(config), discovery as never)).toThrow(Malformed);
  });
});

describe('an index', () => {
  test('is served byte for byte', () => {
    for (const fixture of fixturesOf(cargo)) {
      const { bytes } = documentOf(cargo, fixture);
      expect(served(read(Buffer.from(bytes).toString(), fixture.request), fixture.request)).toBe(
        Buffer.from(bytes).toString().replace(/\n?$/, '\n'),
      );
    }
  });

  test('says digest, time and withdrawal of every version', () => {
    const cfgIf = fixturesOf(cargo).find(({ file }) => file === 'cfg-if.txt');
    const raw = documentOf(cargo, cfgIf as NonNullable<typeof cfgIf>);
    const releases = [...cargo.index.releases(cargo.index.decode(raw, indexAt(cargo, 'cf/g-/cfg-if')))];
    expect(releases.map(({ version, yanked }) => [version, yanked])).toEqual([
      ['1.0.0', undefined],
      ['1.0.2', true],
      ['1.0.5', undefined],
    ]);
    expect(releases[0]?.files).toEqual([
      {
        path: 'crates/cfg-if/cfg-if-1.0.0.crate',
        digest: 'sha256:baf1de4339761588bc0619e3cbc0120ee582ebb74b53b4efbf79117bd2da40fd',
        published: { at: Date.parse('2020-10-06T18:44:12Z'), by: 'server' },
      },
    ]);
  });

  test('keeps the case of names, which its path does not have', () => {
    const [release] = cargo.index.releases(read(line({ name: 'Inflector' }), 'in/fl/inflector'));
    expect(release?.name).toBe('Inflector');
    expect(release?.files[0]?.path).toBe('crates/Inflector/Inflector-1.0.0.crate');
  });

  test('without the lines that are withheld, the others as they were', () => {
    const text = `${line({ vers: '1.0.0', x: 'ü' })}\n${line({ vers: '1.1.0' })}\n${line({ vers: '2.0.0', v: 9 })}\n`;
    const kept = cargo.index.keep(read(text), (path) => (path.endsWith('a-1.1.0.crate') ? withheld : undefined));
    expect(served(kept)).toBe(`${line({ vers: '1.0.0', x: 'ü' })}\n${line({ vers: '2.0.0', v: 9 })}\n`);
  });

  test('has lines of any length, ends of any kind, and empty ones', () => {
    const long = line({ vers: '2.0.0', deps: ['x'.repeat(3_000_000)] });
    expect(served(read(`\n${line({})}\r\n\r\n${long}`))).toBe(`${line({})}\n${long}\n`);
  });

  test('of which one version has several lines: the first', () => {
    expect(served(read(`${line({ a: 1 })}\n${line({ a: 2 })}\n`))).toBe(`${line({ a: 1 })}\n`);
  });

  test.each([
    ['an impossible version', { vers: '../1.0.0' }],
    ['a version that is none', { vers: '1.0' }],
    ['no checksum', { cksum: undefined }],
    ['a short checksum', { cksum: 'ab' }],
  ])('leaves out a line with %s', (_what, fields) => {
    expect(served(read(`${line(fields)}\n${line({ vers: '2.0.0' })}\n`))).toBe(`${line({ vers: '2.0.0' })}\n`);
  });

  test.each(['2026-01-02', 'yesterday', '2026-01-02T03:04:05', 1767323045, null])('%j is no time', (pubtime) => {
    const [release] = cargo.index.releases(read(line({ pubtime })));
    expect(release?.files[0]).not.toHaveProperty('published');
  });

  test.each([
    ['nothing', ''],
    ['only ends of lines', '\n\r\n'],
    ['half a line at its end', `${line({})}\n${line({ vers: '2.0.0' }).slice(0, 40)}`],
    ['a web page', '<!doctype html><title>Sign in</title>'],
    ['an error in JSON', '{"errors":[{"detail":"not found"}]}'],
    ['a line without a version', line({ vers: undefined })],
    ['a line of another crate', `${line({})}\n${line({ name: 'b' })}`],
  ])('of %s is refused whole', (_what, text) => {
    expect(() => read(text)).toThrow(Malformed);
  });
});

describe('several indexes', () => {
  test('the first that has a version wins it, whatever its build metadata', () => {
    const first = read(`${line({ vers: '1.0.0', from: 1 })}\n`);
    const next = read(
      `${line({ vers: '1.0.0', from: 2 })}\n${line({ vers: '1.0.0+x' })}\n${line({ vers: '1.0.0-rc.1' })}\n`,
    );
    const merged = cargo.index.merge([first, next]);
    expect(served(merged)).toBe(`${line({ vers: '1.0.0', from: 1 })}\n${line({ vers: '1.0.0-rc.1' })}\n`);
  });

  test('one that has a version twice by build metadata keeps both', () => {
    const text = `${line({ vers: '1.0.0' })}\n${line({ vers: '1.0.0+x' })}\n`;
    expect(served(read(text))).toBe(text);
  });
});

test('a fault of the API is JSON as cargo prints it, any other is text', () => {
  const call = cargo.parse(get('api/v1/crates', undefined, 'q=a'), site);
  expect(JSON.parse(String(cargo.fault('upstream_unavailable', 'no "answer"', call).bytes))).toEqual({
    errors: [{ detail: 'no "answer"' }],
  });
  expect(cargo.fault('withheld', 'no "answer"', indexAt(cargo, '1/a')).bytes).toBe('no "answer"\n');
});

function line(fields: object): string {
  return JSON.stringify({
    name: 'a',
    vers: '1.0.0',
    deps: [],
    cksum: CHECKSUM,
    features: {},
    yanked: false,
    ...fields,
  });
}

function read(text: string, path = '1/a') {
  const raw = { bytes: Buffer.from(text), type: 'text/plain', url: `https://upstream.test/${path}` };
  return cargo.index.decode(raw, indexAt(cargo, path));
}

function served(doc: ReturnType<typeof read>, path = '1/a'): string {
  return Buffer.from(cargo.index.encode(doc, indexAt(cargo, path), site)?.bytes ?? '').toString();
}

function json(config: object): RawDocument {
  const bytes = Buffer.from(JSON.stringify(config));
  return { bytes, type: 'application/json', url: 'https://upstream.test/config.json' };
}
