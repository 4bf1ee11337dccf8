import { createServer, type RequestListener } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { anUpstream, failure, get, listen, read, text } from './testing.ts';

async function serve(listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(listener))}`;
}

const echo: RequestListener = (request, response) =>
  response.end(JSON.stringify({ url: request.url, headers: request.headers }));

test('an answer of any status, with its headers', async () => {
  const url = await serve((_, response) => {
    response.writeHead(418, { 'X-Kind': 'teapot', 'Set-Cookie': ['a=1', 'b=2'] }).end('short and stout');
  });
  const response = await get(anUpstream(), `${url}/x`);
  expect(response).toMatchObject({
    status: 418,
    url: `${url}/x`,
    headers: { 'x-kind': 'teapot', 'set-cookie': 'a=1, b=2' },
  });
  expect((await read(response)).toString()).toBe('short and stout');
});

test('it says who it is, asks for plain bytes, and adds what the route and the caller say', async () => {
  const url = await serve(echo);
  const seen = async (headers: Record<string, string>): Promise<unknown> =>
    JSON.parse(
      await text(
        get(anUpstream(), `${url}/a%2fb?q=%20`, { headers: { 'x-team': 'builds', accept: 'of/route' } }, { headers }),
      ),
    );
  expect(await seen({})).toMatchObject({
    url: '/a%2fb?q=%20',
    headers: {
      'user-agent': 'entrepot/0 (+https://entrepot.test)',
      'accept-encoding': 'identity',
      'x-team': 'builds',
      accept: 'of/route',
    },
  });
  expect(await seen({ accept: 'of/caller', 'accept-encoding': 'gzip, br, deflate' })).toMatchObject({
    headers: { accept: 'of/caller', 'accept-encoding': 'gzip, br, deflate' },
  });
});

test('a POST carries its body', async () => {
  const url = await serve(async (request, response) => void response.end(`${request.method} ${await buffer(request)}`));
  expect(await text(get(anUpstream(), url, {}, { method: 'POST', body: Buffer.from('query') }))).toBe('POST query');
});

test('redirects are followed, and the answer says where it came from', async () => {
  const url = await serve((request, response) => {
    if (request.url === '/end') response.end('here');
    else response.writeHead(302, { location: request.url === '/start' ? 'middle' : '/end' }).end('x'.repeat(100));
  });
  const response = await get(anUpstream(), `${url}/start`);
  expect(response.url).toBe(`${url}/end`);
  expect((await read(response)).toString()).toBe('here');
});

test.each([
  ['in a circle', (path: string) => (path === '/a' ? '/b' : '/a')],
  ['to itself', (path: string) => path],
  ['on and on', (path: string) => `${path}a`],
])('redirects %s end', async (_, next) => {
  let asked = 0;
  const url = await serve((request, response) => {
    asked += 1;
    response.writeHead(302, { location: next(request.url ?? '') }).end();
  });
  expect(await failure(get(anUpstream(), `${url}/a`))).toMatchObject({
    failure: 'redirect_loop',
    message: expect.stringContaining('redirects in a circle or too often'),
  });
  expect(asked).toBeLessThanOrEqual(6);
});

test("the remote's headers go to its own origin only, the caller's credentials to where it asked only", async () => {
  const elsewhere = await serve(echo);
  const url = await serve((request, response) => {
    if (request.url === '/out') response.writeHead(302, { location: `${elsewhere}/x` }).end();
    else if (request.url === '/in') response.writeHead(302, { location: '/x' }).end();
    else echo(request, response);
  });
  const ask = async (
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ headers: Record<string, string> }> =>
    JSON.parse(
      await text(
        get(
          anUpstream(),
          `${url}${path}`,
          { headers: { authorization: 'Basic secret', 'x-team': 'builds' } },
          { headers },
        ),
      ),
    );

  expect((await ask('/in')).headers).toMatchObject({ authorization: 'Basic secret', 'x-team': 'builds' });
  const outside = (await ask('/out', { accept: 'a/b' })).headers;
  expect(outside['accept']).toBe('a/b');
  expect(outside).not.toHaveProperty('authorization');
  expect(outside).not.toHaveProperty('x-team');
  expect((await ask('/in', { authorization: 'Bearer own' })).headers['authorization']).toBe('Bearer own');
  expect((await ask('/out', { authorization: 'Bearer own' })).headers).not.toHaveProperty('authorization');
});

test('a request to another origin than the route belongs to goes without its headers', async () => {
  const url = await serve(echo);
  const answer = await text(
    get(anUpstream(), url, { origin: 'https://upstream.test', headers: { authorization: 'Basic secret' } }),
  );
  expect(JSON.parse(answer).headers).not.toHaveProperty('authorization');
});

test('connections are kept, also after an answer nobody wanted', async () => {
  const ports = new Set<number | undefined>();
  const url = await serve((request, response) => {
    ports.add(request.socket.remotePort);
    response.end('small');
  });
  const upstream = anUpstream();
  await text(get(upstream, url));
  await setImmediate();
  await (await get(upstream, url)).discard();
  await setImmediate();
  await text(get(upstream, url));
  expect(ports.size).toBe(1);
});

test('how long the connection and the answer took', async () => {
  const url = await serve((_, response) => response.end());
  const upstream = anUpstream();
  const first = await get(upstream, url);
  expect(first.timings.connect).toBeLessThanOrEqual(first.timings.firstByte);
  await read(first);
  await setImmediate();
  expect((await get(upstream, url)).timings.connect).toBeUndefined();
});

test('a request that is given up', async () => {
  const url = await serve(() => {});
  const before = new AbortController();
  const asked = failure(get(anUpstream(), `${url}/x?token=secret`, {}, { signal: before.signal }));
  before.abort();
  expect(await asked).toMatchObject({ failure: 'aborted' });
});

test('a transfer that is given up', async () => {
  const url = await serve((_, response) => void response.write('a part'));
  const during = new AbortController();
  const response = await get(anUpstream(), url, {}, { signal: during.signal });
  const reading = failure(read(response));
  during.abort();
  expect(await reading).toMatchObject({ failure: 'aborted' });
});

test('the upstream learns that nobody reads on', async () => {
  const left = Promise.withResolvers<void>();
  const url = await serve((_, response) => {
    response.once('close', left.resolve);
    response.write('a part');
  });
  for await (const _ of (await get(anUpstream(), url)).body()) break;
  await left.promise;
});

test.each(['ftp://upstream.test/x', 'upstream.test', '', 'http://'])('%s cannot be fetched', async (url) => {
  const route = { origin: 'https://upstream.test' };
  expect(
    await failure(anUpstream().request({ url, route: { ...route, headers: {}, allowPrivateNetwork: true, timeouts } })),
  ).toMatchObject({
    failure: 'protocol',
  });
});

test('closing ends what is under way', async () => {
  const arrived = Promise.withResolvers<void>();
  const url = await serve(() => arrived.resolve());
  const upstream = anUpstream();
  const asked = failure(get(upstream, url));
  await arrived.promise;
  await upstream.close();
  expect(await asked).toMatchObject({ name: 'UpstreamError' });
});

const timeouts = { connect: 1000, headers: 1000, idle: 1000 };
