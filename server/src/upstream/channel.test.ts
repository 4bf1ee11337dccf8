import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { anUpstream, failure, get, listen, read, text } from './testing.ts';

async function serve(listener: RequestListener): Promise<{ url: string; host: string }> {
  const host = `127.0.0.1:${await listen(createServer(listener))}`;
  return { url: `http://${host}`, host };
}

const once = { attempts: 0 };

test('an origin that does not answer is left alone for a while, then tried once', async () => {
  let isUp = false;
  let asked = 0;
  const held: ServerResponse[] = [];
  const { url, host } = await serve((request, response) => {
    asked += 1;
    if (isUp) held.push(response);
    else request.socket.destroy();
  });
  vi.useFakeTimers({ toFake: ['Date'], now: 0 });
  onTestFinished(() => void vi.useRealTimers());
  const upstream = anUpstream({ limits: { failures: 3, rest: 8000 }, retrying: once });
  for (let failed = 0; failed < 3; failed += 1)
    expect((await failure(get(upstream, url))).message).toContain('closed the connection');

  vi.setSystemTime(500);
  expect(await failure(get(upstream, url))).toMatchObject({
    failure: 'refused_connection',
    message: `${host} had no answer 3 times in a row and will be asked again in 8 s. ${host} closed the connection without an answer.`,
  });
  expect(asked).toBe(3);

  isUp = true;
  vi.setSystemTime(8000);
  const trial = get(upstream, url);
  while (held.length === 0) await new Promise(setImmediate);
  expect((await failure(get(upstream, url))).message).toContain('is being asked whether it is back');
  expect(asked).toBe(4);
  held[0]?.end('back');
  expect(await text(trial)).toBe('back');

  const next = get(upstream, url);
  while (held.length < 2) await new Promise(setImmediate);
  held[1]?.end('and well');
  expect(await text(next)).toBe('and well');
});

test('an origin that answers errors is an origin that answers', async () => {
  let asked = 0;
  const { url } = await serve((_, response) => {
    asked += 1;
    response.writeHead(500).end();
  });
  const upstream = anUpstream({ limits: { failures: 2 }, retrying: once });
  for (let count = 0; count < 4; count += 1) await (await get(upstream, url)).discard();
  expect(asked).toBe(4);
});

test('one origin being down is nothing to another', async () => {
  const dead = await serve((request) => request.socket.destroy());
  const alive = await serve((_, response) => response.end('alive'));
  const upstream = anUpstream({ limits: { failures: 1, rest: 60_000 }, retrying: once });
  await failure(get(upstream, dead.url));
  expect((await failure(get(upstream, dead.url))).message).toContain('asked again in 60 s');
  expect(await text(get(upstream, alive.url))).toBe('alive');
});

test('an origin gets so many requests at once, bodies included, and no more', async () => {
  const open: ServerResponse[] = [];
  const { url } = await serve((_, response) => {
    response.write('x');
    open.push(response);
  });
  const upstream = anUpstream({ limits: { concurrency: 2 } });
  const [first] = await Promise.all([get(upstream, `${url}/1`), get(upstream, `${url}/2`)]);
  const third = get(upstream, `${url}/3`);
  await new Promise((passed) => setTimeout(passed, 50));
  expect(open).toHaveLength(2);

  open[0]?.end();
  open[1]?.end();
  await read(first);
  expect((await third).status).toBe(200);
});

test("a route's own limit holds for it, and not for another to the same origin", async () => {
  const open: ServerResponse[] = [];
  const { url } = await serve((_, response) => {
    response.write('x');
    open.push(response);
  });
  const upstream = anUpstream();
  const first = await get(upstream, `${url}/1`, { concurrency: 1 });
  const second = get(upstream, `${url}/2`, { concurrency: 1 });
  expect((await get(upstream, `${url}/3`)).status).toBe(200);
  expect((await get(upstream, `${url}/4`)).status).toBe(200);
  expect(open).toHaveLength(3);
  open[0]?.end();
  await read(first);
  expect((await second).status).toBe(200);
});

test.each([
  ['read', async (url: string, upstream: ReturnType<typeof anUpstream>) => void (await text(get(upstream, url)))],
  ['discarded', async (url: string, upstream: ReturnType<typeof anUpstream>) => (await get(upstream, url)).discard()],
  [
    'left after a part',
    async (url: string, upstream: ReturnType<typeof anUpstream>) => {
      for await (const _ of (await get(upstream, url)).body()) break;
    },
  ],
  [
    'too large',
    async (url: string, upstream: ReturnType<typeof anUpstream>) =>
      void (await failure(read(await get(upstream, url), 10))),
  ],
  [
    'a HEAD',
    async (url: string, upstream: ReturnType<typeof anUpstream>) =>
      void (await get(upstream, url, {}, { method: 'HEAD' })),
  ],
  [
    'without a body',
    async (url: string, upstream: ReturnType<typeof anUpstream>) => void (await get(upstream, `${url}/empty`)),
  ],
  [
    'dropped',
    async (url: string, upstream: ReturnType<typeof anUpstream>) => void (await failure(get(upstream, `${url}/drop`))),
  ],
])('an answer that was %s makes place for the next', async (_, use) => {
  const { url } = await serve((request, response) => {
    if (request.url === '/drop') request.socket.destroy();
    else response.end(request.url === '/empty' ? '' : 'x'.repeat(200_000));
  });
  const upstream = anUpstream({ limits: { concurrency: 1, failures: 100 }, retrying: once });
  for (let count = 0; count < 3; count += 1) await use(url, upstream);
  expect((await text(get(upstream, url))).length).toBe(200_000);
});

test('who waits for a place may give up', async () => {
  const { url, host } = await serve((_, response) => void response.write('x'));
  const upstream = anUpstream({ limits: { concurrency: 1 } });
  const first = await get(upstream, url);
  const given = new AbortController();
  const second = failure(get(upstream, url, {}, { signal: given.signal }));
  given.abort();
  expect((await second).failure).toBe('aborted');
  const timeouts = { connect: 5000, headers: 5000, idle: 5000 };
  expect(first.status).toBe(200);
  const impatient = anUpstream({ limits: { concurrency: 1 } });
  await get(impatient, url, { timeouts: { ...timeouts, headers: 100 } });
  expect(await failure(get(impatient, url, { timeouts: { ...timeouts, headers: 100 } }))).toMatchObject({
    failure: 'timeout',
    message: `${host} already has all the requests it gets at once (1), and none of them came to an end.`,
  });
});
