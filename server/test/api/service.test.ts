import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { operations } from '../../src/schema/operations.ts';
import { TestServer } from '../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ defaults: true });
});
afterAll(() => server.stop());

const PARTS = ['database', 'store', 'blobs', 'journal', 'configuration', 'coordination'];
const example = (path: string) => path.replace('{name}', 'npm-public');

test.each(operations().filter(({ open }) => !open))('$method $path needs the admin token', async ({ method, path }) => {
  const verb = method.toUpperCase() as 'GET';
  for (const token of [null, 'entrepot_wrong', '', server.token.slice(0, -1)]) {
    const { status, headers, body } = await server.call(verb, example(path), { token });
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toBe('Bearer realm="entrepot"');
    expect(body.code).toBe('unauthenticated');
  }
});

test.each([
  '/%61pi/v2/remotes',
  '/api/v2/%72emotes',
  '/api/v2/remotes/',
  '/api/v2/remotes?x',
  '/api/v2/remotes#',
  '//api/v2/remotes',
  '/api/v2/../v2/remotes',
  '/metrics/',
  '/API/v2/remotes',
])('no spelling of an address gets past the token: %s', async (path) => {
  const { status, body } = await server.raw(path);
  expect([401, 404]).toContain(status);
  expect(body).not.toContain('npm-public');
});

test('the token is taken as Bearer, raw, as the password of Basic, and as an API key', async () => {
  const basic = `Basic ${Buffer.from(`me:${server.token}`).toString('base64')}`;
  for (const headers of [{ authorization: server.token }, { authorization: basic }, { 'x-api-key': server.token }]) {
    expect((await server.get('/api/v2/stats', { token: null, headers })).status).toBe(200);
  }
});

test('nobody pulls without a token where that is forbidden, and everybody learns whether it is healthy', async () => {
  const closed = await TestServer.start({ defaults: true, settings: { anonymous: 'none' } });
  expect((await closed.raw('/npm/-/ping')).status).toBe(401);
  expect((await closed.raw('/npm/-/ping', { headers: { authorization: `Bearer ${closed.token}` } })).status).toBe(200);
  expect((await closed.get('/health', { token: null })).status).toBe(200);
  await closed.stop();
});

test('a token that is none of ours is not taken for no token', async () => {
  expect((await server.raw('/npm/-/ping')).status).toBe(200);
  expect((await server.raw('/npm/-/ping', { headers: { authorization: 'Bearer other' } })).status).toBe(401);
});

test('health is open; which upstreams there are is not', async () => {
  const open = await server.get('/health', { token: null });
  expect(open.body).toEqual({
    status: 'ok',
    failing: [],
    checks: Object.fromEntries(PARTS.map((part) => [part, { status: 'ok' }])),
  });
  const full = await server.get('/health');
  expect(full.body.checks).toMatchObject({
    database: { status: 'ok', latency_ms: expect.any(Number) },
    'upstream:npm-public': { status: 'ok' },
  });
  expect((await server.get('/ready', { token: null })).body).toEqual({ ready: true });
  expect((await server.call('HEAD', '/ready', { token: null })).status).toBe(200);
});

test('metrics are Prometheus text', async () => {
  await server.raw('/npm/-/ping');
  const { text, type } = await server.get('/metrics');
  expect(type).toBe('text/plain');
  expect(text).toContain('entrepot_upstream_healthy{repository="npm-public"} 1');
  expect(text).toContain('entrepot_journal_lag_rows 0');
  expect(text).toContain('process_cpu_seconds_total');
});

test('the OpenAPI document is served, and names the address it is served at', async () => {
  const { body } = await server.get('/openapi.json', { token: null });
  expect(body.openapi).toBe('3.1.0');
  expect(body.servers).toEqual([{ url: server.url }]);
});

test('the page for people has every call, every parameter and every schema, and loads nothing', async () => {
  const { body, headers } = await server.raw('/docs');
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  for (const { id, path, parameters = [] } of operations()) {
    expect(body).toContain(`id="${id}"`);
    expect(body).toContain(path.replaceAll('"', '&quot;'));
    for (const { name } of parameters) expect(body).toContain(`<code>${name}</code>`);
  }
  for (const [, target] of body.matchAll(/href="#([^"]+)"/g)) expect(body).toContain(`id="${target}"`);
  expect(body).not.toMatch(/<script|<link|<img|@import|url\(/);
  const style = /<style>([\s\S]*?)<\/style>/.exec(body)?.[1] ?? '';
  expect(headers['content-security-policy']).toContain(
    `'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  );
});

test('the front door leads to the page for people', async () => {
  const { status, headers } = await server.raw('/');
  expect([status, headers.location]).toEqual([302, '/docs']);
});

test.each([
  ['PATCH', '/api/v2/remotes/x', 'GET, HEAD, PUT, DELETE'],
  ['POST', '/api/v2/remotes/x', 'GET, HEAD, PUT, DELETE'],
  ['DELETE', '/api/v2/config', 'GET, HEAD, POST'],
  ['PUT', '/health', 'GET, HEAD'],
] as const)('%s %s says what is possible instead', async (method, path, allow) => {
  const { status, headers, body } = await server.call(method, path);
  expect(status).toBe(405);
  expect(headers['allow']).toBe(allow);
  expect(body.code).toBe('unsupported');
});

test.each([
  ['/api/v2', 'There is nothing at /api/v2'],
  ['/api/v2/remotes/a/b/c', 'There is nothing at /api/v2/remotes/a/b/c'],
  ['/nobody/package', 'There is no repository called "nobody"'],
  ['/docs/x', 'There is nothing at /docs/x'],
])('%s is not there, as a problem', async (path, detail) => {
  const { status, body, type } = await server.get(path);
  expect([status, type, body.code]).toEqual([404, 'application/problem+json', 'not_found']);
  expect(body.detail).toContain(detail);
  expect(body.request_id).toMatch(/^[0-9a-f]{10}-/);
});

test.each([
  ['text/plain', 'x'],
  ['application/x-www-form-urlencoded', 'name=x'],
  ['application/xml', '<x/>'],
])('a body that comes as %s is refused', async (type, body) => {
  const answer = await server.put('/api/v2/remotes/x', body, { headers: { 'content-type': type } });
  expect(answer.status).toBe(415);
  expect(answer.body).toMatchObject({
    code: 'unsupported_media_type',
    detail: expect.stringContaining('send application/json'),
  });
});

test.each([
  ['no JSON', '{"name": "x",', 400, 'The body is not JSON'],
  [
    'deeper than anything of ours',
    `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    400,
    'The body is nested deeper than 40 levels.',
  ],
  [
    'of more than a megabyte',
    JSON.stringify({ name: 'x', description: 'x'.repeat(1024 * 1024) }),
    413,
    'The body is larger than 1 MB.',
  ],
])('a body that is %s is refused', async (_, body, status, detail) => {
  const answer = await server.put('/api/v2/remotes/x', body);
  expect(answer.status).toBe(status);
  expect(answer.body.detail).toContain(detail);
  expect((await server.get('/health')).status).toBe(200);
});

test('an address of 20 kB is too long, and says so', async () => {
  for (const path of [`/npm/${'a'.repeat(20_000)}`, `/api/v2/${'a'.repeat(20_000)}`]) {
    const { status, body } = await server.raw(path);
    expect(status).toBe(414);
    expect(JSON.parse(body).detail).toContain('longer than 8192 characters');
  }
});

test('an address that cannot be decoded is refused', async () => {
  for (const path of ['/npm/%ZZ', '/api/v2/%E0%A4%A']) {
    const { status, body } = await server.raw(path);
    expect([status, JSON.parse(body).code]).toEqual([400, 'invalid']);
  }
});

test('a request that wants to upgrade is answered as any other', async () => {
  const { status } = await server.raw('/health', { headers: { connection: 'upgrade', upgrade: 'websocket' } });
  expect(status).toBe(200);
});
