import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { TestServer } from '../support/test-server.ts';

const DAY = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * DAY).toISOString();
const published = ago(2);

let data: string;
let upstream: FakeUpstream;
let server: TestServer;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'entrepot-decisions-'));
  upstream = await FakeUpstream.start();
  for (const name of ['lodash', 'young', 'lifted', 'watched'])
    publish(upstream, name, [
      ...(name === 'young' ? [] : [{ version: '1.0.0', tarball: randomBytes(100), at: ago(100) }]),
      { version: '1.1.0', tarball: randomBytes(100), at: published },
    ]);
  server = await TestServer.start({ data });
  await server.remote('own', 'npm', upstream.url);
  await server.virtual('npm', 'npm', ['own']);
});

afterAll(async () => {
  await server.stop();
  await upstream.stop();
  await rm(data, { recursive: true, force: true });
});

const pull = (path: string, headers = {}) =>
  server.raw(`/npm/${path}`, { headers: { 'user-agent': 'npm/11', ...headers } });
const decisions = async (query: string) => (await server.get(`/api/v2/decisions?${query}`)).body.items;
const declare = async (collection: string, spec: { name: string }) =>
  expect((await server.put(`/api/v2/${collection}/${spec.name}`, spec)).status).toBe(201);
const decisionOf = ({ headers }: { headers: NodeJS.Dict<string | string[]> }) => String(headers['x-entrepot-decision']);

test('a refused file has the id of a decision that says what, why, by which evidence and for whom', async () => {
  await declare('cooldowns', { name: 'week', default: '7d' } as { name: string });
  const refused = await pull('lodash/-/lodash-1.1.0.tgz', { 'x-entrepot-consumer': 'ci/7' });
  expect(refused.status).toBe(403);
  const { status, body } = await server.get(`/api/v2/decisions/${decisionOf(refused)}`);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    decision: 'refused',
    repository: 'npm',
    member: 'own',
    purl: 'pkg:npm/lodash@1.1.0',
    path: 'lodash/-/lodash-1.1.0.tgz',
    role: 'package',
    rule: 'cooldown/week',
    until: new Date(Date.parse(published) + 7 * DAY).toISOString(),
    evidence: { source: 'server', at: published },
    revision: expect.stringMatching(/^[0-9a-f]{16}$/),
    principal: 'anonymous',
    consumer: 'ci/7',
    client: 'npm/11',
    at: expect.any(String),
  });
  expect(body.reason).toContain('"week"');
});

test('a package of which nothing may be seen has a decision too, one for all who ask in a loop', async () => {
  const answers = [await pull('young'), await pull('young'), await pull('young')];
  expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
  const ids = new Set(answers.map(decisionOf));
  expect(ids.size).toBe(1);
  const found = await decisions('purl=pkg:npm/young');
  expect(found).toMatchObject([
    {
      id: [...ids][0],
      role: 'index',
      rule: 'cooldown/week',
      member: 'own',
      evidence: { source: 'server', at: published },
    },
  ]);
  const other = await pull('young', { 'x-entrepot-consumer': 'another' });
  expect(ids.has(decisionOf(other))).toBe(false);
});

test('what an exemption lets through is on record with its reason, also where memory answers', async () => {
  await declare('exemptions', {
    name: 'urgent',
    packages: ['pkg:npm/lifted'],
    reason: 'The fix of last night',
    expires_at: new Date(Date.now() + DAY).toISOString(),
  } as { name: string });
  for (let time = 0; time < 4; time += 1) expect((await pull('lifted/-/lifted-1.1.0.tgz')).status).toBe(200);
  const found = await decisions('decision=exempted');
  expect(found).toHaveLength(4);
  expect(found[0]).toMatchObject({ rule: 'exemption/urgent', purl: 'pkg:npm/lifted@1.1.0', cache: 'hit' });
  expect(found[0].reason).toContain('The fix of last night');
});

test('a rule that only observes refuses nothing, and what it would have refused is on record and counted', async () => {
  expect((await server.delete('/api/v2/cooldowns/week')).status).toBe(204);
  await declare('cooldowns', { name: 'trial', default: '30d', mode: 'observe' } as { name: string });
  expect((await pull('watched')).body).toContain('watched-1.1.0.tgz');
  for (let time = 0; time < 5; time += 1) expect((await pull('watched/-/watched-1.1.0.tgz')).status).toBe(200);
  expect((await pull('watched/-/watched-1.0.0.tgz')).status).toBe(200);
  const found = await decisions('decision=observed');
  expect(found).toHaveLength(5);
  expect(found[4]).toMatchObject({
    purl: 'pkg:npm/watched@1.1.0',
    observed: [{ rule: 'cooldown/trial', evidence: { source: 'server', at: published } }],
  });
  const { body } = await server.get('/api/v2/pulls?purl=pkg:npm/watched');
  expect(body.items[1]).toMatchObject({ decision: 'allowed', observed: 'cooldown/trial' });
  const { text } = await server.get('/metrics');
  expect(text).toMatch(/entrepot_decisions_total\{repository="npm",rule="cooldown\/trial",decision="observed"\} 5/);
  expect(text).toMatch(/entrepot_decisions_total\{repository="npm",rule="exemption\/urgent",decision="exempted"\} 4/);
  expect(text).toMatch(/entrepot_decisions_total\{repository="npm",rule="cooldown\/week",decision="refused"\} \d/);
});

test('what is admitted because nobody knows its age is no exemption', async () => {
  await server.put('/api/v2/remotes/files', {
    name: 'files',
    format: 'generic',
    url: upstream.url,
    allow_private_network: true,
  });
  upstream.respond('/undated.zip', { body: 'zip' });
  await declare('cooldowns', { name: 'files', formats: { generic: '3d' }, unknown_age: 'allow' } as { name: string });
  expect((await server.raw('/files/undated.zip')).status).toBe(200);
  expect(await decisions('repository=files&decision=exempted')).toEqual([]);
});

test('a decision is as it was made after the rule is gone and the server was started anew', async () => {
  const [before] = await decisions('decision=refused&purl=pkg:npm/lodash');
  await server.stop();
  server = await TestServer.start({ data });
  const { body } = await server.get(`/api/v2/decisions/${before.id}`);
  expect(body).toEqual(before);
});

test('pages follow each other, and filters are those of pulls', async () => {
  const all: { id: string }[] = await decisions('limit=1000');
  const first = await server.get('/api/v2/decisions?limit=3');
  const second = await server.get(`/api/v2/decisions?limit=3&after=${first.body.next}`);
  const ids = [...first.body.items, ...second.body.items].map(({ id }) => id);
  expect(ids).toEqual(all.slice(0, 6).map(({ id }) => id));
  expect(await decisions('consumer=ci/7')).toHaveLength(1);
  expect(await decisions('repository=own')).toEqual([]);
});

test.each([
  ['/api/v2/decisions?decision=maybe', 400],
  ['/api/v2/decisions/00000000-0000-7000-8000-000000000000', 404],
  ['/api/v2/decisions/nonsense', 404],
])('%s is %i', async (path, status) => {
  expect((await server.get(path)).status).toBe(status);
});

test('a pull that no rule said anything of is no decision', async () => {
  const { body } = await server.get('/api/v2/pulls?purl=pkg:npm/watched@1.0.0');
  expect((await server.get(`/api/v2/decisions/${body.items[0].id}`)).status).toBe(404);
});
