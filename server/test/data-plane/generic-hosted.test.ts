import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HostedClient } from '../support/hosted-client.ts';
import { TestServer } from '../support/test-server.ts';

let server: TestServer;
let own: HostedClient;

beforeEach(async () => {
  server = await TestServer.start();
  await server.put('/api/v2/hosted/own', { format: 'generic' });
  await server.virtual('all', 'generic', ['own']);
  own = new HostedClient(server, 'own');
});
afterEach(() => server.stop());

const RELEASE = 'tools/1.2.0/tool-1.2.0.tar.gz';

async function statusOf(
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<number> {
  return (await own.send(method, path, body, headers)).status;
}

async function textAt(path: string, client = own): Promise<[number, string]> {
  const answer = await client.send('GET', path);
  return [answer.status, answer.status === 200 ? await answer.text() : ''];
}

const digest = (algorithm: string, text: string, encoding: 'hex' | 'base64') =>
  createHash(algorithm).update(text).digest(encoding);

test('a file comes back as it was sent, here and through a virtual, by GET, HEAD and Range', async () => {
  const made = await own.send('PUT', RELEASE, 'some bytes', { 'content-type': 'application/gzip' });
  expect(made.status).toBe(201);
  const answer = await own.send('GET', RELEASE);
  expect(await answer.text()).toBe('some bytes');
  expect(answer.headers.get('content-type')).toBe('application/gzip');
  expect(answer.headers.get('etag')).toBe(made.headers.get('etag'));
  expect(answer.headers.get('x-entrepot-digest')).toBe(`sha256:${digest('sha256', 'some bytes', 'hex')}`);
  const head = await own.send('HEAD', RELEASE);
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '10', '']);
  const part = await own.send('GET', RELEASE, undefined, { range: 'bytes=5-' });
  expect([part.status, await part.text()]).toEqual([206, 'bytes']);
  expect(await textAt(RELEASE, new HostedClient(server, 'all'))).toEqual([200, 'some bytes']);
});

test('every digest that is announced must hold', async () => {
  const text = 'some bytes';
  const right: readonly Record<string, string>[] = [
    { 'content-digest': `sha-256=:${digest('sha256', text, 'base64')}:` },
    { 'repr-digest': `sha-512=:${digest('sha512', text, 'base64')}:, unixsum=:AAA=:` },
    { digest: `SHA-256=${digest('sha256', text, 'base64')}` },
    { 'content-md5': digest('md5', text, 'base64') },
    { 'x-checksum-sha256': digest('sha256', text, 'hex').toUpperCase() },
    { 'x-checksum-sha1': digest('sha1', text, 'hex'), 'x-checksum-md5': digest('md5', text, 'hex') },
  ];
  for (const [at, headers] of right.entries()) {
    expect(await statusOf('PUT', `wrong/${at}`, 'other bytes', headers)).toBe(400);
    expect(await statusOf('GET', `wrong/${at}`)).toBe(404);
    expect(await statusOf('PUT', `right/${at}`, text, headers)).toBe(201);
    expect(await textAt(`right/${at}`)).toEqual([200, text]);
  }
  for (const headers of [
    { 'content-digest': 'sha-256' },
    { 'content-digest': 'sha-256=:YQ==:' },
    { 'x-checksum-sha256': 'zz' },
  ])
    expect(await statusOf('PUT', 'malformed', text, headers)).toBe(400);
  expect(await statusOf('GET', 'malformed')).toBe(404);
});

test.each([RELEASE, 'notes/readme.txt'])('%s gets no other bytes, and the same again is no news', async (path) => {
  expect(await statusOf('PUT', path, 'first')).toBe(201);
  expect(await statusOf('PUT', path, 'first')).toBe(200);
  const other = await own.send('PUT', path, 'second');
  expect([other.status, await other.text()]).toEqual([409, expect.stringContaining('with other bytes')]);
  expect(await textAt(path)).toEqual([200, 'first']);
});

test('of ten that are sent at once one is there', async () => {
  const statuses = await Promise.all(Array.from({ length: 10 }, (_, n) => statusOf('PUT', RELEASE, `bytes ${n}`)));
  expect(statuses.sort()).toEqual([201, ...Array(9).fill(409)]);
});

test('a name that moves gets other bytes', async () => {
  expect(await statusOf('PUT', 'nightly/tool.tar.gz', 'monday')).toBe(201);
  expect(await textAt('nightly/tool.tar.gz')).toEqual([200, 'monday']);
  expect(await statusOf('PUT', 'nightly/tool.tar.gz', 'tuesday')).toBe(200);
  expect(await textAt('nightly/tool.tar.gz')).toEqual([200, 'tuesday']);
});

test('what is removed is gone at once; only what looks like no release may come back with other bytes', async () => {
  for (const path of [RELEASE, 'notes/readme.txt']) {
    await own.send('PUT', path, 'first');
    for (let again = 0; again < 3; again += 1) expect(await textAt(path)).toEqual([200, 'first']);
    expect(await statusOf('DELETE', path)).toBe(204);
    expect(await statusOf('GET', path)).toBe(404);
    expect(await statusOf('DELETE', path)).toBe(404);
  }
  expect(await statusOf('PUT', 'notes/readme.txt', 'second')).toBe(201);
  expect(await textAt('notes/readme.txt')).toEqual([200, 'second']);
  expect(await statusOf('PUT', RELEASE, 'second')).toBe(409);
  expect(await statusOf('PUT', RELEASE, 'first')).toBe(201);
  expect(await textAt(RELEASE)).toEqual([200, 'first']);
});

test('who may not, and what cannot be', async () => {
  const stranger = new HostedClient({ url: server.url, token: 'entrepot_wrong' }, 'own');
  expect((await stranger.send('PUT', RELEASE, 'x')).status).toBe(401);
  expect((await fetch(`${server.url}/own/${RELEASE}`, { method: 'PUT', body: 'x' })).status).toBe(401);
  expect((await fetch(`${server.url}/own/${RELEASE}`, { method: 'DELETE' })).status).toBe(401);
  const virtual = new HostedClient(server, 'all');
  for (const method of ['PUT', 'DELETE']) expect((await virtual.send(method, RELEASE)).status).toBe(405);
  expect(await statusOf('PUT', 'folder/', 'x')).toBe(400);
  expect(await statusOf('PUT', '', 'x')).toBe(400);
  expect(await statusOf('PUT', `${RELEASE}?x=1`, 'x')).toBe(400);
  expect(await statusOf('PUT', RELEASE, 'x', { 'content-range': 'bytes 0-0/9' })).toBe(400);
  expect(await statusOf('GET', RELEASE)).toBe(404);
});
