import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DebianGeneration, type DebianPackage, type DebianSuite, sha256 } from '../support/debian-archive.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { Plane } from '../support/plane.ts';

const FOLDER = 'dists/stable/';
const LISTS = 'main/binary-amd64/';
const IN_RELEASE = `/${FOLDER}InRelease`;
const PACKAGES = `/${FOLDER}${LISTS}Packages.gz`;
/** What else could be a root of what is in the lists' folder. */
const OTHER_ROOTS = ['Release', 'main/InRelease', 'main/Release'].map((name) => `/${FOLDER}${name}`);
const DAY = 24 * 3600_000;

const packaged = (name: string, version: string, fields: Partial<DebianPackage> = {}): DebianPackage => ({
  name,
  version,
  filename: `pool/main/${name[0]}/${name}/${name}_${version.replace(/^\d+:/, '')}_amd64.deb`,
  deb: randomBytes(100_000),
  ...fields,
});
const WIDGET = packaged('widget', '1:1.0~rc1+b1');
const CURL = packaged('curl', '8.0-1');
const DEB = '/pool/main/w/widget/widget_1.0%7erc1%2bb1_amd64.deb';

let upstream: FakeUpstream;
let plane: Plane;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
  plane.remote('archive', 'debian', upstream.url).virtual('debian', 'debian', ['archive']);
});

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

function generation(fields: Partial<DebianSuite> = {}): DebianGeneration {
  const common = { folder: FOLDER, lists: LISTS, packages: [WIDGET, CURL], date: 'Fri, 20 Nov 2026 12:00:00 GMT' };
  return new DebianGeneration({ ...common, ...fields });
}

const first = (fields: Partial<DebianSuite> = {}) => generation(fields);
const second = (fields: Partial<DebianSuite> = {}) =>
  generation({ packages: [WIDGET, packaged('curl', '8.1-1')], date: 'Sat, 21 Nov 2026 12:00:00 GMT', ...fields });

/** As apt asks: the path goes out as it is written. */
async function got(path: string, headers: Readonly<Record<string, string>> = {}) {
  const answer = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    const { hostname, port } = new URL(plane.url);
    const options = { hostname, port, path: `/debian${path}`, headers: { 'user-agent': 'Debian APT', ...headers } };
    request(options, resolve).on('error', reject).end();
  });
  const bytes = await buffer(answer);
  return {
    status: answer.statusCode,
    reason: answer.statusMessage,
    headers: answer.headers,
    cache: answer.headers['x-cache'],
    text: bytes.toString(),
    bytes,
  };
}

const digestOf = async (path: string, headers = {}) => sha256((await got(path, headers)).bytes);
const asked = () => upstream.requests.map(({ path }) => path);
const recorded = (path: string) => plane.ledger.object('archive', decodeURIComponent(path.slice(1)));

/** Asks for the root, then for the list that it names, and says of which of the generations both are. */
async function update(client: string, of: readonly DebianGeneration[]): Promise<[number, number]> {
  const headers = { 'user-agent': client };
  const root = (await got(IN_RELEASE, headers)).text;
  const list = await digestOf(PACKAGES, headers);
  return [of.findIndex((one) => one.inRelease === root), of.findIndex((one) => sha256(one.packagesGz) === list)];
}

describe('an archive', () => {
  test('is read cold as apt reads it, and warm while the upstream is away', async () => {
    const now = first({ byHash: true });
    now.publish(upstream);
    const wanted: readonly [string, string][] = [
      [IN_RELEASE, sha256(now.inRelease)],
      [now.byHash(), sha256(now.packagesGz)],
      [DEB, sha256(WIDGET.deb)],
    ];
    for (const [path, digest] of wanted) expect(await digestOf(path), path).toBe(digest);
    const byHash = `/${FOLDER}${LISTS}by-hash/SHA256/${sha256(now.packagesGz)}`;
    expect(asked()).toEqual([IN_RELEASE, byHash, DEB]);

    await upstream.down();
    for (const [path, digest] of wanted) expect(await digestOf(path), path).toBe(digest);
    plane.ahead = DAY;
    for (const [path, digest] of wanted) expect(await digestOf(path), path).toBe(digest);
    expect(await digestOf(PACKAGES)).toBe(sha256(now.packagesGz));
    expect(await digestOf(byHash)).toBe(sha256(now.packagesGz));
  });

  test('has on record what its list says of a package: the epoch is not in the file’s name', async () => {
    first().publish(upstream);
    await got(IN_RELEASE);
    expect((await got(DEB)).status).toBe(200);
    expect(plane.pulls.filter(({ role }) => role === 'package')).toMatchObject([
      { package: 'pkg:deb/debian/widget', version: '1:1.0~rc1+b1', decision: 'allowed', member: 'archive' },
    ]);
    await expect
      .poll(() => recorded(DEB))
      .toMatchObject({ name: 'widget', version: '1:1.0~rc1+b1', expected: `sha256:${sha256(WIDGET.deb)}` });
  });

  test('has the vendor that the remote names in its package URLs', async () => {
    plane.remote('archive', 'debian', upstream.url, { debian: { vendor: 'ubuntu' } });
    first().publish(upstream);
    await got(DEB);
    expect(plane.pulls).toMatchObject([{ package: 'pkg:deb/ubuntu/widget', version: '1.0~rc1+b1' }]);
  });

  test('answers If-Modified-Since and says how long everything is', async () => {
    const now = first();
    now.publish(upstream);
    const root = await got(IN_RELEASE);
    const since = String(root.headers['last-modified']);
    expect(since).toBe(now.suite.date);
    expect(root.headers['content-length']).toBe(String(now.inRelease.length));
    expect(await got(IN_RELEASE, { 'if-modified-since': since })).toMatchObject({ status: 304, text: '' });
    plane.ahead = DAY;
    expect((await got(IN_RELEASE, { 'if-modified-since': since })).status).toBe(304);
    const next = second();
    next.publish(upstream);
    plane.ahead = 2 * DAY;
    expect((await got(IN_RELEASE, { 'if-modified-since': since })).text).toBe(next.inRelease);
  });

  test.each([
    ['a package', DEB, 60_000],
    ['a list', PACKAGES, 60],
    ['a file of a generation', `/${FOLDER}main/Contents-amd64.gz`, 60_000],
  ])('has %s that goes on where it broke off', async (_what, path, from) => {
    first({ files: { 'main/Contents-amd64.gz': randomBytes(200_000) } }).publish(upstream);
    await got(IN_RELEASE);
    const { bytes, headers } = await got(path);
    const rest = bytes.subarray(from);
    for (const validator of ['etag', 'last-modified']) {
      const part = await got(path, { range: `bytes=${from}-`, 'if-range': String(headers[validator]) });
      const said = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
      expect(part, validator).toMatchObject({ status: 206, headers: { 'content-range': said } });
      expect(part.bytes.equals(rest)).toBe(true);
    }
    expect(await got(path, { range: `bytes=${from}-`, 'if-range': '"other"' })).toMatchObject({ status: 200, bytes });
  });

  test('has a package before any list was asked for, by its file’s name', async () => {
    first().publish(upstream);
    expect((await got(DEB)).bytes.equals(WIDGET.deb)).toBe(true);
    expect(asked()).toEqual([DEB]);
  });

  test('has patches for its lists', async () => {
    const index = Buffer.from('SHA256-Current: x\n');
    const patch = randomBytes(100);
    const name = `${LISTS}Packages.diff/Index`;
    const now = first({ byHash: true, files: { [name]: index } });
    now.publish(upstream);
    const path = `/${FOLDER}${LISTS}Packages.diff/T-2026-11-20-1200.00-F-2026-11-19-1200.00.gz`;
    upstream.respond(path, { body: patch });
    await got(IN_RELEASE);
    expect((await got(now.byHash(name))).bytes).toEqual(index);
    expect((await got(`/${FOLDER}${name}`)).bytes).toEqual(index);
    expect((await got(path)).bytes).toEqual(patch);
    plane.ahead = DAY;
    expect(await got(path)).toMatchObject({ status: 200, cache: 'hit' });
  });

  test('has files that are checked and not read', async () => {
    const contents = randomBytes(300_000);
    const now = first({
      byHash: true,
      files: { 'main/Contents-amd64.gz': contents, [`${LISTS}Packages.lzma`]: contents },
    });
    now.publish(upstream);
    await got(IN_RELEASE);
    expect(await digestOf('/dists/stable/main/Contents-amd64.gz')).toBe(sha256(contents));
    expect(await digestOf(now.byHash(`${LISTS}Packages.lzma`))).toBe(sha256(contents));
  });

  test('whose mirror has nothing by hash is read by name', async () => {
    const now = first({ byHash: true });
    now.publish(upstream);
    upstream.respond(`/${FOLDER}${LISTS}by-hash/SHA256/${sha256(now.packagesGz)}`, { status: 404 });
    await got(IN_RELEASE);
    expect(await digestOf(now.byHash())).toBe(sha256(now.packagesGz));
  });

  test('lists the unpacked Packages, which need not be there', async () => {
    first().publish(upstream);
    expect((await got(IN_RELEASE)).status).toBe(200);
    expect((await got(PACKAGES.replace('.gz', ''))).status).toBe(404);
  });

  test('of packages in one folder is read', async () => {
    const flat = generation({
      folder: 'flat/',
      lists: '',
      packages: [packaged('widget', '1', { filename: './widget_1_amd64.deb' })],
    });
    flat.publishLists(upstream);
    flat.publishRoot(upstream);
    upstream.respond('/flat/widget_1_amd64.deb', { body: flat.suite.packages[0]?.deb ?? '' });
    expect((await got('/flat/./InRelease')).text).toBe(flat.inRelease);
    expect(await digestOf('/flat/./Packages.gz')).toBe(sha256(flat.packagesGz));
    expect(await digestOf('/flat/./widget_1_amd64.deb')).toBe(sha256(flat.suite.packages[0]?.deb ?? ''));
    expect(asked()).toContain('/flat/widget_1_amd64.deb');
    expect(plane.pulls.filter(({ role }) => role === 'package')).toMatchObject([{ version: '1' }]);
  });

  test('without InRelease has a Release and the signature of that very one', async () => {
    const [one, two] = [first(), second()];
    const release = `/${FOLDER}Release`;
    one.publishLists(upstream);
    one.publishOldRoot(upstream);
    expect((await got(IN_RELEASE)).status).toBe(404);
    expect((await got(release)).text).toBe(one.release);
    two.publishLists(upstream);
    two.publishOldRoot(upstream);
    expect((await got(`${release}.gpg`)).text).toBe(one.signature);
    expect(await digestOf(PACKAGES)).toBe(sha256(one.packagesGz));
    plane.ahead = DAY;
    expect((await got(release)).text).toBe(two.release);
    expect((await got(`${release}.gpg`)).text).toBe(two.signature);
    expect(await digestOf(PACKAGES)).toBe(sha256(two.packagesGz));
  });
});

test('several archives behind one address give each what it has', async () => {
  const other = await FakeUpstream.start();
  try {
    plane.remote('security', 'debian', other.url).virtual('debian', 'debian', ['archive', 'security']);
    const fixed = packaged('curl', '8.0-1+deb1', { filename: 'pool/updates/main/c/curl/curl_8.0-1+deb1_amd64.deb' });
    const base = first({ byHash: true });
    const fixes = generation({ folder: 'dists/stable-security/', packages: [fixed], byHash: true });
    base.publish(upstream);
    fixes.publish(other);
    for (const path of ['InRelease', 'Release', 'main/InRelease', 'main/Release']) {
      upstream.respond(`/dists/stable-security/${path}`, { status: 404 });
      for (const folder of ['stable-security', 'stable']) other.respond(`/dists/${folder}/${path}`, { status: 404 });
    }
    fixes.publishRoot(other);
    upstream.respond('/pool/updates/main/c/curl/curl_8.0-1%2bdeb1_amd64.deb', { status: 404 });

    expect((await got(IN_RELEASE)).text).toBe(base.inRelease);
    expect((await got('/dists/stable-security/InRelease')).text).toBe(fixes.inRelease);
    expect(await digestOf(base.byHash())).toBe(sha256(base.packagesGz));
    expect(await digestOf(fixes.byHash())).toBe(sha256(fixes.packagesGz));
    expect(await digestOf(DEB)).toBe(sha256(WIDGET.deb));
    expect(await digestOf('/pool/updates/main/c/curl/curl_8.0-1%2bdeb1_amd64.deb')).toBe(sha256(fixed.deb));
    expect(plane.pulls.filter(({ role }) => role === 'package')).toMatchObject([
      { package: 'pkg:deb/debian/widget', member: 'archive' },
      { package: 'pkg:deb/debian/curl', version: '8.0-1+deb1', member: 'security' },
    ]);
  } finally {
    await other.stop();
  }
});

describe('while the upstream publishes', () => {
  const [one, two] = [first(), second()];

  test.each([
    [
      'its lists first',
      [(now: DebianGeneration) => now.publishLists(upstream), (now: DebianGeneration) => now.publishRoot(upstream)],
    ],
    [
      'its root first',
      [(now: DebianGeneration) => now.publishRoot(upstream), (now: DebianGeneration) => now.publishLists(upstream)],
    ],
  ])('%s, under plain names, no client gets a list of another generation', async (_what, steps) => {
    one.publish(upstream);
    expect(await update('a', [one, two])).toEqual([0, 0]);
    for (const [position, step] of steps.entries()) {
      step(two);
      plane.ahead += 3600_000;
      const last = position === steps.length - 1;
      for (const client of ['a', `new ${position}`])
        expect(await update(client, [one, two])).toEqual(last ? [1, 1] : [0, 0]);
    }
  });

  test('a client that read the older root gets the older list, another the newer', async () => {
    one.publish(upstream);
    await got(IN_RELEASE, { 'user-agent': 'a' });
    two.publish(upstream);
    plane.ahead = 8 * 60_000;
    expect((await got(IN_RELEASE, { 'user-agent': 'b' })).text).toBe(one.inRelease);
    await expect.poll(async () => (await got(IN_RELEASE, { 'user-agent': 'b' })).text).toBe(two.inRelease);
    expect(await digestOf(PACKAGES, { 'user-agent': 'a' })).toBe(sha256(one.packagesGz));
    expect(await digestOf(PACKAGES, { 'user-agent': 'b' })).toBe(sha256(two.packagesGz));
  });

  test('a list of the older generation is still here by its digest when the upstream has cleared it away', async () => {
    const [old, next] = [first({ byHash: true }), second({ byHash: true })];
    old.publish(upstream);
    await got(IN_RELEASE);
    await got(old.byHash());
    next.publish(upstream);
    const sha256Path = `/${FOLDER}${LISTS}by-hash/SHA256/${sha256(old.packagesGz)}`;
    for (const path of [old.byHash(), sha256Path, ...OTHER_ROOTS]) upstream.respond(path, { status: 404 });
    plane.ahead = DAY;
    expect((await got(IN_RELEASE, { 'user-agent': 'b' })).text).toBe(next.inRelease);
    expect(await digestOf(sha256Path, { 'user-agent': 'c' })).toBe(sha256(old.packagesGz));
    expect(await digestOf(old.byHash())).toBe(sha256(old.packagesGz));
    expect(await digestOf(next.byHash())).toBe(sha256(next.packagesGz));
  });

  test('lists that clients use are here before the root that names them', async () => {
    const [old, next] = [first({ byHash: true }), second({ byHash: true })];
    old.publish(upstream);
    await got(IN_RELEASE);
    await got(old.byHash());
    next.publish(upstream);
    plane.ahead = DAY;
    expect((await got(IN_RELEASE)).text).toBe(next.inRelease);
    await upstream.down();
    expect(await digestOf(next.byHash())).toBe(sha256(next.packagesGz));
  });
});

describe('a package', () => {
  test.each([
    ['of another size', { size: 99_999 }],
    ['with other bytes', { sha256: sha256('other') }],
  ])('%s than its list says is never complete, and not kept', async (_what, said) => {
    first({ packages: [{ ...WIDGET, said }] }).publish(upstream);
    await got(IN_RELEASE);
    const outcome = await got(DEB).then(
      ({ status }) => status,
      () => 'broken off',
    );
    expect([502, 'broken off']).toContain(outcome);
    expect(await recorded(DEB)).toBeUndefined();
  });

  test('is not taken from a web page in its place, listed or not', async () => {
    upstream.quirk(DEB, { kind: 'login_page' });
    expect(await got(DEB)).toMatchObject({ status: 502, text: expect.stringContaining('web page') });
    first().publish(upstream);
    await got(IN_RELEASE);
    expect((await got(DEB)).status).toBe(502);
    expect(await recorded(DEB)).toBeUndefined();
  });

  const REASON = expect.stringMatching(/^curl is on the blocklist of "archive" \(\^curl\$\)\. .+/);
  const MASKED = packaged('curl', '8.0-1', { filename: 'pool/innocent_1_amd64.deb' });
  const SPELLINGS = [
    '/pool/main/c/curl/curl_8.0-1_amd64.deb',
    '/./pool/main/./c/curl/curl_8.0-1_amd64.deb',
    '/pool/main/c/c%75rl/c%75rl%5f8.0-1_amd64.deb',
    '/pool%2fmain/c/curl/curl_8.0-1_amd64.deb',
  ];

  test.each(SPELLINGS)('that is withheld is refused, and not fetched: %s', async (path) => {
    plane.remote('archive', 'debian', upstream.url, { blocklist: ['^curl$'] });
    for (const known of [false, true]) {
      first().publish(upstream);
      if (known) await got(IN_RELEASE);
      expect(await got(path)).toMatchObject({ status: 403, reason: REASON, text: REASON });
    }
    expect(asked().filter((seen) => seen.startsWith('/pool'))).toEqual([]);
    expect(plane.pulls).toMatchObject(Array(2).fill({ decision: 'refused', package: 'pkg:deb/debian/curl' }));
    expect((await got(DEB)).status).toBe(200);
  });

  test('that is withheld is refused under a file name that hides it', async () => {
    plane.remote('archive', 'debian', upstream.url, { blocklist: ['^curl$'] });
    first({ packages: [MASKED] }).publish(upstream);
    await got(IN_RELEASE);
    expect(await got('/pool/innocent_1_amd64.deb')).toMatchObject({ status: 403, reason: REASON });
  });

  test('that is withheld is refused also when its file is here, while the signed lists still name it', async () => {
    const now = first();
    now.publish(upstream);
    await got(IN_RELEASE);
    expect((await got('/pool/main/c/curl/curl_8.0-1_amd64.deb')).status).toBe(200);
    plane.remote('archive', 'debian', upstream.url, { blocklist: ['^curl$'] });
    expect((await got('/pool/main/c/curl/curl_8.0-1_amd64.deb')).status).toBe(403);
    expect((await got(IN_RELEASE)).text).toBe(now.inRelease);
    expect(await digestOf(PACKAGES)).toBe(sha256(now.packagesGz));
  });
});

describe('a web page of a captive portal', () => {
  test('is no root, and does not replace one', async () => {
    upstream.quirk('*', { kind: 'login_page' });
    expect(await got(IN_RELEASE)).toMatchObject({ status: 502, text: expect.stringContaining('PGP SIGNED MESSAGE') });
    upstream.calm();
    first().publish(upstream);
    expect((await got(IN_RELEASE)).status).toBe(200);
    upstream.quirk('*', { kind: 'login_page' });
    plane.ahead = DAY;
    expect(await got(IN_RELEASE)).toMatchObject({ status: 200, cache: 'stale', text: first().inRelease });
    expect(await digestOf(PACKAGES)).toBe(sha256(first().packagesGz));
  });

  test('is no list', async () => {
    const now = first({ byHash: true });
    now.publish(upstream);
    await got(IN_RELEASE);
    upstream.quirk('*', { kind: 'login_page' });
    expect((await got(now.byHash())).status).toBe(502);
    upstream.calm();
    expect(await digestOf(now.byHash())).toBe(sha256(now.packagesGz));
  });
});
