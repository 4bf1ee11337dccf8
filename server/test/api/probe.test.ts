import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { TestServer } from '../support/test-server.ts';

let upstream: FakeUpstream;
let server: TestServer;
beforeAll(async () => {
  upstream = await FakeUpstream.start();
  server = await TestServer.start();
  await server.remote('files', 'generic', upstream.url);
});
afterAll(async () => {
  await server.stop();
  await upstream.stop();
});

test('a probe says what the upstream answers, and keeps nothing', async () => {
  upstream.respond('/tool-1.0.tar.gz', { body: 'tool', headers: { 'x-custom': 'yes' } });
  const { status, body } = await server.post('/api/v2/probe', { remote: 'files', path: 'tool-1.0.tar.gz' });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    status: 200,
    url: `${upstream.url}/tool-1.0.tar.gz`,
    classification: 'immutable',
    decision: { allowed: true },
  });
  expect(body.headers['x-custom']).toBe('yes');
  expect(body.timings.first_byte).toBeGreaterThan(0);
  expect((await server.get('/api/v2/remotes/files/objects')).body.items).toEqual([]);
  expect((await server.get('/api/v2/pulls')).body.items).toEqual([]);
});

test('a probe of an upstream that is down says so', async () => {
  await upstream.down();
  const { status, body } = await server.post('/api/v2/probe', { remote: 'files', path: '/tool.tar.gz' });
  expect(status).toBe(200);
  expect(body.failure).toContain('127.0.0.1');
  expect(body).not.toHaveProperty('status');
  await upstream.up();
});

test.each([
  [{ remote: 'nobody', path: 'a' }, 404],
  [{ remote: 'files', path: '../a' }, 400],
  [{ remote: 'files', path: 'a%00b' }, 400],
  [{ remote: 'files' }, 400],
  [{ remote: 'files', path: 1 }, 400],
  [{ remote: 'files', path: 'a', url: 'https://upstream.test' }, 400],
  [[], 400],
])('a probe with %j is refused', async (body, status) => {
  const before = upstream.requests.length;
  expect((await server.post('/api/v2/probe', body)).status).toBe(status);
  expect(upstream.requests).toHaveLength(before);
});

test('a probe says what every rule makes of the path, not only the remote’s own', async () => {
  upstream.respond('/evil-1.0.tar.gz', { body: 'tool' });
  const block = { name: 'evil', packages: ['pkg:generic/evil'], reason: 'it steals' };
  await server.post('/api/v2/blocks', block);
  await server.put('/api/v2/remotes/files', {
    name: 'files',
    format: 'generic',
    url: upstream.url,
    allow_private_network: true,
    generic: { releases: ['^(?P<name>[a-z]+)-(?P<version>[0-9.]+)\\.tar\\.gz$'] },
  });
  const { body } = await server.post('/api/v2/probe', { remote: 'files', path: '/evil-1.0.tar.gz' });
  expect(body).toMatchObject({ status: 200, decision: { allowed: false, rule: 'block/evil' } });
  expect(body.decision.reason).toContain('it steals');
});

test('a probe asks no upstream for a name that is claimed for others', async () => {
  await server.remote('public', 'npm', upstream.url);
  const virtual = { name: 'npm-all', format: 'npm', members: ['public'], claims: ['@acme/*'] };
  expect((await server.post('/api/v2/virtuals', virtual)).status).toBe(201);
  const before = upstream.requests.length;
  const { body } = await server.post('/api/v2/probe', { remote: 'public', path: '/@acme/secret' });
  expect(body.failure).toContain('"npm-all"');
  expect(body.decision).toMatchObject({ allowed: false, rule: 'virtual/npm-all.claims' });
  expect(upstream.requests).toHaveLength(before);
});
