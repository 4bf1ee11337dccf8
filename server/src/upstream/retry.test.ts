import { createServer, type RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { anUpstream, failure, get, listen, text } from './testing.ts';

/** Answers each request with the next of these. */
async function sequence(...answers: readonly RequestListener[]): Promise<{ url: string; asked: () => number }> {
  let asked = 0;
  const server = createServer((request, response) => {
    const answer = answers[Math.min(asked, answers.length - 1)] as RequestListener;
    asked += 1;
    answer(request, response);
  });
  return { url: `http://127.0.0.1:${await listen(server)}`, asked: () => asked };
}

const fine: RequestListener = (_, response) => response.end('fine');
const drop: RequestListener = (request) => request.socket.destroy();
const says =
  (status: number, retryAfter?: string): RequestListener =>
  (_, response) =>
    response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end('busy');

test.each([
  ['429', says(429)],
  ['502', says(502)],
  ['503', says(503)],
  ['504', says(504)],
  ['503 with Retry-After in seconds', says(503, '0')],
  ['503 with a Retry-After that has passed', says(503, 'Wed, 21 Oct 2015 07:28:00 GMT')],
  ['503 with a Retry-After that is none', says(503, 'soon')],
  ['a connection that is dropped', drop],
])('%s is asked again', async (_, first) => {
  const { url, asked } = await sequence(first, fine);
  expect(await text(get(anUpstream(), url))).toBe('fine');
  expect(asked()).toBe(2);
});

test.each([400, 401, 403, 404, 410, 500, 501])('%d is an answer', async (status) => {
  const { url, asked } = await sequence(says(status), fine);
  expect((await get(anUpstream(), url)).status).toBe(status);
  expect(asked()).toBe(1);
});

test('after two more the upstream has said what it has to say', async () => {
  const { url, asked } = await sequence(says(503));
  const response = await get(anUpstream(), url);
  expect(response).toMatchObject({ status: 503 });
  expect(await text(Promise.resolve(response))).toBe('busy');
  expect(asked()).toBe(3);
});

test('and so has one that drops every connection', async () => {
  const { url, asked } = await sequence(drop);
  expect(await failure(get(anUpstream(), url))).toMatchObject({
    failure: 'refused_connection',
    message: `${new URL(url).host} closed the connection without an answer.`,
  });
  expect(asked()).toBe(3);
});

test.each(['4', '3600', 'Fri, 31 Dec 2100 23:59:59 GMT'])(
  'Retry-After: %s is more than a client waits, so it is answered',
  async (after) => {
    const { url, asked } = await sequence(says(429, after), fine);
    const response = await get(anUpstream(), url);
    expect(response).toMatchObject({ status: 429, headers: { 'retry-after': after } });
    expect(asked()).toBe(1);
  },
);

test('what is waited adds up over redirects', async () => {
  const { url, asked } = await sequence(
    says(503),
    (_, response) => response.writeHead(302, { location: '/next' }).end(),
    says(503),
    says(503),
    fine,
  );
  expect((await get(anUpstream(), url)).status).toBe(503);
  expect(asked()).toBe(4);
});

test('a POST is sent once', async () => {
  const { url, asked } = await sequence(says(503), fine);
  expect((await get(anUpstream(), url, {}, { method: 'POST', body: Buffer.from('x') })).status).toBe(503);
  expect(asked()).toBe(1);
});

test('a timeout has cost patience enough', async () => {
  const { url, asked } = await sequence(() => {}, fine);
  expect(
    await failure(get(anUpstream(), url, { timeouts: { connect: 5000, headers: 200, idle: 5000 } })),
  ).toMatchObject({
    failure: 'timeout',
    message: `${new URL(url).host} did not answer within 200 ms.`,
  });
  expect(asked()).toBe(1);
});

test('a body that has begun is not asked for again', async () => {
  const { url, asked } = await sequence((request, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('a part', () => request.socket.destroySoon());
  }, fine);
  expect((await failure(text(get(anUpstream(), url)))).failure).toBe('truncated');
  expect(asked()).toBe(1);
});
