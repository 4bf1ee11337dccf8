import { createServer, type RequestListener } from 'node:http';
import { createServer as createRawServer } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { anUpstream, failure, get, listen, read, text } from './testing.ts';

const PLAIN = Buffer.from('plain '.repeat(50_000));

async function serve(listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(listener))}`;
}

/** Says exactly this, then ends the connection. */
async function say(...lines: (string | Buffer)[]): Promise<string> {
  const server = createRawServer((socket) => {
    socket.once('data', () => {
      for (const line of lines) socket.write(line);
      socket.end();
    });
  });
  return `http://127.0.0.1:${await listen(server)}`;
}

test.each([
  ['gzip', gzipSync(PLAIN)],
  ['x-gzip', gzipSync(PLAIN)],
  ['GZIP', gzipSync(PLAIN)],
  ['br', brotliCompressSync(PLAIN)],
  ['deflate', deflateSync(PLAIN)],
  ['zstd', zstdCompressSync(PLAIN)],
  ['gzip, br', brotliCompressSync(gzipSync(PLAIN))],
  ['identity', PLAIN],
])('Content-Encoding %s is undone', async (encoding, bytes) => {
  const url = await serve((_, response) => {
    response.writeHead(200, { 'content-encoding': encoding, 'content-length': bytes.length, etag: '"x"' }).end(bytes);
  });
  const response = await get(anUpstream(), url);
  expect(response.headers).toMatchObject({ etag: '"x"' });
  expect(response.headers).not.toHaveProperty('content-encoding');
  const length = response.headers['content-length'];
  const body = await read(response);
  expect(body.equals(PLAIN)).toBe(true);
  expect(length === undefined || Number(length) === body.length).toBe(true);
});

test.each([
  ['gzip', gzipSync(PLAIN).subarray(0, 100), 'truncated', /without its end/],
  ['gzip', Buffer.from('this is no gzip at all'), 'protocol', /not what its Content-Encoding says/],
  ['br', Buffer.from('this is no brotli at all'), 'protocol', /not what its Content-Encoding says/],
  ['zstd', Buffer.from('this is no zstd at all'), 'protocol', /not what its Content-Encoding says/],
  ['compress', PLAIN, 'protocol', /"compress", which it was not asked for/],
  ['gzip, gzip, gzip, gzip', PLAIN, 'protocol', /packed 4 times over/],
])('Content-Encoding %s that is none breaks the body', async (encoding, bytes, kind, message) => {
  const url = await serve((_, response) => void response.writeHead(200, { 'content-encoding': encoding }).end(bytes));
  expect(await failure(text(get(anUpstream(), url)))).toMatchObject({
    failure: kind,
    message: expect.stringMatching(message),
  });
});

test('a small gzip that unpacks to a lot stops at the limit, and the next request is served', async () => {
  const bomb = gzipSync(Buffer.alloc(60 * 1024 * 1024));
  const url = await serve((request, response) => {
    if (request.url === '/') response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    else response.end('fine');
  });
  const upstream = anUpstream();
  const response = await get(upstream, url);
  let size = 0;
  const reading = async (): Promise<void> => {
    for await (const chunk of response.body(1024 * 1024)) size += chunk.length;
  };
  expect(await failure(reading())).toMatchObject({
    failure: 'too_large',
    message: expect.stringContaining('the limit is 1048576'),
  });
  expect(size).toBeLessThanOrEqual(1024 * 1024);
  expect(await text(get(upstream, `${url}/next`))).toBe('fine');
});

test('a body that says it is too large is not read', async () => {
  const url = await serve((_, response) => void response.writeHead(200, { 'content-length': 2000 }).write('x'));
  const response = await get(anUpstream(), url);
  expect(await failure(read(response, 1999))).toMatchObject({ failure: 'too_large' });
});

test('a body of just the limit is read', async () => {
  const url = await serve((_, response) => void response.end('x'.repeat(2000)));
  expect((await read(await get(anUpstream(), url), 2000)).length).toBe(2000);
});

test.each([
  ['before Content-Length bytes', ['HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n', 'only this']],
  ['before the last chunk', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '5\r\nhello\r\n']],
])('a connection lost %s', async (_, lines) => {
  const response = await get(anUpstream(), await say(...lines));
  expect(await failure(read(response))).toMatchObject({
    failure: 'truncated',
    message: expect.stringContaining('broke off'),
  });
});

test('more than Content-Length bytes: what was announced is what is read', async () => {
  const url = await say('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and much more');
  expect(await text(get(anUpstream(), url))).toBe('hello');
});

test('two different lengths are no answer', async () => {
  const url = await say('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!');
  expect(await failure(get(anUpstream(), url))).toMatchObject({ failure: 'protocol' });
});

test('a body that stops coming', async () => {
  const url = await serve((_, response) => void response.write('a part'));
  const response = await get(anUpstream(), url, { timeouts: { connect: 5000, headers: 5000, idle: 200 } });
  expect(await failure(read(response))).toMatchObject({
    failure: 'timeout',
    message: expect.stringContaining('sent nothing for 200 ms'),
  });
});

test('a slow body is read for as long as something comes', async () => {
  const url = await serve((_, response) => {
    let left = 5;
    const timer = setInterval(() => {
      response.write('x');
      left -= 1;
      if (left > 0) return;
      clearInterval(timer);
      response.end();
    }, 100);
  });
  const response = await get(anUpstream(), url, { timeouts: { connect: 5000, headers: 5000, idle: 400 } });
  expect((await read(response)).toString()).toBe('xxxxx');
});

test('what is large or endless is not read to be discarded', async () => {
  const left = Promise.withResolvers<void>();
  const url = await serve((_, response) => {
    response.once('close', left.resolve);
    response.write('x'.repeat(1000));
  });
  await (await get(anUpstream(), url)).discard();
  await left.promise;
});

test.each([204, 304])('a %d has no body', async (status) => {
  const url = await serve((_, response) => void response.writeHead(status, { etag: '"x"' }).end());
  const response = await get(anUpstream(), url);
  expect(response.headers['etag']).toBe('"x"');
  expect((await read(response)).length).toBe(0);
});

test('a HEAD says what a GET would', async () => {
  const url = await serve((_, response) => void response.writeHead(200, { 'content-length': 12_345 }).end());
  const response = await get(anUpstream(), url, {}, { method: 'HEAD' });
  expect(response.headers['content-length']).toBe('12345');
  expect((await read(response, 10)).length).toBe(0);
});
