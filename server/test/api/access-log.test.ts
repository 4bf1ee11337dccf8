import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { type LogLine, readableLog } from '../support/log-lines.ts';
import { publish } from '../support/npm-package.ts';
import { documentedFields } from '../support/operations-doc.ts';
import { TestServer } from '../support/test-server.ts';

const TARBALL = '/npm/left-pad/-/left-pad-1.0.0.tgz';
const settings = { 'log.level': 'info', 'log.access': 'true', trusted_proxies: '127.0.0.1' };

/** Every field of a line that any of these tests wrote. */
const seen = new Set<string>();
let upstream: FakeUpstream;
let server: TestServer;
let logged: Awaited<ReturnType<typeof readableLog>>;
beforeEach(async () => {
  upstream = await FakeUpstream.start();
  logged = await readableLog();
  server = await TestServer.start({ settings, log: logged.log });
  publish(upstream, 'left-pad', [{ version: '1.0.0', tarball: Buffer.from('left-pad 1.0.0') }]);
  await server.remote('npm', 'npm', upstream.url);
});
afterEach(async () => {
  await server.stop();
  for (const message of ['request', 'upstream request'])
    for (const line of logged.lines(message)) for (const field of Object.keys(line)) seen.add(`${message}: ${field}`);
  await upstream.down();
});

/** The lines of a request, once it has ended. */
async function of(id: string, count = 1): Promise<readonly LogLine[]> {
  const found = () => logged.lines('request').filter(({ request_id }) => request_id === id);
  await expect.poll(() => found().length).toBe(count);
  return found();
}

const get = (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
  server.raw(path, { method, headers });

test('a request is one line: who asked for what, what it got, from whom, and how long that took', async () => {
  const { headers } = await get(TARBALL, { 'user-agent': 'npm/11', 'x-entrepot-consumer': 'ci/42' });
  const id = String(headers['x-request-id']);
  expect(await of(id)).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      msg: 'request',
      request_id: id,
      method: 'GET',
      url: TARBALL,
      repository: 'npm',
      format: 'npm',
      kind: 'artifact',
      status: 200,
      bytes: 14,
      duration_ms: expect.any(Number),
      ttfb_ms: expect.any(Number),
      result: 'miss',
      decision: 'allowed',
      principal: 'anonymous',
      consumer: 'ci/42',
      client: 'npm/11',
      address: '127.0.0.1',
      member: 'npm',
      upstream: new URL(upstream.url).host,
      upstream_ms: expect.any(Number),
    },
  ]);
});

test('what was asked of an upstream for it has lines of the same id', async () => {
  const { headers } = await get(TARBALL);
  const id = headers['x-request-id'];
  await of(String(id));
  const asked = logged.lines('upstream request').filter(({ request_id }) => request_id === id);
  const common = { repository: 'npm', host: new URL(upstream.url).host, method: 'GET', status: 200, attempt: 1 };
  expect(asked).toMatchObject([
    { ...common, path: '/left-pad' },
    { ...common, path: '/left-pad/-/left-pad-1.0.0.tgz', bytes: 14 },
  ]);
});

test('an answer out of memory has a line like the first one had', async () => {
  for (let asked = 0; asked < 3; asked++) await get(TARBALL, { 'user-agent': 'npm/11' });
  const { headers } = await get(TARBALL, { 'user-agent': 'npm/11' });
  const [line] = await of(String(headers['x-request-id']));
  expect(line).toMatchObject({
    url: TARBALL,
    repository: 'npm',
    format: 'npm',
    kind: 'artifact',
    status: 200,
    bytes: 14,
  });
  expect(line).toMatchObject({ result: 'hit', decision: 'allowed', principal: 'anonymous', client: 'npm/11' });
  const known = await get(TARBALL, { 'if-none-match': String(headers['etag']) });
  expect(await of(String(known.headers['x-request-id']))).toMatchObject([{ status: 304, bytes: 0, result: 'hit' }]);
});

test('a refusal says by which rule, and which decision that is', async () => {
  await server.put('/api/v2/blocks/b', { name: 'b', packages: ['pkg:npm/left-pad'], reason: 'no' });
  const { status, headers } = await get(TARBALL);
  expect(status).toBe(403);
  expect(await of(String(headers['x-request-id']))).toMatchObject([
    {
      status: 403,
      result: 'withheld',
      decision: 'refused',
      rule: 'block/b',
      decision_id: headers['x-entrepot-decision'],
    },
  ]);
});

test('a call of the management API says which route it found and what it changed', async () => {
  const { headers } = await server.put('/api/v2/virtuals/all', { name: 'all', format: 'npm', members: ['npm'] });
  expect(await of(String(headers['x-request-id']))).toMatchObject([
    {
      method: 'PUT',
      url: '/api/v2/virtuals/all',
      route: expect.stringMatching(/^\/api\/v2\//),
      status: 201,
      principal: 'admin',
      changes: [{ op: 'put', kind: 'virtual', name: 'all', revision: expect.any(Number) }],
    },
  ]);
});

test('of two that want the same at once, one is said to have waited for the other', async () => {
  const gate = upstream.hold('/left-pad/-/left-pad-1.0.0.tgz');
  const both = [get(TARBALL), get(TARBALL)];
  await expect.poll(() => upstream.requests.filter(({ path }) => path.endsWith('.tgz')).length).toBe(1);
  gate.open();
  const ids = (await Promise.all(both)).map(({ headers }) => String(headers['x-request-id']));
  const lines = (await Promise.all(ids.map((id) => of(id)))).flat();
  expect(lines.map(({ joined }) => joined)).toContain(true);
  const asked = logged.lines('upstream request').filter(({ path }) => String(path).endsWith('.tgz'));
  expect(asked).toHaveLength(1);
  expect(ids).toContain(asked[0]?.['request_id']);
});

test('an upstream that does not answer is said to, each time it is asked', async () => {
  await upstream.down();
  const { headers } = await get(TARBALL);
  const [line] = await of(String(headers['x-request-id']));
  expect(line).toMatchObject({ status: 502, result: 'upstream_unavailable', upstream: new URL(upstream.url).host });
  const asked = logged.lines('upstream request').filter(({ request_id }) => request_id === line?.['request_id']);
  expect(asked.map(({ failure, attempt }) => [failure, attempt])).toEqual([
    ['refused_connection', 1],
    ['refused_connection', 2],
    ['refused_connection', 3],
  ]);
});

test('who looks whether all is well has a line only when it is not', async () => {
  for (const path of ['/health', '/ready', '/health/live']) await get(path);
  const { headers } = await get('/nowhere');
  await of(String(headers['x-request-id']));
  expect(logged.lines('request').map(({ url }) => url)).not.toContain('/health');
});

test('an id that a trusted proxy gave is kept; one that is none is not', async () => {
  const { headers } = await get(TARBALL, { 'x-request-id': '0af7651916cd43dd-8448eb211c80319c' });
  expect(headers['x-request-id']).toBe('0af7651916cd43dd-8448eb211c80319c');
  await of('0af7651916cd43dd-8448eb211c80319c');
  expect(upstream.requests.flatMap(({ headers: sent }) => Object.keys(sent))).not.toContain('x-request-id');
  for (const bad of ['short', 'with "quotes" in it', 'x'.repeat(200), '{"a":1}xxxxx']) {
    const answer = await get(TARBALL, { 'x-request-id': bad });
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{10}-/);
  }
  const direct = await TestServer.start({ settings: { anonymous: 'read' } });
  const answer = await direct.raw('/health', { headers: { 'x-request-id': '0af7651916cd43dd-8448eb211c80319c' } });
  expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{10}-/);
  await direct.stop();
});

test('no credential reaches the log, wherever a client or a remote has it', async () => {
  const secret = 'hunter2-and-more-of-it';
  const basic = `Basic ${Buffer.from(`me:${secret}`).toString('base64')}`;
  const own = `Basic ${Buffer.from(`me:${server.token}`).toString('base64')}`;
  for (const headers of [
    { authorization: basic },
    { authorization: `Bearer ${secret}` },
    { authorization: secret },
    { 'x-api-key': secret },
    { authorization: own },
    { cookie: `session=${secret}` },
    { 'npm-otp': secret, 'npm-session': secret },
    { 'proxy-authorization': basic },
  ]) {
    for (const path of [TARBALL, '/npm/left-pad', '/npm/none', '/api/v2/config', '/v2/', '/health'])
      await get(path, headers);
  }
  for (const query of ['token', 'access_token', '_auth', '_authToken', '_password', 'X-Amz-Signature', 'api%5Fkey'])
    for (const path of [TARBALL, '/npm/left-pad', '/api/v2/pulls', '/v2/_token'])
      await get(`${path}?${query}=${secret}`);
  await get(`/npm/-/user/token/${secret}`, {}, 'DELETE');
  await get(`http://me:${secret}@127.0.0.1/npm/left-pad`);
  await get(`/npm/https://me:${secret}@upstream.test/x`);

  const closed = 'http://127.0.0.1:9';
  const cases: Readonly<Record<string, unknown>>[] = [
    { auth: { type: 'basic', username: 'me', password: secret } },
    { auth: { type: 'bearer', token: secret } },
    { auth: { type: 'header', name: 'x-secret', value: secret } },
    { headers: { 'x-secret': secret } },
    { proxy_url: closed, proxy_auth: { username: 'me', password: secret } },
    { url: closed, auth: { type: 'bearer', token: secret } },
    { url: `${upstream.url}/?token=${secret}` },
    { url: upstream.url.replace('//', `//me:${secret}@`) },
  ];
  for (const [index, spec] of cases.entries()) {
    const body = { name: `r${index}`, format: 'npm', url: upstream.url, allow_private_network: true, ...spec };
    const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
    await fetch(`${server.url}/api/v2/remotes/r${index}`, { method: 'PUT', headers, body: JSON.stringify(body) });
    await get(`/r${index}/left-pad`);
    await server.post('/api/v2/probe', { remote: `r${index}`, path: 'left-pad' });
  }
  const { headers } = await get('/npm/none');
  await of(String(headers['x-request-id']));
  for (const form of [secret, Buffer.from(`me:${secret}`).toString('base64'), encodeURIComponent(secret), server.token])
    expect(logged.text()).not.toContain(form);
  expect(logged.text()).not.toContain(own.slice(6));
  expect(logged.lines('request').length).toBeGreaterThan(60);
});

test('a client that goes away before the end is said to', async () => {
  const tarball = Buffer.alloc(300_000, 1);
  publish(upstream, 'large', [{ version: '1.0.0', tarball }]);
  const gate = upstream.hold('/large/-/large-1.0.0.tgz', { afterBytes: 100_000 });
  const client = request(`${server.url}/npm/large/-/large-1.0.0.tgz`, { agent: false }).end();
  const [response] = (await once(client, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  await once(response, 'data');
  response.destroy();
  const [line] = await of(String(response.headers['x-request-id']));
  expect(line).toMatchObject({ status: 200, aborted: true });
  gate.open();
});

test('every field that was seen here is documented, and every documented one was seen', () => {
  const of = (message: string) => documentedFields(message).map((field) => `${message}: ${field}`);
  const common = ['level', 'time', 'msg'].flatMap((field) => [`request: ${field}`, `upstream request: ${field}`]);
  expect([...seen].toSorted()).toEqual([...common, ...of('request'), ...of('upstream request')].toSorted());
});
