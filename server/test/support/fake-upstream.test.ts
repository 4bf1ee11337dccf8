import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FakeUpstream } from './fake-upstream.ts';
import { record } from './record.ts';

async function fake(): Promise<FakeUpstream> {
  const started = await FakeUpstream.start();
  onTestFinished(() => started.stop());
  return started;
}

const text = async (answer: Promise<Response>): Promise<string> => (await answer).text();

test('it says what was recorded, and was used as recorded', async () => {
  const upstream = (await fake()).respond('/x?y=1', { status: 201, headers: { 'x-kind': 'a' }, body: 'hello' });
  const answer = await fetch(`${upstream.url}/x?y=1`, { headers: { accept: 'a/b' } });
  expect(answer.status).toBe(201);
  expect(answer.headers.get('x-kind')).toBe('a');
  expect(await answer.text()).toBe('hello');
  expect(upstream.count('/x?y=1')).toBe(1);
  expect(upstream.requests[0]).toMatchObject({ method: 'GET', path: '/x?y=1', headers: { accept: 'a/b' } });
  upstream.verify();
});

test('a request nobody recorded fails, and so does a recording nobody used', async () => {
  const upstream = (await fake()).respond('/unused', { body: '' }).respond('/posted', { body: '' }, 'POST');
  expect((await fetch(`${upstream.url}/posted`)).status).toBe(599);
  expect(() => upstream.verify()).toThrow(
    'not recorded: GET /posted\n  recorded, never asked for: GET /unused\n  recorded, never asked for: POST /posted',
  );
});

test('HEAD is answered by what was recorded for GET', async () => {
  const upstream = (await fake()).respond('/x', { body: 'hello' });
  const answer = await fetch(`${upstream.url}/x`, { method: 'HEAD' });
  expect(answer.headers.get('content-length')).toBe('5');
  expect(upstream.count('/x', 'GET')).toBe(0);
  upstream.verify();
});

test('a reply may look at the request', async () => {
  const upstream = (await fake()).respond('/x', ({ body }) => ({ body: `got ${body.toString()}` }), 'POST');
  expect(await text(fetch(`${upstream.url}/x`, { method: 'POST', body: 'this' }))).toBe('got this');
});

test('a reply that cannot be made is told by verify', async () => {
  const upstream = (await fake()).respond('/x', () => {
    throw new Error('no reply');
  });
  await expect(fetch(`${upstream.url}/x`)).rejects.toThrow();
  expect(() => upstream.verify()).toThrow('could not be answered: Error: no reply');
});

test('conditions are honoured when there are validators', async () => {
  const lastModified = 'Wed, 21 Oct 2015 07:28:00 GMT';
  const upstream = (await fake())
    .respond('/tag', { body: 'x', etag: 'a' })
    .respond('/date', { body: 'x', lastModified });
  const ask = async (path: string, headers: Record<string, string>): Promise<number> =>
    (await fetch(`${upstream.url}${path}`, { headers })).status;
  expect(await ask('/tag', { 'if-none-match': '"a"' })).toBe(304);
  expect(await ask('/tag', { 'if-none-match': '"b"' })).toBe(200);
  expect(await ask('/date', { 'if-modified-since': lastModified })).toBe(304);
  expect(await ask('/date', { 'if-modified-since': 'Tue, 20 Oct 2015 07:28:00 GMT' })).toBe(200);
  upstream.quirk('*', { kind: 'no_validators' });
  const answer = await fetch(`${upstream.url}/tag`, { headers: { 'if-none-match': '"a"' } });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('etag')).toBeNull();
});

test('ranges are honoured when asked for', async () => {
  const upstream = (await fake())
    .respond('/ranged', { body: '0123456789', ranges: true })
    .respond('/whole', { body: '0123456789' });
  const part = await fetch(`${upstream.url}/ranged`, { headers: { range: 'bytes=3-5' } });
  expect(part.status).toBe(206);
  expect(part.headers.get('content-range')).toBe('bytes 3-5/10');
  expect(await part.text()).toBe('345');
  expect((await fetch(`${upstream.url}/whole`, { headers: { range: 'bytes=3-5' } })).status).toBe(200);
});

test('recorded folders are served with the address of the fake in them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'entrepot-fake-'));
  const body = JSON.stringify({ tarball: 'https://upstream.test/x/-/x-1.0.0.tgz' });
  await writeFile(join(folder, 'x.json'), body);
  await writeFile(join(folder, 'x.tgz'), Buffer.from('\x1f\x8bhttps://upstream.test', 'latin1'));
  await writeFile(
    join(folder, 'manifest.json'),
    JSON.stringify([
      { url: 'https://upstream.test/x', type: 'application/vnd.npm.install-v1+json', file: 'x.json', etag: 'a' },
      { url: 'https://upstream.test/x/-/x-1.0.0.tgz', type: 'application/octet-stream', file: 'x.tgz' },
      { url: 'https://upstream.test/old', status: 301, headers: { location: 'https://upstream.test/x' } },
    ]),
  );
  const upstream = (await fake()).load(folder);
  const answer = await fetch(`${upstream.url}/old`);
  expect(answer.headers.get('etag')).toBe('"a"');
  expect(await answer.json()).toEqual({ tarball: `${upstream.url}/x/-/x-1.0.0.tgz` });
  expect(await text(fetch(`${upstream.url}/x/-/x-1.0.0.tgz`))).toContain('https://upstream.test');
  upstream.verify();
  (await fake()).load(folder, []).verify();
});

test('what is recorded can be served, and names no host', async () => {
  const real = (await fake()).respond('/x?y', ({ headers }) => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ files: `http://${headers['host']}/file`, other: 'https://files.example/z' }),
    etag: 'a',
  }));
  const folder = await mkdtemp(join(tmpdir(), 'entrepot-record-'));
  await record({ folder, url: `${real.url}/x?y`, hosts: ['files.example'] });
  await record({ folder, url: `${real.url}/x?y`, hosts: ['files.example'] });
  expect(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'))).toEqual([
    { url: 'https://upstream.test/x?y', type: 'application/json', etag: 'a', file: 'x-y.json' },
  ]);
  const replay = (await fake()).load(folder);
  expect(await (await fetch(`${replay.url}/x?y`)).json()).toEqual({
    files: `${replay.url}/file`,
    other: `${replay.url}/z`,
  });
});

test('a length that is wrong', async () => {
  const upstream = (await fake()).respond('/x', { body: 'hello' }).quirk('/x', { kind: 'wrong_length', by: 3 }, 1);
  await expect(text(fetch(`${upstream.url}/x`))).rejects.toThrow();
  upstream.quirk('/x', { kind: 'wrong_length', by: -3 }, 1);
  expect(await text(fetch(`${upstream.url}/x`))).toBe('he');
  expect(await text(fetch(`${upstream.url}/x`))).toBe('hello');
});

test('a connection that ends midway, or at once', async () => {
  const upstream = (await fake()).respond('/x', { body: 'hello' }).quirk('/x', { kind: 'truncated', after: 3 }, 1);
  const answer = await fetch(`${upstream.url}/x`);
  const first = await answer.body?.getReader().read();
  expect(Buffer.from(first?.value ?? []).toString()).toBe('hel');
  upstream.quirk('/x', { kind: 'drop' });
  await expect(fetch(`${upstream.url}/x`)).rejects.toThrow();
});

test('a status, for one request or for all', async () => {
  const upstream = (await fake())
    .respond('/x', { body: 'hello' })
    .quirk('*', { kind: 'status', status: 503, retryAfter: 7 }, 1);
  const first = await fetch(`${upstream.url}/x`);
  expect(first.status).toBe(503);
  expect(first.headers.get('retry-after')).toBe('7');
  expect((await fetch(`${upstream.url}/x`)).status).toBe(200);
  upstream.quirk('*', { kind: 'status', status: 500 });
  expect((await fetch(`${upstream.url}/x`)).status).toBe(500);
  expect((await fetch(`${upstream.calm().url}/x`)).status).toBe(200);
});

test('redirects elsewhere, and in a circle', async () => {
  const other = (await fake()).respond('/y', { body: 'elsewhere' });
  const upstream = (await fake())
    .respond('/x', { body: 'here' })
    .quirk('/x', { kind: 'redirect', to: `${other.url}/y` }, 1);
  expect(await text(fetch(`${upstream.url}/x`))).toBe('elsewhere');
  upstream.quirk('/x', { kind: 'redirect', to: 'loop' });
  const first = await fetch(`${upstream.url}/x`, { redirect: 'manual' });
  const second = await fetch(first.headers.get('location') ?? '', { redirect: 'manual' });
  expect(second.headers.get('location')).toBe(`${upstream.url}/x`);
  expect(first.headers.get('location')).not.toBe(`${upstream.url}/x`);
});

test('a login page in place of a file', async () => {
  const upstream = (await fake()).respond('/x.tgz', { body: 'bytes' }).quirk('/x.tgz', { kind: 'login_page' });
  const answer = await fetch(`${upstream.url}/x.tgz`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
});

test('a gzip that unpacks to a lot', async () => {
  const upstream = (await fake()).respond('/x', { body: '' }).quirk('/x', { kind: 'gzip_bomb', size: 10_000_000 });
  const answer = await fetch(`${upstream.url}/x`);
  expect((await answer.bytes()).length).toBe(10_000_000);
});

test('a body that never ends, and what it begins with', async () => {
  const upstream = (await fake())
    .respond('/x', { body: 'hello' })
    .quirk('/x', { kind: 'slow', pieceMs: 1, pieceSize: 1, endless: true });
  const given = new AbortController();
  const answer = await fetch(`${upstream.url}/x`, { signal: given.signal });
  let received = '';
  for await (const chunk of answer.body ?? []) {
    received += Buffer.from(chunk).toString();
    if (received.length > 10) break;
  }
  given.abort();
  expect(received).toMatch(/^hello {6}/);
});

test('answers wait at a gate until it is opened', async () => {
  const upstream = (await fake()).respond('/x', { body: 'hello' });
  const gate = upstream.hold('/x');
  const done: string[] = [];
  const asked = [1, 2, 3].map(async () => done.push(await text(fetch(`${upstream.url}/x`))));
  await gate.arrived(3);
  expect(done).toEqual([]);
  gate.open();
  await Promise.all(asked);
  expect(done).toEqual(['hello', 'hello', 'hello']);
  expect(await text(fetch(`${upstream.url}/x`))).toBe('hello');
});

test('or in the middle of a body', async () => {
  const upstream = (await fake()).respond('/x', { body: 'hello' });
  const gate = upstream.hold('/x', { afterBytes: 2 });
  const reader = (await fetch(`${upstream.url}/x`)).body?.getReader();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('he');
  await gate.arrived();
  gate.open();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('llo');
});

test('it goes down and comes back at the same address', async () => {
  const upstream = (await fake()).respond('/x', { body: 'hello' });
  const { url } = upstream;
  expect(await text(fetch(`${url}/x`))).toBe('hello');
  await upstream.down();
  await expect(fetch(`${url}/x`)).rejects.toThrow();
  await upstream.up();
  expect(await text(fetch(`${url}/x`))).toBe('hello');
  expect(upstream.url).toBe(url);
  expect(upstream.count('/x')).toBe(2);
});
