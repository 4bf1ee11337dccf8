import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formats } from '../../src/formats/all.ts';
import { type Answered, ask } from '../support/ask.ts';
import { DebianGeneration } from '../support/debian-archive.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { Plane } from '../support/plane.ts';

const MB = 1_000_000;
const HOUR = 3_600_000;

let upstream: FakeUpstream;
let plane: Plane;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
});

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const get = (path: string, headers?: Readonly<Record<string, string>>) => ask(`${plane.url}${path}`, headers);

/** Asks for other things while something takes its time; says how often. */
async function meanwhile(path: string, work: Promise<Answered>): Promise<number> {
  let times = 0;
  const done = work.then(() => true);
  while (!(await Promise.race([done, new Promise<false>((resolve) => setTimeout(resolve, 5, false))]))) {
    expect((await get(path)).status).toBe(200);
    times += 1;
  }
  return times;
}

describe('a cargo index', () => {
  const cksum = sha256('crate');
  const line = (vers: string, features: object = {}) =>
    JSON.stringify({ name: 'widget', vers, deps: [], features, cksum });

  test('with lines of 3 MB is served as it is, and without one that is withheld', async () => {
    const long = { all: [randomBytes(1.5 * MB).toString('hex')] };
    const lines = [line('1.0.0', long), line('1.1.0', long), line('1.2.0')];
    upstream.respond('/wi/dg/widget', { body: `${lines.join('\n')}\n`, headers: { 'content-type': 'text/plain' } });
    plane.remote('crates', 'cargo', upstream.url);
    expect((await get('/crates/wi/dg/widget')).body.toString()).toBe(`${lines.join('\n')}\n`);
    plane.remote('crates', 'cargo', upstream.url, { blocklist: ['widget-1\\.1\\.0'] });
    expect((await get('/crates/wi/dg/widget')).body.toString()).toBe(`${lines[0]}\n${lines[2]}\n`);
  });

  test('with 20,000 lines is served whole', async () => {
    const body = Array.from({ length: 20_000 }, (_, patch) => `${line(`1.0.${patch}`)}\n`).join('');
    upstream.respond('/wi/dg/widget', { body, headers: { 'content-type': 'text/plain' } });
    plane.remote('crates', 'cargo', upstream.url);
    expect(sha256((await get('/crates/wi/dg/widget')).body)).toBe(sha256(body));
  });
});

test('a packument of 100,000 versions is served, and others are answered meanwhile', async () => {
  const names = Array.from({ length: 100_000 }, (_, patch) => `1.0.${patch}`);
  const versions = names.map((version) => [
    version,
    {
      name: 'giant',
      version,
      dist: { tarball: `https://upstream.test/giant/-/giant-${version}.tgz`, shasum: sha256(version).slice(0, 40) },
    },
  ]);
  const time = names.map((version) => [version, '2026-01-01T00:00:00.000Z']);
  const body = JSON.stringify({
    name: 'giant',
    'dist-tags': { latest: '1.0.99999' },
    versions: Object.fromEntries(versions),
    time: Object.fromEntries(time),
  });
  upstream.respond('/giant', { body, headers: { 'content-type': 'application/json' } });
  publish(upstream, 'widget', [{ version: '1.0.0', tarball: Buffer.from('one') }]);
  plane.remote('npm', 'npm', upstream.url);
  expect((await get('/npm/widget')).status).toBe(200);
  const served = get('/npm/giant', { accept: 'application/vnd.npm.install-v1+json' });
  expect(await meanwhile('/npm/widget', served)).toBeGreaterThan(3);
  const document = JSON.parse((await served).body.toString()) as { versions: object };
  expect(Object.keys(document.versions)).toHaveLength(100_000);
  expect((await get('/npm/giant/1.0.99999')).status).toBe(200);
});

describe('names that are words of JavaScript, or of no alphabet we know', () => {
  const NAMES = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '__defineGetter__',
    'prototype',
    'ｗidget',
    'wìdget',
    'widget\u200b',
    '\u202egpj.exe',
    '💥',
    'wi\u0000dget',
    `${'w'.repeat(300)}`,
  ];
  const mirrored = formats.filter(({ traits }) => traits.kinds?.includes('remote') ?? true);

  test.each(mirrored.map((format) => [format.id, format] as const))('are nothing special in %s', async (id, format) => {
    plane.remote('strange', id, upstream.url);
    upstream.quirk('*', { kind: 'status', status: 404 });
    const mount = format.traits.root === undefined ? '/strange' : `/${format.traits.root}/strange`;
    for (const name of NAMES) {
      const segment = encodeURIComponent(name);
      for (const path of [segment, `${segment}/${segment}`, `simple/${segment}/`, `${segment}/@v/list`]) {
        const { status, complete } = await get(`${mount}/${path}`);
        expect([path, status, complete]).toEqual([path, expect.toSatisfy((code) => code >= 300 && code < 500), true]);
      }
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(plane.logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('are versions and tags like any other', async () => {
    const body = `{"name":"widget","dist-tags":{"latest":"1.0.0","__proto__":"1.0.0","constructor":"1.0.0"},
      "versions":{"1.0.0":{"name":"widget","version":"1.0.0","dist":{"tarball":"https://upstream.test/widget/-/widget-1.0.0.tgz"}},
      "__proto__":{"name":"widget","version":"__proto__","dist":{"tarball":"https://upstream.test/widget/-/widget-__proto__.tgz"}}},
      "time":{"1.0.0":"2026-01-01T00:00:00.000Z","__proto__":"2026-01-01T00:00:00.000Z"},"__proto__":{"polluted":true}}`;
    upstream.respond('/widget', { body, headers: { 'content-type': 'application/json' } });
    upstream.respond('/widget/-/widget-1.0.0.tgz', { body: 'one' });
    plane.remote('npm', 'npm', upstream.url);
    const { status, body: served } = await get('/npm/widget');
    expect(status).toBe(200);
    expect(JSON.parse(served.toString())).toMatchObject({ versions: { '1.0.0': { version: '1.0.0' } } });
    expect((await get('/npm/widget/-/widget-1.0.0.tgz')).body.toString()).toBe('one');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('a checksum database that tells two histories', () => {
  const tree = (size: number, root: string) => `go.sum database tree\n${size}\n${root}\n\n— sums.test Az3grmKW\n`;
  const ROOTS = [
    'KknkYm4hx0y71VQ4E6FoF3fdumxzXU5QwTwo+kVX+2I=',
    '2IKknkYm4hx0y71VQ4E6FoF3fdumxzXU5QwTwo+kVX+=',
  ] as const;
  const say = (path: string, body: string | Buffer) => upstream.respond(`/sumdb/sums.test/${path}`, { body });

  beforeEach(() => void plane.remote('go', 'go', upstream.url, { index_ttl: '5m' }));

  test('passes with both trees byte for byte: to see that they differ is the go command’s, which has the key', async () => {
    for (const [hour, root] of ROOTS.entries()) {
      plane.ahead = hour * HOUR;
      say('latest', tree(9, root));
      expect((await get('/go/sumdb/sums.test/latest')).body.toString()).toBe(tree(9, root));
    }
  });

  test('cannot take back a record or a full tile that was served: the first goes on being served', async () => {
    const full = 'tile/8/0/x001/067';
    const record = (root: string) => `7\nexample.com/widget v1.0.0 h1:${root}\n\n${tree(9, root)}`;
    say(full, Buffer.alloc(8192, 1));
    say('lookup/example.com/widget@v1.0.0', record(ROOTS[0]));
    const first = [
      await get(`/go/sumdb/sums.test/${full}`),
      await get('/go/sumdb/sums.test/lookup/example.com/widget@v1.0.0'),
    ];
    say(full, Buffer.alloc(8192, 2));
    say('lookup/example.com/widget@v1.0.0', record(ROOTS[1]));
    plane.ahead = 24 * 365 * HOUR;
    const again = [
      await get(`/go/sumdb/sums.test/${full}`),
      await get('/go/sumdb/sums.test/lookup/example.com/widget@v1.0.0'),
    ];
    expect(again.map(({ body }) => sha256(body))).toEqual(first.map(({ body }) => sha256(body)));
    expect(again.map(({ status }) => status)).toEqual([200, 200]);
  });

  test('that sends a tile of the wrong size is not kept', async () => {
    say('tile/8/0/x001/068', Buffer.alloc(8191, 1));
    const { status } = await get('/go/sumdb/sums.test/tile/8/0/x001/068');
    expect(status).toBe(502);
    say('tile/8/0/x001/068', Buffer.alloc(8192, 1));
    expect((await get('/go/sumdb/sums.test/tile/8/0/x001/068')).body.length).toBe(8192);
  });
});

describe('an image', () => {
  const TYPE = 'application/vnd.oci.image.manifest.v1+json';
  const digestOf = (bytes: string) => `sha256:${sha256(bytes)}`;

  beforeEach(() => {
    plane.remote('images', 'oci', upstream.url);
    upstream.respond('/v2/team/widget/tags/list?n=1', { body: '{"name":"team/widget","tags":["v1"]}' });
  });

  test('with a manifest of 5 MB is served as it is', async () => {
    const described = (at: number) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: digestOf(String(at)),
      size: 1000,
      annotations: { 'org.example.note': 'x'.repeat(1000) },
    });
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: TYPE,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('config'), size: 6 },
      layers: Array.from({ length: 4500 }, (_, at) => described(at)),
    });
    expect(manifest.length).toBeGreaterThan(5 * MB);
    const path = `team/widget/manifests/${digestOf(manifest)}`;
    upstream.respond(`/v2/${path}`, { body: manifest, headers: { 'content-type': TYPE } });
    const { status, headers, body } = await get(`/v2/images/${path}`);
    expect([status, headers['content-type'], sha256(body)]).toEqual([200, TYPE, sha256(manifest)]);
  });

  test('with 10,000 tags has them all, on one page or on many', async () => {
    const tags = Array.from({ length: 10_000 }, (_, at) => `v${String(at).padStart(5, '0')}`);
    for (let page = 0; page < 10; page++) {
      const last = page === 0 ? '' : `&last=${tags[page * 1000 - 1]}`;
      const next = `</v2/team/widget/tags/list?n=1000&last=${tags[page * 1000 + 999]}>; rel="next"`;
      upstream.respond(`/v2/team/widget/tags/list?n=1000${last}`, {
        body: JSON.stringify({ name: 'team/widget', tags: tags.slice(page * 1000, page * 1000 + 1000) }),
        headers: { 'content-type': 'application/json', ...(page < 9 ? { link: next } : {}) },
      });
    }
    const listed = async (query: string) => {
      const { headers, body } = await get(`/v2/images/team/widget/tags/list${query}`);
      return { link: headers['link'], tags: (JSON.parse(body.toString()) as { tags: string[] }).tags };
    };
    expect((await listed('')).tags).toEqual(tags);
    const page = await listed('?n=100&last=v04999');
    expect(page.tags).toEqual(tags.slice(5000, 5100));
    expect(page.link).toContain('last=v05099');
  });
});

test.each([
  ['longer', 1],
  ['shorter', -1],
])('a .deb that is %s than its Packages says is not served and not kept', async (_what, by) => {
  const deb = randomBytes(100_000);
  const filename = 'pool/main/w/widget/widget_1.0_amd64.deb';
  const said = { size: deb.length, sha256: sha256(deb) };
  const archive = new DebianGeneration({
    folder: 'dists/stable/',
    lists: 'main/binary-amd64/',
    packages: [
      { name: 'widget', version: '1.0', filename, deb: Buffer.concat([deb, deb]).subarray(0, deb.length + by), said },
    ],
    byHash: true,
    date: 'Fri, 20 Nov 2026 12:00:00 GMT',
  });
  archive.publish(upstream);
  plane.remote('debian', 'debian', upstream.url);
  for (const path of ['/dists/stable/InRelease', archive.byHash()])
    expect((await get(`/debian${path}`)).status).toBe(200);
  const { status, body } = await get(`/debian/${filename}`);
  expect(status).toBe(502);
  expect(body.toString()).toContain(`sent the wrong ${filename}`);
  expect(await plane.ledger.object('debian', filename)).toBeUndefined();
});
