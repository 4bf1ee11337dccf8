import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answered, ask } from '../support/ask.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { Plane } from '../support/plane.ts';
import { RawClient, rawly } from '../support/raw-client.ts';
import { TestServer } from '../support/test-server.ts';

const KB = 1024;
const big = randomBytes(20_000_000);
const middling = randomBytes(3_000_000);
const small = randomBytes(1000);

let upstream: FakeUpstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  server = await TestServer.start();
  await server.remote('files', 'generic', upstream.url);
  await server.remote('modules', 'npm', upstream.url);
  for (const name of ['a', 'b', 'c']) upstream.respond(`/${name}-1.0.zip`, { body: `this is ${name}` });
  upstream.respond('/small-1.0.zip', { body: small }).respond('/big-1.0.zip', { body: big });
  publish(upstream, 'widget', [{ version: '1.0.0', tarball: small }]);
});

afterAll(async () => {
  await server.stop();
  await upstream.stop();
});

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const get = (path: string, headers?: Readonly<Record<string, string>>, method?: string) =>
  ask(`${server.url}${path}`, headers, method);
const line = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n`;
const LAST = 'Connection: close\r\n';

async function expectWorking(): Promise<void> {
  const answer = await get('/files/a-1.0.zip');
  expect([answer.status, answer.body.toString()]).toEqual([200, 'this is a']);
}

describe('a request that is none', () => {
  test.each([
    ['an address of 8 kB and a bit', line(`/files/${'x'.repeat(8 * KB)}`, LAST), 414],
    ['no Host', 'GET /files/a-1.0.zip HTTP/1.1\r\n\r\n', 400],
    ['a version of another time', 'GET /files/a-1.0.zip HTTP/9.9\r\nHost: a\r\n\r\n', 400],
    ['a method nobody knows', 'BREW /files/a-1.0.zip HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a space before the colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 400],
    ['a header over two lines', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\nConnection: close\r\n\r\n', 400],
    ['a negative length', line('/files/a-1.0.zip', 'Content-Length: -1\r\n'), 400],
    ['a bare NUL', 'GET /files/\0 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['the beginning of TLS', Buffer.from('1603010200010001fc0303', 'hex'), 400],
  ])('with %s is refused, and its connection ended', async (_what, request, status) => {
    expect(await rawly(server.url, request)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    await expectWorking();
  });

  test.each([
    ['headers', line('/files/a-1.0.zip', `X-Long: ${'x'.repeat(64 * KB)}\r\n`)],
    ['credentials', line('/files/a-1.0.zip', `Authorization: Bearer ${'x'.repeat(64 * KB)}\r\n`)],
    ['address', line(`/files/${'x'.repeat(64 * KB)}`)],
  ])('with 64 kB of %s is cut off, with the reason where that still arrives', async (_what, request) => {
    expect(await rawly(server.url, request)).toMatch(/^$|^HTTP\/1\.1 431 /);
    await expectWorking();
  });

  test.each([
    ['many segments', `/files/${'a/'.repeat(2000)}a-1.0.zip`],
    ['8,000 characters', `/files/${'x'.repeat(7900)}.zip`],
    ['another host in it', `${'http://evil.test'}/files/a-1.0.zip`],
    ['two slashes', '//evil.test/files/a-1.0.zip'],
    ['an asterisk', '*'],
    ['a fragment', '/files/#/../modules/widget'],
  ])('that has an address with %s gets an error of its own', async (_what, path) => {
    const said = await rawly(server.url, line(path, LAST));
    expect(said).toMatch(/^HTTP\/1\.1 (4\d\d|502) /);
    expect(said).not.toContain('this is a');
    await expectWorking();
  });

  test('half of one, and the client gone, is nothing', async () => {
    for (const part of ['G', 'GET /files', line('/files/a-1.0.zip').slice(0, -2)]) {
      const client = await RawClient.open(server.url);
      client.send(part).socket.end();
      expect((await client.all()).toString()).toMatch(/^$|^HTTP\/1\.1 400 /);
    }
    await expectWorking();
  });
});

describe('several requests on one connection', () => {
  const bodies = (said: string) => said.match(/this is [abc]/g);

  test.each(['cold', 'warm'])('sent before the first is answered are answered in their order (%s)', async () => {
    const paths = ['a', 'b', 'c', 'b', 'a'].map((name) => `/files/${name}-1.0.zip`);
    const sent = paths.map((path, at) => line(path, at === paths.length - 1 ? LAST : ''));
    const said = await rawly(server.url, sent.join(''));
    expect(said.match(/HTTP\/1\.1 200 /g)).toHaveLength(5);
    expect(bodies(said)).toEqual(['this is a', 'this is b', 'this is c', 'this is b', 'this is a']);
  });

  const within = line('/files/c-1.0.zip');

  test.each([
    ['a length', `Content-Length: ${within.length}\r\n`, within],
    ['chunks', 'Transfer-Encoding: chunked\r\n', `${within.length.toString(16)}\r\n${within}\r\n0\r\n\r\n`],
  ])('do not come out of the body of a GET with %s', async (_what, headers, body) => {
    for (const path of ['/files/a-1.0.zip', '/modules/widget', '/files/none?x']) {
      const said = await rawly(server.url, `${line(path, headers)}${body}${line('/files/b-1.0.zip', LAST)}`);
      expect(said.match(/HTTP\/1\.1 \d\d\d /g)).toHaveLength(2);
      expect(bodies(said)?.at(-1)).toBe('this is b');
      expect(said).not.toContain('this is c');
    }
  });

  test('a GET with a megabyte of body is answered as without', async () => {
    const body = 'x'.repeat(1_000_000);
    const said = await rawly(
      server.url,
      `${line('/files/a-1.0.zip', `Content-Length: ${body.length}\r\n${LAST}`)}${body}`,
    );
    expect(said).toMatch(/^HTTP\/1\.1 200 .*this is a$/s);
  });

  test('a GET that waits to be told to go on is told', async () => {
    const headers = `Expect: 100-continue\r\nContent-Length: 3\r\n${LAST}`;
    expect(await rawly(server.url, `${line('/files/a-1.0.zip', headers)}abc`)).toMatch(/HTTP\/1\.1 200 .*this is a$/s);
  });
});

describe('a client that', () => {
  test('closes its half of the connection gets what could be sent, and the file is fetched to its end', async () => {
    upstream.respond('/half-1.0.zip', { body: middling });
    const gate = upstream.hold('/half-1.0.zip', { afterBytes: 100_000 });
    const client = await RawClient.open(server.url);
    client.send(line('/files/half-1.0.zip', LAST));
    await once(client.socket, 'data');
    client.socket.end();
    gate.open();
    const said = await client.all();
    const got = said.subarray(said.indexOf('\r\n\r\n') + 4);
    expect(got.equals(middling.subarray(0, got.length))).toBe(true);
    expect((await get('/files/half-1.0.zip')).body.equals(middling)).toBe(true);
    expect(upstream.count('/half-1.0.zip')).toBe(1);
  });

  test('stops reading holds nobody up, and gets the rest when it goes on', async () => {
    const slow = await RawClient.open(server.url);
    slow.socket.pause();
    slow.send(line('/files/big-1.0.zip', LAST));
    const others = await Promise.all(Array.from({ length: 3 }, () => get('/files/big-1.0.zip')));
    for (const { body } of others) expect(sha256(body)).toBe(sha256(big));
    expect(upstream.count('/big-1.0.zip')).toBe(1);
    slow.socket.resume();
    const said = await slow.all();
    expect(sha256(said.subarray(said.indexOf('\r\n\r\n') + 4))).toBe(sha256(big));
  });

  test('goes away in the middle takes nothing from the others', async () => {
    upstream.respond('/left-1.0.zip', { body: middling });
    const gate = upstream.hold('/left-1.0.zip', { afterBytes: 100_000 });
    const leaving = await Promise.all(Array.from({ length: 20 }, () => RawClient.open(server.url)));
    for (const client of leaving) client.send(line('/files/left-1.0.zip'));
    await Promise.all(leaving.map(({ socket }) => once(socket, 'data')));
    const staying = get('/files/left-1.0.zip');
    for (const { socket } of leaving) socket.resetAndDestroy();
    gate.open();
    expect((await staying).body.equals(middling)).toBe(true);
    expect(upstream.count('/left-1.0.zip')).toBe(1);
  });

  test('sends its request a byte at a time holds nobody up', async () => {
    const slow = await Promise.all(Array.from({ length: 200 }, () => RawClient.open(server.url)));
    const text = line('/files/b-1.0.zip', LAST);
    for (const character of text.slice(0, 30)) {
      for (const client of slow) client.send(character);
      await expectWorking();
    }
    const answers = await Promise.all(slow.map((client) => client.send(text.slice(30)).all()));
    for (const answer of answers) expect(answer.toString()).toMatch(/this is b$/);
  });
});

test('a thousand connections on which nothing happens do not keep one client from working', async () => {
  const idle = await Promise.all(Array.from({ length: 1000 }, () => RawClient.open(server.url)));
  for (const client of idle.slice(500)) client.send(line('/files/a-1.0.zip'));
  await Promise.all(idle.slice(500).map(({ socket, received }) => received.length > 0 || once(socket, 'data')));
  upstream.respond('/busy-1.0.zip', { body: middling });
  expect((await get('/files/busy-1.0.zip')).body.equals(middling)).toBe(true);
  expect((await get('/modules/widget')).status).toBe(200);
  await expectWorking();
  expect(idle.filter(({ socket }) => socket.readyState === 'open')).toHaveLength(1000);
  for (const client of idle) client.close();
});

test('what went with one remote stays where another has just taken it in', async () => {
  const gate = Promise.withResolvers<void>();
  const plane = await Plane.start({
    ledger: (ledger) => {
      const evict = ledger.evict.bind(ledger);
      ledger.evict = async (filter) => {
        const evicted = await evict(filter);
        await gate.promise;
        return evicted;
      };
      return ledger;
    },
  });
  plane.remote('going', 'generic', upstream.url).remote('staying', 'generic', upstream.url);
  expect((await ask(`${plane.url}/going/small-1.0.zip`)).status).toBe(200);
  plane.withdraw('going');
  await expect.poll(() => plane.ledger.object('going', 'small-1.0.zip')).toBeUndefined();
  // It may be made to wait until the other is gone.
  const taken = ask(`${plane.url}/staying/small-1.0.zip`);
  await Promise.race([taken, sleep(500)]);
  gate.resolve();
  expect((await taken).status).toBe(200);
  await sleep(200);
  expect(await plane.store.stat(`sha256:${sha256(small)}`)).toBeDefined();
  await plane.stop();
});

describe.each([
  ['with a length', {}],
  ['in chunks', { kind: 'says', headers: { 'content-length': undefined } } as const],
])('while a file arrives %s', (what, quirk) => {
  const path = `/tarball/-/tarball-${what.length}.0.0.tgz`;
  let first: Promise<Answered>;
  let open: () => void;

  beforeAll(async () => {
    publish(upstream, 'tarball', [{ version: `${what.length}.0.0`, tarball: middling }]);
    await server.remote(`arriving-${what.length}`, 'npm', upstream.url);
    if ('kind' in quirk) upstream.quirk(path, quirk);
    const gate = upstream.hold(path, { afterBytes: 100_000 });
    open = () => gate.open();
    first = of('GET');
    await gate.arrived();
  });

  const of = (method: string, headers: Readonly<Record<string, string>> = {}) =>
    get(`/arriving-${what.length}${path}`, headers, method);
  const whole = 'kind' in quirk;

  test('HEAD is answered at once', async () => {
    const { status, headers, body } = await of('HEAD');
    expect([status, headers['content-length'], body.length]).toEqual([200, whole ? undefined : '3000000', 0]);
  });

  test('what is the same already is said to be, at once', async () => {
    const { headers } = await of('HEAD');
    expect((await of('GET', { 'if-none-match': String(headers.etag) })).status).toBe(304);
  });

  if (!whole)
    test('a range of what is here is answered at once', async () => {
      const { status, headers, body } = await of('GET', { range: 'bytes=10-19' });
      expect([status, headers['content-range']]).toEqual([206, 'bytes 10-19/3000000']);
      expect(body.equals(middling.subarray(10, 20))).toBe(true);
    });

  test('ranges of what is not here yet, and whole files, are answered when it is', async () => {
    const last = of('GET', { range: 'bytes=-10' });
    const middle = of('GET', { range: 'bytes=2000000-2000009' });
    const beyond = of('GET', { range: 'bytes=3000000-' });
    const otherwise = of('GET', { range: 'bytes=0-9', 'if-range': '"another"' });
    open();
    for (const [answer, from, to] of [
      [await last, 2_999_990, 3_000_000],
      [await middle, 2_000_000, 2_000_010],
    ] as const) {
      expect(answer.complete).toBe(true);
      expect(answer.body.equals(answer.status === 206 ? middling.subarray(from, to) : middling)).toBe(true);
      expect(answer.status).toBe(whole ? 200 : 206);
    }
    expect((await beyond).status).toBe(whole ? 200 : 416);
    expect((await otherwise).body.equals(middling)).toBe(true);
    expect((await first).body.equals(middling)).toBe(true);
    expect(upstream.count(path)).toBe(1);
  });
});

const RANGES = [
  'bytes=0-',
  'bytes=0-0',
  'bytes=999-',
  'bytes=999-999',
  'bytes=-1',
  'bytes=-1000',
  'bytes=-5000',
  'bytes=-0',
  'bytes=1000-',
  'bytes=1000-1000',
  'bytes=5-2',
  'bytes=0-99999999999999999999999999',
  'bytes=99999999999999999999999999-',
  'bytes=-99999999999999999999999999',
  'bytes=9007199254740993-9007199254740995',
  'bytes=1e2-1e3',
  'bytes=0x1-0x2',
  'bytes=+1-2',
  'bytes=--1',
  'bytes=-',
  'bytes=',
  'bytes',
  'bytes=a-b',
  'bytes=0-1,5-6',
  `bytes=${'0-0,'.repeat(3000)}0-0`,
  `bytes=${'0-,'.repeat(3000)}0-`,
  'items=0-1',
  'bytes = 0-1',
  'BYTES=0-1',
  'bytes=0-1;bytes=2-3',
];

describe.each(['/files/small-1.0.zip', '/modules/widget/-/widget-1.0.0.tgz', '/modules/widget', '/modules/-/ping'])(
  '%s',
  (path) => {
    test.each(RANGES)('has an answer to Range: %s', async (range) => {
      const { body } = await get(path);
      const answer = await get(path, { range });
      expect(answer.complete).toBe(true);
      if (answer.status === 200) return expect(answer.body.equals(body)).toBe(true);
      if (answer.status === 416) return expect(answer.headers['content-range']).toBe(`bytes */${body.length}`);
      expect(answer.status).toBe(206);
      const [, from, to, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.headers['content-range'] ?? '') ?? [];
      expect(Number(size)).toBe(body.length);
      expect(answer.body.length).toBeGreaterThan(0);
      expect(answer.body.equals(body.subarray(Number(from), Number(to) + 1))).toBe(true);
    });
  },
);
