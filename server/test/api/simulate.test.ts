import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { TestServer } from '../support/test-server.ts';

const DAY = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * DAY).toISOString();

let upstream: FakeUpstream;
let server: TestServer;

/** Two consumers; `old` is a hundred days old, `young` has a release of two days ago, `held` one that the rule of now refuses. */
beforeAll(async () => {
  upstream = await FakeUpstream.start();
  server = await TestServer.start();
  for (const name of ['old', 'young', 'held'])
    publish(upstream, name, [
      { version: '1.0.0', tarball: randomBytes(100), at: ago(100) },
      ...(name === 'old' ? [] : [{ version: '1.1.0', tarball: randomBytes(100), at: ago(2) }]),
    ]);
  await server.remote('own', 'npm', upstream.url);
  await server.virtual('npm', 'npm', ['own']);
  const rule = { name: 'own', packages: { 'pkg:npm/held': '30d' } };
  expect((await server.put('/api/v2/cooldowns/own', rule)).status).toBe(201);
  const pull = async (path: string, consumer: string) =>
    (await server.raw(`/npm/${path}`, { headers: { 'x-entrepot-consumer': consumer } })).status;
  for (const consumer of ['ci/1', 'ci/1', 'ci/2']) {
    expect(await pull('old/-/old-1.0.0.tgz', consumer)).toBe(200);
    expect(await pull('young/-/young-1.1.0.tgz', consumer)).toBe(200);
  }
  expect(await pull('young/-/young-1.0.0.tgz', 'ci/2')).toBe(200);
  expect(await pull('held/-/held-1.1.0.tgz', 'ci/2')).toBe(403);
});

afterAll(async () => {
  await server.stop();
  await upstream.stop();
});

const cooldown = (name: string, spec: object) => ({ kind: 'cooldown', name, spec });
const simulate = (body: object) => server.post('/api/v2/simulate', body);

test('a longer cooldown says which pulls of whom it would have refused', async () => {
  const { status, body } = await simulate({ resources: [cooldown('week', { default: '7d' })] });
  expect(status).toBe(200);
  expect(body).toMatchObject({ pulls: 8, truncated: false, admitted: { pulls: 0 }, released: { versions: 0 } });
  expect(body.refused).toMatchObject({ pulls: 3, packages: 1, releases: 1, consumers: 2 });
  expect(body.refused.by_consumer).toEqual([
    { consumer: 'ci/1', principal: 'anonymous', pulls: 2, releases: 1 },
    { consumer: 'ci/2', principal: 'anonymous', pulls: 1, releases: 1 },
  ]);
  expect(body.refused.by_release).toEqual([
    {
      what: 'pkg:npm/young@1.1.0',
      pulls: 3,
      consumers: 2,
      rule: 'cooldown/week',
      reason: expect.stringContaining('"week"'),
      last: expect.any(String),
    },
  ]);
});

test('a rule that goes says what it would release', async () => {
  const { body } = await simulate({ remove: [{ kind: 'cooldown', name: 'own' }] });
  expect(body).toMatchObject({
    refused: { pulls: 0 },
    admitted: { pulls: 1, by_release: [{ what: 'pkg:npm/held@1.1.0', rule: 'cooldown/own' }] },
    released: { versions: 1, items: [{ purl: 'pkg:npm/held@1.1.0', repository: 'own', rule: 'cooldown/own' }] },
  });
});

test('blocks, freezes and exemptions are judged together', async () => {
  const expires = new Date(Date.now() + DAY).toISOString();
  const { body } = await simulate({
    resources: [
      { kind: 'block', name: 'old', spec: { packages: ['pkg:npm/old?vers=vers:npm/>=1.0.0'] } },
      { kind: 'freeze', name: 'now', spec: { before: ago(50), formats: ['npm'] } },
      { kind: 'exemption', name: 'held', spec: { packages: ['pkg:npm/held'], reason: 'x', expires_at: expires } },
    ],
  });
  const rules = body.refused.by_release.map(({ what, rule }: { what: string; rule: string }) => [what, rule]);
  expect(Object.fromEntries(rules)).toEqual({
    'pkg:npm/old@1.0.0': 'block/old',
    'pkg:npm/young@1.1.0': 'freeze/now',
  });
  expect(body.admitted.by_release).toMatchObject([{ what: 'pkg:npm/held@1.1.0' }]);
});

test('what only observes refuses nothing, and what changes nothing has nothing to say', async () => {
  const observing = await simulate({ resources: [cooldown('week', { default: '7d', mode: 'observe' })] });
  expect(observing.body.refused.pulls).toBe(0);
  const same = await simulate({});
  expect(same.body).toMatchObject({ pulls: 8, refused: { pulls: 0 }, admitted: { pulls: 0 } });
});

test('as NDJSON there is progress before the result', async () => {
  const headers = { accept: 'application/x-ndjson' };
  const { type, text } = await server.post('/api/v2/simulate', { resources: [] }, { headers });
  expect(type).toBe('application/x-ndjson');
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines[0]).toEqual({ progress: { pulls: 8, of: 8 } });
  expect(lines.at(-1).result).toMatchObject({ pulls: 8 });
});

test('a dry run says what the change would have done, and does not do it', async () => {
  const made = await server.post('/api/v2/cooldowns?dry_run=true', { name: 'week', default: '7d' });
  expect(made.body.warnings).toEqual(['would have refused 3 pulls of 1 package by 2 consumers in the last 30 days']);
  const put = await server.put('/api/v2/cooldowns/own?dry_run=true', {
    name: 'own',
    packages: { 'pkg:npm/held': '0' },
  });
  expect(put.body.warnings).toEqual([
    'would have admitted 1 pull of 1 package by 1 consumer in the last 30 days that the rules of now refuse',
    'would release 1 held version now',
  ]);
  const gone = await server.delete('/api/v2/cooldowns/own?dry_run=true');
  expect(gone.body.warnings).toHaveLength(2);
  const change = { op: 'put', kind: 'cooldown', name: 'week', spec: { default: '7d' } };
  const changeset = await server.post('/api/v2/config?dry_run=true', [change]);
  expect(changeset.body.warnings).toEqual(made.body.warnings);
  expect((await server.get('/api/v2/cooldowns/week')).status).toBe(404);
});

test('what is not about policy has no warnings', async () => {
  const spec = { name: 'other', format: 'npm', url: upstream.url, allow_private_network: true };
  expect((await server.put('/api/v2/remotes/other?dry_run=true', spec)).body.warnings).toEqual([]);
});

test.each<[object, readonly (string | number)[]]>([
  [{ resources: [cooldown('week', { default: '7' })] }, ['resources', 0, 'spec', 'default']],
  [
    { resources: [cooldown('a', { default: '7d' }), cooldown('b', { defalt: '7d' })] },
    ['resources', 1, 'spec', 'defalt'],
  ],
  [
    {
      resources: [
        {
          kind: 'exemption',
          name: 'x',
          spec: { packages: ['pkg:npm/x'], from: ['gone'], reason: 'x', expires_at: '2099-01-01T00:00:00Z' },
        },
      ],
    },
    ['resources', 0, 'spec', 'from', 0],
  ],
  [{ resources: [{ kind: 'remote', name: 'x', spec: {} }] }, ['resources', 0, 'kind']],
  [{ resources: [cooldown('a', { default: '7d' }), cooldown('a', { default: '8d' })] }, ['resources', 1, 'name']],
  [{ resources: {} }, ['resources']],
  [{ remove: [{ kind: 'cooldown', name: 'own', spec: {} }] }, ['remove', 0, 'spec']],
  [{ days: 0 }, ['days']],
  [{ rules: [] }, ['rules']],
])('%j is refused by its field', async (body, path) => {
  const answer = await simulate(body);
  expect(answer.status).toBe(400);
  expect(answer.body.errors[0].path).toEqual(path);
});

test('a rule that is not there cannot be taken away', async () => {
  expect((await simulate({ remove: [{ kind: 'block', name: 'nobody' }] })).status).toBe(404);
});
