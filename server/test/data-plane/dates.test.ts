import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { Plane } from '../support/plane.ts';

const DAY = 86_400_000;
const WIDGET = '/com/acme/widget';
const METADATA = `${WIDGET}/maven-metadata.xml`;
const MODULE = '/example.test/widget/@v';
const bytes = randomBytes(100_000);
const ago = (days: number) => new Date(Date.now() - days * DAY).toUTCString();
const pom = (version: string) => `${WIDGET}/${version}/widget-${version}.pom`;
const jar = (version: string) => `${WIDGET}/${version}/widget-${version}.jar`;

let upstream: FakeUpstream;
let plane: Plane;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
  plane.remote('central', 'maven', upstream.url, { index_ttl: '30d' }).virtual('maven', 'maven', ['central']);
  plane.remote('modules', 'go', upstream.url, { index_ttl: '30d' });
});

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

/** Versions with their age in days; undefined: the upstream's server does not say. */
function publish(versions: Readonly<Record<string, number | undefined>>, listedAt?: number): void {
  const lines = Object.keys(versions).map((version) => `<version>${version}</version>`);
  const latest = Object.keys(versions).at(-1);
  const body = `<metadata><versioning><latest>${latest}</latest><release>${latest}</release><versions>${lines.join('')}</versions></versioning></metadata>`;
  upstream.respond(METADATA, { body, headers: { 'content-type': 'text/xml', ...modified(listedAt) } });
  for (const [version, age] of Object.entries(versions)) {
    for (const path of [pom(version), jar(version)]) {
      upstream.respond(path, {
        body: bytes,
        headers: { 'content-type': 'application/java-archive', ...modified(age) },
      });
      upstream.respond(`${path}.sha1`, { body: createHash('sha1').update(bytes).digest('hex') });
    }
  }
}

const modified = (age: number | undefined): Record<string, string> =>
  age === undefined ? {} : { 'last-modified': ago(age) };

const text = async (path: string) => (await plane.get(path)).text();
const listed = async (path = `/maven${METADATA}`) =>
  [...(await text(path)).matchAll(/<version>([^<]+)<\/version>/g)].map(([, version]) => version);
const status = async (path: string, headers = {}, method = 'GET') => {
  const response = await plane.get(path, headers, method);
  await response.arrayBuffer();
  return response.status;
};

describe('an index that dates nothing', () => {
  beforeEach(() => plane.rule('cooldown', { name: 'week', default: '7d' }));

  test('is filtered by what the upstream says of each version, asked once', async () => {
    publish({ '0.9': 400, '1.0': 100, '1.1': 2 });
    expect(await listed()).toEqual(['0.9', '1.0']);
    expect(await text(`/maven${METADATA}`)).toContain('<release>1.0</release>');
    expect(await listed(`/central${METADATA}`)).toEqual(['0.9', '1.0']);
    expect(['0.9', '1.0', '1.1'].map((version) => upstream.count(pom(version)))).toEqual([1, 1, 1]);
    expect(await status(`/maven${jar('1.0')}`)).toBe(200);
    expect(await status(`/maven${jar('1.1')}`)).toBe(403);
  });

  test('shows a version in the moment in which it is old enough', async () => {
    publish({ '1.0': 100, '1.1': 2 });
    expect(await listed()).toEqual(['1.0']);
    plane.ahead += 4.9 * DAY;
    expect(await listed()).toEqual(['1.0']);
    plane.ahead += 0.2 * DAY;
    expect(await listed()).toEqual(['1.0', '1.1']);
    expect(upstream.count(pom('1.1'))).toBe(1);
  });

  test('needs no date of each version where all of it is old', async () => {
    publish({ '1.0': 100, '1.1': 50 }, 50);
    expect(await listed()).toEqual(['1.0', '1.1']);
    expect(upstream.count(pom('1.0')) + upstream.count(pom('1.1'))).toBe(0);
  });

  test('counts what has no date of its own as old as the index is', async () => {
    publish({ '1.0': undefined, '1.1': 3 }, 2);
    expect(await listed()).toEqual(['1.1'].slice(1));
    plane.ahead += 4.1 * DAY;
    expect(await listed()).toEqual(['1.1']);
    plane.ahead += DAY;
    expect(await listed()).toEqual(['1.0', '1.1']);
  });

  test('of an upstream that dates no file is withheld, without asking for every one', async () => {
    const versions = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`1.${at}`, undefined]));
    publish(versions);
    const refused = await plane.get(`/maven${METADATA}`);
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain('"week"');
    const asked = Object.keys(versions).filter((version) => upstream.count(pom(version)) > 0);
    expect(asked.length).toBeLessThan(20);
    expect(asked).toContain('1.59');
    plane.rule('cooldown', { name: 'week', default: '7d', unknown_age: 'allow' });
    expect(await listed()).toHaveLength(60);
  });

  test('shows what could not be asked about once it can be', async () => {
    publish({ '1.0': 100, '1.1': 2 });
    upstream.respond(pom('1.0'), { status: 503, body: '' });
    expect(await status(`/maven${METADATA}`)).toBe(403);
    publish({ '1.0': 100, '1.1': 2 });
    plane.ahead += 11 * 60_000;
    expect(await listed()).toEqual(['1.0']);
  });

  test('asks no dates where no rule is about its format', async () => {
    plane.rule('cooldown', { name: 'week', formats: { npm: '7d' } });
    publish({ '1.0': 100, '1.1': 2 });
    expect(await listed()).toEqual(['1.0', '1.1']);
    expect(upstream.count(pom('1.1'))).toBe(0);
    expect(await status(`/maven${jar('1.1')}`)).toBe(200);
    expect(upstream.count(jar('1.1'))).toBe(1);
  });

  test('is completed by the documents that describe its releases, where there are such', async () => {
    const info = (version: string, age: number) =>
      upstream.respond(`${MODULE}/${version}.info`, {
        body: JSON.stringify({ Version: version, Time: '2020-01-01T00:00:00Z' }),
        headers: { 'content-type': 'application/json', 'last-modified': ago(age) },
      });
    info('v1.0.0', 100);
    info('v1.1.0', 2);
    upstream.respond(`${MODULE}/list`, { body: 'v1.0.0\nv1.1.0\n', headers: { 'content-type': 'text/plain' } });
    expect(await text(`/modules${MODULE}/list`)).toBe('v1.0.0\n');
    plane.ahead += 5.1 * DAY;
    expect(await text(`/modules${MODULE}/list`)).toBe('v1.0.0\nv1.1.0\n');
    expect(upstream.count(`${MODULE}/v1.1.0.info`)).toBe(1);
  });
});

describe('a file', () => {
  beforeEach(() => plane.rule('cooldown', { name: 'week', default: '7d' }));

  test('whose bytes are younger than what was asked about is refused before the first of them', async () => {
    publish({ '1.0': 100 });
    expect(await status(`/maven${jar('1.0')}`, {}, 'HEAD')).toBe(200);
    await expect.poll(() => plane.ledger.object('central', jar('1.0').slice(1))).toBeDefined();
    await plane.engine.evict({ repository: 'central', all: true });
    const other = randomBytes(100_000);
    upstream.respond(jar('1.0'), {
      body: other,
      headers: { 'content-type': 'application/java-archive', ...modified(1) },
    });
    upstream.respond(`${jar('1.0')}.sha1`, { body: createHash('sha1').update(other).digest('hex') });
    const response = await plane.get(`/maven${jar('1.0')}`);
    expect(response.status).toBe(403);
    expect(Buffer.from(await response.arrayBuffer()).length).toBeLessThan(2000);
    expect(await status(`/maven${jar('1.0')}`)).toBe(403);
  });

  test('of an unknown age is refused, and its bytes do not come through where they say that they are young', async () => {
    plane.rule('cooldown', { name: 'week', default: '7d', unknown_age: 'allow' });
    publish({ '1.0': 1 });
    upstream.respond(jar('1.0'), (request) =>
      request.method === 'HEAD'
        ? { status: 405 }
        : { body: bytes, headers: { 'content-type': 'application/java-archive', ...modified(1) } },
    );
    expect(await status(`/maven${jar('1.0')}`)).toBe(403);
  });
});
