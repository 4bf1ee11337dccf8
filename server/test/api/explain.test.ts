import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { TestServer } from '../support/test-server.ts';

const DAY = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * DAY).toISOString();
const published = ago(2);

let upstream: FakeUpstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  server = await TestServer.start();
  await server.remote('own', 'npm', upstream.url);
  for (const name of ['lodash', '@acme/app'])
    publish(upstream, name, [
      { version: '1.0.0', tarball: randomBytes(100), at: ago(100) },
      { version: '1.1.0', tarball: randomBytes(100), at: published },
    ]);
  upstream.respond('/left-pad', { status: 404, body: '{}' });
  await server.post('/api/v2/cooldowns', { name: 'week', default: '7d' });
});

afterAll(async () => {
  await server.stop();
  await upstream.stop();
});

const explain = (purl: string, repository = 'own') =>
  server.get(`/api/v2/explain?repository=${repository}&purl=${encodeURIComponent(purl)}`);

test('says which rule refuses a release, by which evidence, until when, and what to use instead', async () => {
  const { status, body } = await explain('pkg:npm/lodash@1.1.0');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    purl: 'pkg:npm/lodash@1.1.0',
    repository: 'own',
    allowed: false,
    rule: 'cooldown/week',
    until: new Date(Date.parse(published) + 7 * DAY).toISOString(),
    nearest: '1.0.0',
    evidence: { source: 'server', at: published },
    help: 'For an exemption ask whoever runs this registry.',
  });
  expect(body.reason).toContain('"week"');
});

test('says so of what is admitted, of scoped names, and of what is not there', async () => {
  expect((await explain('pkg:npm/lodash@1.0.0')).body).toMatchObject({ allowed: true });
  expect((await explain('pkg:npm/%40acme/app@1.1.0')).body).toMatchObject({ allowed: false, nearest: '1.0.0' });
  expect((await explain('pkg:npm/lodash@9.9.9')).body).toMatchObject({ allowed: false, nearest: '1.0.0' });
  expect((await explain('pkg:npm/left-pad@1.0.0')).body).toMatchObject({ allowed: false });
});

test('says so of a package whose index is judged by another thread', async () => {
  const tarball = randomBytes(100);
  const versions = Array.from({ length: 1500 }, (_, minor) => ({ version: `1.${minor}.0`, tarball, at: ago(100) }));
  publish(upstream, 'large', [...versions, { version: '2.0.0', tarball, at: published }]);
  expect((await (await fetch(`${server.url}/own/large`)).arrayBuffer()).byteLength).toBeGreaterThan(256 * 1024);
  expect((await explain('pkg:npm/large@2.0.0')).body).toMatchObject({ allowed: false, nearest: '1.1499.0' });
  expect((await explain('pkg:npm/large@1.0.0')).body).toMatchObject({ allowed: true });
});

test('says which exemption admits a release, and until when', async () => {
  const ends = new Date(Date.now() + DAY).toISOString();
  const exemption = { name: 'hotfix', packages: ['pkg:npm/lodash@1.1.0'], reason: 'It is urgent.', expires_at: ends };
  await server.post('/api/v2/exemptions', exemption);
  const { body } = await explain('pkg:npm/lodash@1.1.0');
  await server.delete('/api/v2/exemptions/hotfix');
  expect(body).toMatchObject({ allowed: true, rule: 'exemption/hotfix', until: ends });
  expect(body.reason).toMatch(/ is admitted: the exemption "hotfix" lifts the cooldown "week" until .*: It is urgent$/);
});

test.each([
  ['pkg:npm/lodash', 'own', 400],
  ['lodash@1', 'own', 400],
  ['pkg:npm/lodash@1.0.0', 'nobody', 404],
])('%s in %s is %i', async (purl, repository, status) => {
  expect((await explain(purl, repository)).status).toBe(status);
});

test('judges every pin of a lock file, in their order, as they were written', async () => {
  const pins = ['pkg:npm/lodash@1.1.0', 'pkg:npm/%40acme/app@1.0.0', 'pkg:npm/left-pad@1.0.0', 'pkg:npm/lodash@1.0.0'];
  const { status, body } = await server.post('/api/v2/preflight', { repository: 'own', pins });
  expect(status).toBe(200);
  expect(body.items.map(({ purl, allowed }: { purl: string; allowed: boolean }) => [purl, allowed])).toEqual([
    [pins[0], false],
    [pins[1], true],
    [pins[2], false],
    [pins[3], true],
  ]);
});

test.each([
  [{}, ['pins']],
  [{ pins: 'x' }, ['pins']],
  [{ pins: [1] }, ['pins', 0]],
  [{ pins: ['pkg:npm/lodash'] }, ['pins', 0]],
  [{ pins: [], repositry: 'own' }, ['repositry']],
])('%j is refused by its field', async (body, path) => {
  const answer = await server.post('/api/v2/preflight', body);
  expect(answer.status).toBe(400);
  expect(answer.body.errors[0].path).toEqual(path);
});
