import { describe, expect, test } from 'vitest';
import type { ArtifactTarget, IndexTarget } from '../../engine/format.ts';
import { Malformed } from '../../engine/format.ts';
import { encodePath } from '../../engine/path.ts';
import { documentOf, type Fixture, fixturesOf, get, site, targetOf } from '../fixtures.ts';
import { debian } from './index.ts';

const fixtureOf = (file: string): Fixture => {
  const found = fixturesOf(debian).find((each) => each.file === file);
  if (!found) throw new Error(`there is no fixture ${file}`);
  return found;
};
const decoded = (file: string) =>
  debian.index.decode(documentOf(debian, fixtureOf(file)), targetOf(debian, fixtureOf(file)));
const parsed = (path: string) => debian.parse(get(path), site);
const chosen = (file: string, path: string) => debian.index.choose?.(decoded(file), path, () => undefined);
const upstreamPaths = (target: IndexTarget | ArtifactTarget | undefined) =>
  target && debian.locate?.(target, site).map(({ path }) => path);
const root = (path: string, text: string) =>
  debian.index.decode(
    { bytes: Buffer.from(text), type: 'text/plain', url: `https://upstream.test/${path}` },
    {
      kind: 'index',
      path,
      scope: 'repository',
      view: 'release',
    },
  );

const HEX = 'ab'.repeat(32);
const PACKAGES = 'dists/bookworm/main/binary-amd64/Packages.gz';
const SHA256 = '8cf827c180a73518b9694b379adbda86293c935cd12d781aac9109d165e3de01';
const SHA512 =
  '2c3bcb7f7d24f28772259a36caf0846100cbe8f0121b9c473d1ebb9d68fe3c470771e140b89c5899519dff52be42d384d6f4e09550212cff1cf92557f93e56d5';
const BY_HASH = 'dists/bookworm/main/binary-amd64/by-hash';

describe('a request', () => {
  test.each(['InRelease', 'Release', 'dists/stable/InRelease', 'dists/stable/updates/Release', 'flat/source/Release'])(
    'is for a root: %s',
    (path) => {
      expect(parsed(path)).toMatchObject({ kind: 'index', path, scope: 'repository', view: 'release', opaque: true });
    },
  );

  test.each([
    ['dists/stable/main/binary-amd64/Packages.xz', ['dists/stable/', 'dists/stable/main/']],
    ['dists/stable/main/source/Release', ['dists/stable/', 'dists/stable/main/']],
    [
      'dists/stable/updates/main/binary-all/Release',
      ['dists/stable/', 'dists/stable/updates/', 'dists/stable/updates/main/'],
    ],
    ['dists/stable/main/i18n/Translation-en.xz', ['dists/stable/', 'dists/stable/main/', 'dists/stable/main/i18n/']],
    ['dists/stable/main/binary-amd64/Packages.diff/Index', ['dists/stable/', 'dists/stable/main/']],
    ['ubuntu/dists/noble/Contents-amd64.gz', ['ubuntu/dists/noble/']],
    ['Packages.gz', ['']],
    ['cuda/x86_64/Packages.diff/Index', ['cuda/x86_64/']],
    ['flat/de_DE.xz', ['flat/']],
  ])('is for what a Release file above it lists: %s', (path, folders) => {
    expect(parsed(path)).toMatchObject({
      kind: 'alias',
      select: path,
      of: folders.flatMap((folder) => [{ path: `${folder}InRelease` }, { path: `${folder}Release` }]),
      otherwise: { path, mutable: true },
    });
  });

  test.each([
    [`${BY_HASH}/SHA256/${HEX}`, `sha256:${HEX}`],
    [`${BY_HASH}/SHA512/${HEX}${HEX}`, `sha512:${HEX}${HEX}`],
    [`by-hash/MD5Sum/${HEX.slice(32)}`, `md5:${HEX.slice(32)}`],
  ])('is for bytes, also of a generation that no Release file lists any more: %s', (path, digest) => {
    const target = parsed(path);
    expect(target).toMatchObject({ kind: 'alias', otherwise: { path, digest } });
    expect(target).not.toHaveProperty('otherwise.mutable');
  });

  test.each(['dists/stable/main/binary-amd64/Packages.diff/T-2026-11-20-2003.20-F-2026-11-19-0201.10.gz'])(
    'is for a patch, which stays: %s',
    (path) => {
      expect(parsed(path)).toMatchObject({ kind: 'artifact', role: 'metadata' });
      expect(parsed(path)).not.toHaveProperty('mutable');
    },
  );

  test.each([
    ['pool/main/c/curl/curl_8.0-1_amd64.deb', 'package', 'curl', '8.0-1'],
    ['pool/main/c/curl/curl_1%3a8.0-1_amd64.udeb', 'package', 'curl', '1:8.0-1'],
    ['pool/main/c/curl/curl-dbgsym_8.0-1_amd64.ddeb', 'package', 'curl-dbgsym', '8.0-1'],
    ['dists/stable/main/binary-amd64/curl_8.0-1_amd64.deb', 'package', 'curl', '8.0-1'],
    ['a/b/libstdc++6_12~rc1+b1_amd64.deb', 'package', 'libstdc++6', '12~rc1+b1'],
    ['pool/main/c/curl/curl_8.0-1.dsc', 'package', 'curl', '8.0-1'],
    ['pool/main/c/curl/curl_8.0-1.debian.tar.xz', 'metadata', 'curl', '8.0-1'],
    ['pool/main/c/curl/curl_8.0.tar.gz', 'metadata', 'curl', '8.0'],
    ['pool/main/c/curl/curl_8.0-1.diff.gz', 'metadata', 'curl', '8.0-1'],
    ['pool/main/c/curl/curl_8.0-1_amd64.changes', 'metadata', 'curl', '8.0-1'],
    ['pool/main/c/curl/curl_8.0.orig.tar.xz', 'metadata', 'curl', undefined],
    ['pool/main/c/curl/curl_8.0.orig-vendor.tar.xz.asc', 'signature', 'curl', undefined],
    ['x.deb', 'package', undefined, undefined],
  ])('is for a file of the pool: %s', (path, role, name, version) => {
    const target = parsed(path);
    expect(target).toMatchObject({ kind: 'artifact', path, role, listedAnywhere: true });
    expect(target).not.toHaveProperty('mutable');
    expect([(target as ArtifactTarget).name, (target as ArtifactTarget).version]).toEqual([name, version]);
  });

  test.each(['archive-key.asc', 'project/trace/master', 'dists/README'])(
    'is for a file that may change: %s',
    (path) => {
      expect(parsed(path)).toMatchObject({ kind: 'artifact', mutable: true });
    },
  );

  test.each(['', 'dists/', 'dists/stable/', 'pool/'])('is for nothing: %j', (path) => {
    expect(parsed(path)).toBeUndefined();
  });

  test('is spelled for the upstream as apt spells it', () => {
    const spelled = (path: string) => upstreamPaths(parsed(path) as ArtifactTarget);
    expect(spelled('pool/g++/g++_1%3a2~rc1+b1_amd64.deb')).toEqual([
      'pool/g%2b%2b/g%2b%2b_1%253a2%7erc1%2bb1_amd64.deb',
    ]);
    expect(decodeURIComponent(encodePath('a_1%3a2+~.deb'))).toBe('a_1%3a2+~.deb');
    expect(spelled('a:b/c:/d 1.deb')).toEqual(['a%3Ab/c:/d%201.deb']);
  });
});

describe('a Release file', () => {
  test('names its files by every digest it lists', () => {
    const target = chosen('aptly-InRelease', PACKAGES);
    expect(target).toMatchObject({
      kind: 'index',
      path: `${BY_HASH}/SHA256/${SHA256}`,
      digest: `sha256:${SHA256}`,
      view: 'packages',
      opaque: true,
    });
    expect(chosen('aptly-InRelease', `${BY_HASH}/SHA256/${SHA256}`)).toEqual(target);
    expect(chosen('aptly-InRelease', `${BY_HASH}/SHA512/${SHA512}`)).toEqual(target);
    expect(chosen('aptly-InRelease', `${BY_HASH}/MD5Sum/15327c4d9f6762cc49ea7a0f0b01dd51`)).toEqual(target);
    expect(chosen('aptly-InRelease', `dists/bookworm/main/by-hash/SHA256/${SHA256}`)).toBeUndefined();
    expect(chosen('aptly-InRelease', `${BY_HASH}/SHA256/${HEX}`)).toBeUndefined();
    expect(chosen('aptly-InRelease', 'dists/other/main/binary-amd64/Packages.gz')).toBeUndefined();
  });

  test('says where its files are: by hash where it has that, and under their names', () => {
    expect(upstreamPaths(chosen('aptly-InRelease', PACKAGES))).toEqual([`${BY_HASH}/SHA256/${SHA256}`, PACKAGES]);
    const plain = 'dists/trixie/main/source/Sources.gz';
    expect(upstreamPaths(chosen('reprepro-Release', plain))).toEqual([plain]);
  });

  test.each([
    ['main/Contents-amd64.gz', 'artifact'],
    ['main/binary-amd64/Packages.bz2', 'index'],
    ['main/binary-amd64/Packages', 'index'],
  ])('has lists, and files that are only checked: %s', (name, kind) => {
    expect(chosen('aptly-InRelease', `dists/bookworm/${name}`)).toMatchObject({ kind });
  });

  test.each([
    ['Packages.lzma', 1000],
    ['Packages.lz4', 1000],
    ['Packages.bz2', 9_000_000],
  ])('has lists that are not read, only checked: %s of %d bytes', (name, size) => {
    const doc = root('Release', `SHA256:\n ${HEX} ${size} ${name}\n`);
    expect(debian.index.choose?.(doc, name, () => undefined)).toMatchObject({
      kind: 'artifact',
      digest: `sha256:${HEX}`,
    });
  });

  test('is published with all its files where they have but one name each', () => {
    const whens = (file: string) => new Set(debian.index.parts?.(decoded(file)).map(({ when }) => when));
    expect(whens('reprepro-Release')).toEqual(new Set(['now']));
    expect(whens('aptly-InRelease')).toEqual(new Set(['asked']));
    const line = ` ${HEX} 65000000 main/Contents-amd64\n`;
    expect(debian.index.parts?.(root('dists/x/InRelease', signed(`SHA256:\n${line}`)))).toMatchObject([
      { when: 'asked' },
    ]);
  });

  test('comes with its own signature, another in each generation', () => {
    const signature = (text: string) =>
      debian.index.choose?.(root('dists/x/Release', text), 'dists/x/Release.gpg', () => undefined);
    const [one, two] = [signature('SHA256:\n'), signature('SHA256:\nDate: now\n')];
    expect(one).toMatchObject({ kind: 'artifact', role: 'signature' });
    expect(one?.path).not.toBe(two?.path);
    expect(upstreamPaths(one)).toEqual(['dists/x/Release.gpg']);
    expect(debian.index.parts?.(root('dists/x/InRelease', signed('SHA256:\n')))).toEqual([]);
  });

  test('may list what is no file of a generation', () => {
    const lines = ['../../x', 'a//b', 'Release', 'x_1_all.deb', './Packages', 'Packages.gz'].map(
      (n) => ` ${HEX} 1 ${n}\n`,
    );
    const parts = debian.index.parts?.(root('flat/InRelease', signed(`SHA256:\n${lines.join('')}`)));
    expect(parts?.map(({ path }) => path)).toEqual(['flat/Packages', 'flat/Packages.gz']);
  });

  test('has the strongest digest there is', () => {
    const md5 = HEX.slice(32);
    const doc = root('Release', `MD5Sum:\n ${md5} 1 Packages\nsha1:\n ${HEX.slice(24)} 1 Packages\n`);
    expect(debian.index.choose?.(doc, 'Packages', () => undefined)).toMatchObject({ digest: `sha1:${HEX.slice(24)}` });
  });

  test.each([
    ['a captive portal’s page', '<html>'],
    ['no signature', '-----BEGIN PGP SIGNED MESSAGE-----\n\nSHA256:\n'],
    ['half a signature', signed('SHA256:\n').slice(0, -20)],
    ['no files', signed('Origin: x\n')],
    ['half a line', signed('SHA256:\n abcdef 1 Packages\n')],
    ['an unsigned one in its place', 'SHA256:\n'],
  ])('is not %s', (_what, text) => {
    expect(() => root('dists/x/InRelease', text)).toThrow(Malformed);
  });

  test('may have dashes escaped and lines ended as on Windows', () => {
    const text = signed(`- Origin: x\nSHA256:\n ${HEX} 1 Packages\n`).replaceAll('\n', '\r\n');
    expect(debian.index.choose?.(root('InRelease', text), 'Packages', () => undefined)).toBeDefined();
  });
});

describe('a list', () => {
  test.each([
    ['aptly-Packages.gz', 'pool/main/w/widget/'],
    ['aptly-Packages.bz2', 'pool/main/w/widget/'],
    ['reprepro-Packages', 'pool/main/w/widget/'],
    ['flat-Packages.xz', 'flat/'],
    ['flat-Packages.zst', 'flat/'],
  ])('of packages has their versions with epochs: %s', (file, folder) => {
    expect([...debian.index.releases(decoded(file))]).toContainEqual({
      name: 'widget',
      version: '1:1.0-1',
      files: [
        {
          path: `${folder}widget_1.0-1_all.deb`,
          role: 'package',
          digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
          size: 812,
        },
      ],
    });
  });

  test('of source packages has all their files', () => {
    const [widget, ...others] = debian.index.releases(decoded('reprepro-Sources.gz'));
    expect(others).toEqual([]);
    expect(widget).toMatchObject({ name: 'widget', version: '1:1.0-1' });
    expect(widget?.files.map(({ path, role, size }) => [path, role, size])).toEqual([
      ['pool/main/w/widget/widget_1.0-1.dsc', 'package', 708],
      ['pool/main/w/widget/widget_1.0.orig.tar.gz', 'metadata', 131],
      ['pool/main/w/widget/widget_1.0-1.debian.tar.xz', 'metadata', 496],
    ]);
    expect(widget?.files[1]?.digest).toBe('sha256:748895042aa0508d7b0937c1cc11ac96da7ec4c3bc7eb26a635e2b4c1e004ba7');
  });

  test.each([
    ['dists/x/main/binary-all/Packages', 'pool/a.deb', 'pool/a.deb'],
    ['ubuntu/dists/x/main/binary-all/Packages', 'pool/a.deb', 'ubuntu/pool/a.deb'],
    ['Packages', './a.deb', 'a.deb'],
    ['deb/amd64/Packages', './a.deb', 'deb/amd64/a.deb'],
    ['deb/amd64/Packages', 'amd64/a.deb', 'deb/amd64/a.deb'],
    ['deb/amd64/Packages', 'deb/amd64/a.deb', 'deb/amd64/a.deb'],
    ['deb/Packages', 'pool/./a_1%3a2.deb', 'deb/pool/a_1%3a2.deb'],
    ['deb/Packages', '../a.deb', undefined],
    ['deb/Packages', '/etc/a.deb', undefined],
    ['deb/Packages', 'a\\b.deb', undefined],
  ])('at %s has %s at %s', (path, filename, expected) => {
    const [release] = listed(`Package: a\nFilename: ${filename}\n`, path);
    expect(release?.files[0]?.path).toBe(expected);
  });

  test.each([
    ['Package: a\r\nFilename: a.deb\r\n\r\n\r\nPackage: b\r\nFilename: b.deb', ['a', 'b']],
    ['# comment\npackage:a\nFILENAME:\ta.deb\nX-Other: y\n Filename: z\n', ['a']],
    ['Package: virtual\n\nPackage: b\nFilename: b.deb\n', ['b']],
    ['\n\n', []],
  ])('is read as deb822 has it: %j', (text, names) => {
    expect(listed(text).map(({ name }) => name)).toEqual(names);
  });

  test.each(['<!doctype html>', 'Filename: a.deb\n', 'Package: a\n: b\n', 'Package: a\nnonsense\nPackage: b\n'])(
    'is not %j',
    (text) => {
      expect(() => listed(text)).toThrow(Malformed);
    },
  );

  test('may be longer than one text can be read at once', () => {
    const description = ` ${'ä'.repeat(500)}\n`.repeat(10);
    const stanzas = Array.from(
      { length: 2500 },
      (_, at) => `Package: p${at}\nDescription: x\n${description}Filename: p${at}.deb\n`,
    );
    expect(listed(stanzas.join('\n')).map(({ files }) => files[0]?.path)).toEqual(stanzas.map((_, at) => `p${at}.deb`));
  });
});

test('a package’s URL has the vendor that the remote names', () => {
  expect(debian.purl?.('curl', { vendor: 'ubuntu' })).toEqual({ namespace: 'ubuntu', name: 'curl' });
  expect(debian.purl?.('curl', {})).toEqual({ namespace: 'debian', name: 'curl' });
});

function listed(text: string, path = 'Packages') {
  const raw = { bytes: Buffer.from(text), type: 'text/plain', url: 'https://upstream.test/' };
  return [
    ...debian.index.releases(debian.index.decode(raw, { kind: 'index', path, scope: 'repository', view: 'packages' })),
  ];
}

function signed(text: string): string {
  return `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${text}-----BEGIN PGP SIGNATURE-----\n\nabc=\n-----END PGP SIGNATURE-----\n`;
}
