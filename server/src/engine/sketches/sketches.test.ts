import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { AnyFormat, EncodeSite, IndexTarget, Judge, RawDocument } from '../format.ts';
import { conda } from './conda.ts';
import { nuget } from './nuget.ts';
import { rpm } from './rpm.ts';
import { rubygems } from './rubygems.ts';

const site: EncodeSite = { base: 'http://entrepot.test/mirror', options: {}, rendered: () => undefined };
const hash = (digit: string): string => digit.repeat(64);
const only =
  (hidden: string): Judge =>
  (path) =>
    path === hidden ? { rule: 'cooldown', reason: 'too young' } : undefined;

describe('NuGet', () => {
  const page = (version: string, published: string) => ({
    '@id': '#',
    packageContent: `https://upstream.test/flat/a/${version}/a.${version}.nupkg`,
    catalogEntry: { version, published },
  });
  const target = index(nuget, 'v3/registration/a/index.json');
  const pages = 'https://upstream.test/reg/a/page/2.json';
  const first = nuget.index.decode(
    raw(JSON.stringify({ items: [{ '@id': '#1', items: [page('1.0.0', '2020-01-01T00:00:00Z')] }, { '@id': pages }] })),
    target,
  );

  test('is found where its service index says, and that is not ours', () => {
    const discovery = raw(
      JSON.stringify({
        resources: [{ '@id': 'https://api.upstream.test/reg/', '@type': 'RegistrationsBaseUrl/3.6.0' }],
      }),
    );
    expect(nuget.discovery?.(target)).toMatchObject({ path: 'v3/index.json' });
    expect(nuget.locate?.(target, { ...site, discovery })).toEqual([
      { origin: 'https://api.upstream.test', path: 'reg/a/index.json' },
    ]);
    expect(JSON.stringify(nuget.parse(get('v3/index.json'), site))).toContain('http://entrepot.test/mirror/v3/flat/');
  });

  test('names its further pages by address, and is whole with them', () => {
    const [more] = nuget.index.more?.(first, target) ?? [];
    expect(more).toMatchObject({ url: pages, name: 'a' });
    const second = nuget.index.decode(
      raw(JSON.stringify({ items: [page('2.0.0', '1900-01-01T00:00:00Z')] })),
      more as IndexTarget,
    );
    const doc = nuget.index.merge([first, second]);
    expect(nuget.index.more?.(doc, target)).toEqual([]);
    expect([...nuget.index.releases(doc)].map(({ version, files }) => [version, files[0]?.published?.by])).toEqual([
      ['1.0.0', 'server'],
      ['2.0.0', undefined],
    ]);
    const kept = nuget.index.keep(doc, only('v3/flat/a/2.0.0/a.2.0.0.nupkg'));
    const flat = index(nuget, 'v3/flat/a/index.json');
    expect(flat.path).toBe(target.path);
    expect(encode(nuget, kept, flat)).toBe('{"versions":["1.0.0"]}');
  });
});

describe('RubyGems', () => {
  const info = `---\n1.0.0 |checksum:${hash('1')},created_at:2020-01-01T10:20:30Z\n1.1.0-java b:>= 1|checksum:${hash('2')}\n`;
  const doc = rubygems.index.decode(raw(info), index(rubygems, 'info/a-b'));

  test('knows a gem by its index, not by its path', () => {
    const target = rubygems.parse(get('gems/a-b-1.1.0-java.gem'), site);
    expect(target?.kind === 'artifact' && rubygems.factsOf(target).map(({ path }) => path)).toEqual([
      'info/a-b-1.1.0',
      'info/a-b',
      'info/a',
    ]);
    expect([...rubygems.index.releases(doc)].flatMap(({ files }) => files)).toEqual([
      {
        path: 'gems/a-b-1.0.0.gem',
        digest: `sha256:${hash('1')}`,
        published: { at: Date.UTC(2020, 0, 1, 10, 20, 30), by: 'server' },
      },
      { path: 'gems/a-b-1.1.0-java.gem', digest: `sha256:${hash('2')}` },
    ]);
    expect(
      encode(
        rubygems,
        rubygems.index.keep(doc, () => undefined),
        index(rubygems, 'info/a-b'),
      ),
    ).toBe(info);
  });

  test('lists the checksum of what it serves, not of what it got', () => {
    const target = index(rubygems, 'versions');
    const versions = rubygems.index.decode(raw('created_at: x\n---\na 1.0.0,2.0.0 aaa\nb 1.0.0 bbb\n'), target);
    const kept = rubygems.index.keep(versions, only('gems/a-2.0.0.gem'));
    const rendered: EncodeSite['rendered'] = ({ name }, algorithm) =>
      name === 'a' ? `${algorithm}-of-ours` : undefined;
    expect(encode(rubygems, kept, target, { ...site, rendered })).toBe('---\na 1.0.0 md5-of-ours\nb 1.0.0 bbb\n');
  });
});

describe('Conda', () => {
  const channel = JSON.stringify({
    info: { subdir: 'noarch', base_url: 'https://elsewhere.test/' },
    packages: { 'a-1.0-0.tar.bz2': { name: 'a', version: '1.0', sha256: hash('1'), timestamp: 5 } },
    'packages.conda': { 'a-2.0-0.conda': { name: 'a', version: '2.0', timestamp: 5, indexed_timestamp: 7 } },
  });
  const target = index(conda, 'main/noarch/repodata.json.zst');

  test('is one document in two encodings', () => {
    const places = conda.locate?.(target, site).map((place) => place.path);
    expect(places).toEqual(['main/noarch/repodata.json.zst', 'main/noarch/repodata.json']);
    const packed = {
      ...raw(channel),
      bytes: zstdCompressSync(channel),
      url: 'https://upstream.test/main/noarch/repodata.json.zst',
    };
    const doc = conda.index.decode(packed, target);
    expect(doc).toEqual(conda.index.decode(raw(channel), target));
    expect([...conda.index.releases(doc)].map(({ files }) => files[0]?.published)).toEqual([
      { at: 5, by: 'author' },
      { at: 7, by: 'server' },
    ]);
    const bytes = conda.index.encode(conda.index.keep(doc, only('main/noarch/a-2.0-0.conda')), target, site)
      ?.bytes as Uint8Array;
    const served = JSON.parse(zstdDecompressSync(bytes).toString());
    expect([served.info, Object.keys(served.packages), served['packages.conda']]).toEqual([
      { subdir: 'noarch' },
      ['a-1.0-0.tar.bz2'],
      {},
    ]);
  });

  test('knows an artifact by the index beside it', () => {
    const file = conda.parse(get('main/noarch/a-1.0-0.tar.bz2'), site);
    expect(file?.kind === 'artifact' && conda.factsOf(file).map(({ path }) => path)).toEqual([
      'main/noarch/repodata.json',
    ]);
  });
});

describe('RPM', () => {
  const part = (type: string, digit: string) =>
    `<data type="${type}"><checksum type="sha256">${hash(digit)}</checksum><open-checksum type="sha256">x</open-checksum><location href="repodata/${type}.xml.gz"/></data>`;
  const target = index(rpm, 'os/repodata/repomd.xml');
  const root = rpm.index.decode(
    raw(`<?xml version="1.0"?><repomd>${part('primary', '1')}${part('filelists', '2')}</repomd>`),
    target,
  );
  const [first, second] = rpm.index.parts?.(root) ?? [];
  const primary = rpm.index.decode(
    {
      ...raw(''),
      bytes: gzipSync(
        `<metadata packages="1"><package type="rpm"><name>hello</name><version epoch="0" ver="2.10" rel="1"/><checksum type="sha256" pkgid="YES">${hash('3')}</checksum><time file="5" build="4"/><location href="Packages/h/hello.rpm"/></package></metadata>`,
      ),
      url: 'https://upstream.test/os/repodata/primary.xml.gz',
    },
    first?.target as IndexTarget,
  );

  test('is a root with its parts, of which one has the packages', () => {
    expect(first).toMatchObject({
      path: 'os/repodata/primary.xml.gz',
      target: { path: 'os/repodata/primary.xml.gz', view: 'primary', digest: `sha256:${hash('1')}` },
      when: 'now',
    });
    expect(second).toMatchObject({ target: { opaque: true }, when: 'asked' });
    expect([...rpm.index.releases(primary)]).toEqual([
      {
        name: 'hello',
        version: '2.10-1',
        files: [
          { path: 'os/Packages/h/hello.rpm', digest: `sha256:${hash('3')}`, published: { at: 5000, by: 'author' } },
        ],
      },
    ]);
  });

  test('names the digest of a part as it was written', () => {
    const rendered: EncodeSite['rendered'] = ({ view }) => (view === 'primary' ? 'ours' : undefined);
    const served = encode(rpm, root, target, { ...site, rendered });
    expect(served).toContain('<checksum type="sha256">ours</checksum><location href="repodata/primary.xml.gz"/>');
    expect(served).toContain(hash('2'));
    const kept = rpm.index.keep(primary, only('os/Packages/h/hello.rpm'));
    const bytes = rpm.index.encode(kept, first?.target as IndexTarget, site)?.bytes as Uint8Array;
    expect(gunzipSync(bytes).toString()).toBe('<metadata packages="0"></metadata>');
  });

  test('knows a package by a root above it, and signs what it wrote', () => {
    const file = rpm.parse(get('os/Packages/h/hello.rpm'), site);
    expect(file?.kind === 'artifact' && rpm.factsOf(file).map(({ path }) => path)).toContain(target.path);
    expect(rpm.parse(get('os/repodata/repomd.xml.asc'), site)).toMatchObject({
      kind: 'derived',
      of: { path: target.path },
      as: 'signature',
    });
  });
});

function get(path: string) {
  return { method: 'GET', path, query: '', accept: undefined };
}

function raw(body: string): RawDocument {
  return { bytes: Buffer.from(body), type: 'application/octet-stream', url: 'https://upstream.test/x' };
}

function index(format: AnyFormat, path: string): IndexTarget {
  const target = format.parse(get(path), site);
  if (target?.kind !== 'index') throw new Error(`${path} is no index of ${format.id}`);
  return target;
}

function encode(format: AnyFormat, doc: unknown, target: IndexTarget, at = site): string {
  return Buffer.from(format.index.encode(doc, target, at)?.bytes ?? '').toString();
}
