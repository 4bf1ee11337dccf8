import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish, sri } from '../support/npm-package.ts';
import { Plane } from '../support/plane.ts';

let own: FakeUpstream;
let other: FakeUpstream;
let plane: Plane;

beforeEach(async () => {
  [own, other] = [await FakeUpstream.start(), await FakeUpstream.start()];
  plane = await Plane.start();
});

afterEach(async () => {
  await plane.stop();
  for (const upstream of [own, other]) await upstream.stop();
});

function declare(format: string, rules: { own?: object; other?: object } = {}): void {
  plane.remote('own', format, own.url, { ...rules.own }).remote('other', format, other.url, { ...rules.other });
  plane.virtual('all', format, ['own', 'other'], { merge: 'union' });
}

async function got(path: string) {
  const response = await plane.get(`/all${path}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, reason: response.statusText, bytes, text: bytes.toString() };
}

const hash = (algorithm: string, bytes: string | Uint8Array) => createHash(algorithm).update(bytes).digest('hex');

describe('of npm registries', () => {
  const tarball = (version: string) => `/express/-/express-${version}.tgz`;
  const bytesOf = (whose: string, version: string) => Buffer.from(`${whose} ${version}`);
  const release = (whose: string, version: string) => ({ version, tarball: bytesOf(whose, version) });
  type Versions = Record<string, { dist: { integrity: string } } | undefined>;

  const versions = async (): Promise<Versions> => JSON.parse((await got('/express')).text).versions;

  beforeEach(() => {
    publish(own, 'express', [release('own', '1.0.0'), release('own', '2.0.0')]);
    publish(other, 'express', [release('other', '2.0.0'), release('other', '3.0.0')]);
  });

  test('a package has the versions of both, and each its own bytes', async () => {
    declare('npm');
    const listed = await versions();
    expect(Object.keys(listed)).toEqual(['1.0.0', '2.0.0', '3.0.0']);
    const expected = { '1.0.0': 'own', '2.0.0': 'own', '3.0.0': 'other' };
    for (const [version, whose] of Object.entries(expected)) {
      const { bytes } = await got(tarball(version));
      expect(bytes.toString()).toBe(`${whose} ${version}`);
      expect(sri(bytes)).toBe(listed[version]?.dist.integrity);
    }
    expect(plane.pulls).toMatchObject([{ member: 'own' }, { member: 'own' }, { member: 'other' }]);
  });

  test('a file is the same whether or not the index was asked for before', async () => {
    declare('npm');
    expect((await got(tarball('3.0.0'))).text).toBe('other 3.0.0');
    expect((await got(tarball('2.0.0'))).text).toBe('own 2.0.0');
    expect(other.count(tarball('2.0.0'))).toBe(0);
  });

  test('what the first no longer lists comes from the next that does', async () => {
    declare('npm');
    expect((await got(tarball('2.0.0'))).text).toBe('own 2.0.0');
    publish(own, 'express', [release('own', '1.0.0')]);
    plane.ahead = 24 * 3600_000;
    expect((await versions())['2.0.0']?.dist.integrity).toBe(sri(bytesOf('other', '2.0.0')));
    expect((await got(tarball('2.0.0'))).text).toBe('other 2.0.0');
  });

  test('a package of one is as that one has it', async () => {
    declare('npm');
    own.respond('/lodash', { status: 404 });
    publish(other, 'lodash', [release('other', '4.0.0')]);
    expect(JSON.parse((await got('/lodash')).text).versions).toHaveProperty(['4.0.0']);
    expect((await got('/lodash/-/lodash-4.0.0.tgz')).text).toBe('other 4.0.0');
  });

  test.each(['own', 'other'])('nothing new is given while %s cannot say', async (away) => {
    declare('npm');
    (away === 'own' ? own : other).respond('/express', { status: 500 });
    expect((await got('/express')).status).toBe(503);
    if (away === 'own') expect((await got(tarball('3.0.0'))).status).toBe(503);
  });

  test('what the blocklist of one hides is the other’s, by index and bytes alike', async () => {
    declare('npm', { own: { blocklist: ['-2\\.0\\.0\\.tgz$'] } });
    const listed = await versions();
    expect(Object.keys(listed).toSorted()).toEqual(['1.0.0', '2.0.0', '3.0.0']);
    expect(listed['2.0.0']?.dist.integrity).toBe(sri(bytesOf('other', '2.0.0')));
    expect((await got(tarball('2.0.0'))).text).toBe('other 2.0.0');
  });

  test('what the blocklist of one hides and no other has is refused with the reason', async () => {
    declare('npm', { own: { blocklist: ['-1\\.0\\.0\\.tgz$'] } });
    expect(Object.keys(await versions()).toSorted()).toEqual(['2.0.0', '3.0.0']);
    expect(await got(tarball('1.0.0'))).toMatchObject({
      status: 403,
      reason: expect.stringContaining('express is on the blocklist of "own" (-1\\.0\\.0\\.tgz$)'),
    });
    expect(plane.pulls).toMatchObject([{ decision: 'refused', member: 'own', rule: 'own.blocklist' }]);
  });
});

describe('of Maven repositories', () => {
  const WIDGET = '/com/acme/widget';
  const METADATA = `${WIDGET}/maven-metadata.xml`;
  const jar = (version: string) => `${WIDGET}/${version}/widget-${version}.jar`;
  const absent = (upstream: FakeUpstream, ...paths: string[]) => {
    for (const path of paths) upstream.respond(path, { status: 404 });
  };

  function put(upstream: FakeUpstream, path: string, body: string): void {
    upstream.respond(path, { body, headers: { 'content-type': 'application/octet-stream' } });
    upstream.respond(`${path}.sha1`, { body: hash('sha1', body) });
  }

  function list(upstream: FakeUpstream, release: string, ...versions: string[]): void {
    const lines = versions.map((version) => `<version>${version}</version>`).join('');
    const body = `<metadata><versioning><latest>${release}</latest><release>${release}</release><versions>${lines}</versions></versioning></metadata>`;
    upstream.respond(METADATA, { body, headers: { 'content-type': 'text/xml' }, etag: hash('sha1', body) });
  }

  beforeEach(() => {
    list(own, '1.1', '1.0', '1.1');
    list(other, '2.0', '1.1', '2.0');
    for (const version of ['1.0', '1.1']) put(own, jar(version), `own ${version}`);
    for (const version of ['1.1', '2.0']) put(other, jar(version), `other ${version}`);
    declare('maven');
  });

  test('the versions of both are listed, under checksums of ours', async () => {
    const { text } = await got(METADATA);
    expect([...text.matchAll(/<version>([^<]*)</g)].map(([, version]) => version)).toEqual(['1.0', '1.1', '2.0']);
    expect(text).toContain('<release>2.0</release>');
    for (const algorithm of ['sha1', 'md5', 'sha256', 'sha512'])
      expect((await got(`${METADATA}.${algorithm}`)).text).toBe(hash(algorithm, text));
    for (const upstream of [own, other]) expect(upstream.count(`${METADATA}.sha1`)).toBe(0);
  });

  test.each([
    ['1.0', 'own'],
    ['1.1', 'own'],
    ['2.0', 'other'],
  ])('a release has the jar and the checksum of the first that lists it: %s', async (version, whose) => {
    const path = jar(version);
    expect((await got(`${path}.sha1`)).text).toBe(hash('sha1', `${whose} ${version}`));
    expect((await got(path)).text).toBe(`${whose} ${version}`);
  });

  test('a file that the first has not of its release is not taken from another’s', async () => {
    const sources = `${WIDGET}/1.1/widget-1.1-sources.jar`;
    absent(own, sources, `${sources}.sha1`);
    put(other, sources, 'other sources');
    expect((await got(sources)).status).toBe(404);
    expect(other.count(sources)).toBe(0);
  });

  test('a file that nobody lists is given by the first that has it', async () => {
    absent(own, METADATA, jar('3.0'), `${jar('3.0')}.sha1`);
    absent(other, METADATA);
    put(other, jar('3.0'), 'other 3.0');
    expect((await got(jar('3.0'))).text).toBe('other 3.0');
  });

  test('the newest build of a snapshot is whole, wherever it is', async () => {
    const folder = `${WIDGET}/4.0-SNAPSHOT`;
    const build = (upstream: FakeUpstream, value: string, updated: string) => {
      list(upstream, '', '4.0-SNAPSHOT');
      const body = `<metadata><versioning><lastUpdated>${updated}</lastUpdated><snapshotVersions><snapshotVersion><extension>jar</extension><value>${value}</value><updated>${updated}</updated></snapshotVersion></snapshotVersions></versioning></metadata>`;
      upstream.respond(`${folder}/maven-metadata.xml`, { body, headers: { 'content-type': 'text/xml' } });
      put(upstream, `${folder}/widget-${value}.jar`, value);
      return { body, path: `${folder}/widget-${value}.jar` };
    };
    const older = build(own, '4.0-20260101.000000-1', '20260101000000');
    const newer = build(other, '4.0-20260202.000000-1', '20260202000000');
    expect((await got(`${folder}/maven-metadata.xml`)).text).toBe(newer.body);
    expect((await got(newer.path)).text).toBe('4.0-20260202.000000-1');
    expect((await got(`${newer.path}.sha1`)).text).toBe(hash('sha1', '4.0-20260202.000000-1'));
    expect((await got(older.path)).text).toBe('4.0-20260101.000000-1');
    expect(own.count(newer.path)).toBe(0);
  });

  test('nothing is listed while one cannot say', async () => {
    other.respond(METADATA, { status: 500 });
    expect((await got(METADATA)).status).toBe(503);
    expect((await got(`${METADATA}.sha1`)).status).toBe(503);
  });
});
