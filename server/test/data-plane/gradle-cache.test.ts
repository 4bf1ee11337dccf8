import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, truncate } from 'node:fs/promises';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LedgerError } from '../../src/ledger/ledger.ts';
import { type Store, StoreError } from '../../src/store/store.ts';
import { TestServer } from '../support/test-server.ts';

const TYPE = 'application/vnd.gradle.build-cache-artifact.v2';
const key = (name: string | number) => createHash('md5').update(String(name)).digest('hex');

let server: TestServer;
/** What goes wrong at the moment, and how far the server's clock is ahead. */
let broken: 'nothing' | 'store' | 'ledger' = 'nothing';
let ahead = 0;

beforeEach(async () => {
  broken = 'nothing';
  ahead = 0;
  server = await TestServer.start({
    now: () => Date.now() + ahead,
    store: (store) => ({ ...bound(store), begin: () => failing('store') ?? store.begin() }),
    ledger: (ledger) => ({ ...ledger, recordObject: (row) => failing('ledger') ?? ledger.recordObject(row) }),
  });
  await hosted();
});
afterEach(() => server.stop());

function failing(what: 'store' | 'ledger'): Promise<never> | undefined {
  if (broken !== what) return undefined;
  return Promise.reject(
    what === 'store' ? new StoreError('full', 'the disk is full') : new LedgerError('it is locked'),
  );
}

function bound(store: Store): Store {
  return {
    begin: (algorithms) => store.begin(algorithms),
    open: (digest) => store.open(digest),
    stat: (digest) => store.stat(digest),
    delete: (digest) => store.delete(digest),
    quarantine: (digest) => store.quarantine(digest),
    list: (after) => store.list(after),
    check: () => store.check(),
    close: () => store.close(),
  };
}

async function hosted(spec: object = {}): Promise<void> {
  const { status, body } = await server.put('/api/v2/hosted/builds', { format: 'gradle-cache', ...spec });
  expect([status, body.code]).toEqual([expect.any(Number), undefined]);
}

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request whose body is still to be written. */
function begin(
  name: string | number,
  { path, method = 'PUT', token = server.token, headers = {} }: Sent = {},
): ClientRequest {
  const authorization = `Basic ${Buffer.from(`gradle:${token}`).toString('base64')}`;
  const sent = httpRequest(`${server.url}${path ?? `/builds/${key(name)}`}`, {
    method,
    agent: false,
    headers: { 'content-type': TYPE, ...(token === null ? {} : { authorization }), ...headers },
  });
  sent.on('error', () => {});
  return sent;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

async function answerTo(sent: ClientRequest): Promise<Answer> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

async function put(name: string | number, body: string | Uint8Array, sent: Sent = {}): Promise<Answer> {
  const length = { 'content-length': String(Buffer.byteLength(body)) };
  return answerTo(begin(name, { ...sent, headers: { ...length, ...sent.headers } }).end(body));
}

async function get(
  name: string | number,
  path = `/builds/${key(name)}`,
  init: RequestInit = {},
): Promise<[number, string]> {
  const answer = await fetch(`${server.url}${path}`, init);
  return [answer.status, await answer.text()];
}

async function files(folder: 'blobs' | 'tmp'): Promise<number> {
  const entries = await readdir(join(server.data, folder), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}

async function kept(): Promise<readonly { readonly path: string; readonly size: number }[]> {
  return (await server.get('/api/v2/hosted/builds/objects')).body.items;
}

/** Bytes as they stand, for what no client would send. */
async function socket(head: readonly string[]): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  const open = connect(Number(port), hostname);
  open.on('error', () => {});
  await once(open, 'connect');
  const authorization = `Basic ${Buffer.from(`gradle:${server.token}`).toString('base64')}`;
  open.write([...head, 'Host: x', `Authorization: ${authorization}`, '', ''].join('\r\n'));
  return open;
}

describe('an entry', () => {
  test('comes back byte for byte, with its content type, at either address', async () => {
    const bytes = randomBytes(300_000);
    const made = await put('a', bytes);
    expect([made.status, made.body]).toEqual([201, '']);
    for (const path of [`/builds/${key('a')}`, `/builds/cache/${key('a')}`]) {
      const answer = await fetch(`${server.url}${path}`);
      expect(answer.headers.get('content-type')).toBe(TYPE);
      expect(answer.headers.get('etag')).toBe(made.headers['etag']);
      expect(answer.headers.get('cache-control')).toBe('private, no-cache');
      expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
    }
    const head = await fetch(`${server.url}/builds/${key('a')}`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '300000']);
    const part = await get('a', undefined, { headers: { range: 'bytes=0-9' } });
    expect(part[0]).toBe(206);
  });

  test('that nobody wrote is not found', async () => {
    expect((await get('nobody'))[0]).toBe(404);
    expect((await get('', '/builds/no-key'))[0]).toBe(404);
    expect((await put('', 'x', { path: '/builds/no-key' })).status).toBe(404);
  });

  test('may be empty, and may come in chunks', async () => {
    expect((await put('empty', '')).status).toBe(201);
    expect(await get('empty')).toEqual([200, '']);
    const sent = begin('chunks');
    for (const chunk of ['one ', 'two ', 'three']) sent.write(chunk);
    expect((await answerTo(sent.end())).status).toBe(201);
    expect(await get('chunks')).toEqual([200, 'one two three']);
  });

  test('that is written again is the new one at once, and the old bytes go', async () => {
    expect((await put('a', 'old')).status).toBe(201);
    expect(await get('a')).toEqual([200, 'old']);
    expect(await get('a')).toEqual([200, 'old']);
    expect((await put('a', 'newer')).status).toBe(200);
    expect(await get('a')).toEqual([200, 'newer']);
    expect(await kept()).toMatchObject([{ path: key('a'), size: 5 }]);
    await expect.poll(() => files('blobs')).toBe(1);
    expect(await get('a')).toEqual([200, 'newer']);
  });

  test('outlives the server, and goes with its repository', async () => {
    await put('a', 'kept');
    await server.delete('/api/v2/hosted/builds');
    expect((await get('a'))[0]).toBe(404);
    await expect.poll(() => files('blobs')).toBe(0);
    await hosted();
    expect((await get('a'))[0]).toBe(404);
  });

  test('that is on its way while its repository is deleted is not in the next of its name', async () => {
    const late = begin('a', { headers: { 'content-length': '4' } });
    late.write('la');
    await expect.poll(() => files('tmp')).toBe(1);
    await server.delete('/api/v2/hosted/builds');
    await hosted();
    expect((await answerTo(late.end('te'))).status).toBe(404);
    expect((await get('a'))[0]).toBe(404);
    expect(await kept()).toEqual([]);
  });

  test('is read through a virtual, which cannot be written to', async () => {
    await put('a', 'through');
    await server.virtual('all', 'gradle-cache', ['builds']);
    expect(await get('a', `/all/${key('a')}`)).toEqual([200, 'through']);
    const answer = await put('a', 'x', { path: `/all/${key('a')}` });
    expect([answer.status, answer.body]).toEqual([405, expect.stringContaining('"all" is a virtual repository')]);
    await put('a', 'through again');
    expect(await get('a', `/all/${key('a')}`)).toEqual([200, 'through again']);
  });

  test.each(['POST', 'DELETE', 'PATCH'])('cannot be changed by %s', async (method) => {
    expect((await put('a', 'x', { method })).status).toBe(405);
  });

  test('is on record for whoever pulled it', async () => {
    await put('a', 'x');
    await get('a');
    const { body } = await server.get('/api/v2/pulls');
    expect(body.items).toMatchObject([{ repository: 'builds', path: key('a'), role: 'metadata', cache: 'hit' }]);
    expect((await server.get('/api/v2/hosted/builds/objects')).body.items).toMatchObject([{ pulls: 1 }]);
  });
});

describe('who may write', () => {
  test('nobody without a token', async () => {
    const refused = await put('a', 'x', { token: null });
    expect(refused.status).toBe(401);
    expect(refused.headers['www-authenticate']).toMatch(/^Basic /);
    expect((await put('a', 'x', { token: 'entrepot_wrong' })).status).toBe(401);
    expect((await get('a'))[0]).toBe(404);
    expect(await files('tmp')).toBe(0);
  });

  test('is said before the body is asked for', async () => {
    const expecting = { headers: { expect: '100-continue', 'content-length': '5' } };
    const refused = begin('a', { ...expecting, token: null });
    let invited = false;
    refused.on('continue', () => {
      invited = true;
    });
    refused.flushHeaders();
    expect([(await answerTo(refused)).status, invited]).toEqual([401, false]);
    refused.destroy();

    const allowed = begin('a', expecting);
    allowed.flushHeaders();
    await once(allowed, 'continue');
    expect((await answerTo(allowed.end('hello'))).status).toBe(201);
    expect(await get('a')).toEqual([200, 'hello']);
  });

  test('a management call that waits to be asked for its body is asked', async () => {
    const spec = JSON.stringify({ name: 'more', format: 'gradle-cache' });
    const headers = {
      expect: '100-continue',
      'content-type': 'application/json',
      'content-length': String(spec.length),
    };
    const sent = begin('', { path: '/api/v2/hosted', method: 'POST', headers });
    sent.flushHeaders();
    await once(sent, 'continue');
    expect((await answerTo(sent.end(spec))).status).toBe(201);
  });
});

describe('an entry that is too large', () => {
  beforeEach(() => hosted({ max_artifact_size: '1000' }));

  test('is refused by its length, before it is asked for', async () => {
    const sent = begin('a', { headers: { expect: '100-continue', 'content-length': '1001' } });
    sent.flushHeaders();
    const { status, body } = await answerTo(sent);
    expect([status, body]).toEqual([
      413,
      expect.stringContaining('1000 bytes that "builds" takes (max_artifact_size)'),
    ]);
    sent.destroy();
  });

  test('is refused while it comes, in an answer that its sender can read', async () => {
    const sent = begin('a');
    const answered = answerTo(sent);
    const chunk = Buffer.alloc(256 * 1024);
    for (let part = 0; part < 40; part += 1) if (!sent.write(chunk)) await once(sent, 'drain');
    sent.end();
    expect((await answered).status).toBe(413);
    expect((await put('a', Buffer.alloc(5_000_000))).status).toBe(413);
    expect((await put('a', Buffer.alloc(5_000_000), { token: 'entrepot_wrong' })).status).toBe(401);
    const keptAlive = { method: 'PUT', body: Buffer.alloc(5_000_000), headers: { authorization: server.token } };
    for (let again = 0; again < 3; again += 1) expect((await get('a', undefined, keptAlive))[0]).toBe(413);
    expect((await get('a'))[0]).toBe(404);
    expect(await files('tmp')).toBe(0);
    expect((await put('a', Buffer.alloc(1000))).status).toBe(201);
  });

  test('leaves the one that was there', async () => {
    await put('a', 'small');
    expect((await put('a', Buffer.alloc(1001))).status).toBe(413);
    expect(await get('a')).toEqual([200, 'small']);
  });
});

describe('an upload that goes wrong', () => {
  test('cut off, it leaves nothing', async () => {
    const cut = await socket([`PUT /builds/${key('a')} HTTP/1.1`, 'Content-Length: 1000000']);
    cut.write(Buffer.alloc(400_000));
    await expect.poll(() => files('tmp')).toBe(1);
    cut.destroy();
    await expect.poll(() => files('tmp')).toBe(0);
    expect((await get('a'))[0]).toBe(404);
    expect(await kept()).toEqual([]);
    expect(await files('blobs')).toBe(0);
  });

  test('cut off in chunks, it leaves the one that was there', async () => {
    await put('a', 'whole');
    const cut = await socket([`PUT /builds/${key('a')} HTTP/1.1`, 'Transfer-Encoding: chunked']);
    cut.write('5\r\nwrong\r\n');
    await expect.poll(() => files('tmp')).toBe(1);
    cut.end();
    await expect.poll(() => files('tmp')).toBe(0);
    expect(await get('a')).toEqual([200, 'whole']);
  });

  test('longer than it says, what follows is no part of it', async () => {
    const long = await socket([`PUT /builds/${key('a')} HTTP/1.1`, 'Content-Length: 5']);
    long.end('whole and more');
    await buffer(long);
    const [status, body] = await get('a');
    expect(status === 404 || body === 'whole').toBe(true);
  });

  test.each([
    ['without a length', [], 400],
    ['of a part', ['Content-Length: 2', 'Content-Range: bytes 0-1/9'], 400],
    ['compressed on its way', ['Content-Length: 2', 'Content-Encoding: gzip'], 415],
    ['of a length that is none', ['Content-Length: 2x'], 400],
    ['of two lengths', ['Content-Length: 2', 'Content-Length: 3'], 400],
  ])('%s it is refused', async (_, headers, status) => {
    const sent = await socket([`PUT /builds/${key('a')} HTTP/1.1`, 'Connection: close', ...headers]);
    sent.write('ab');
    expect((await buffer(sent)).toString()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect((await get('a'))[0]).toBe(404);
  });

  test.each(['store', 'ledger'] as const)('with a %s that fails, the old one stays', async (what) => {
    await put('a', 'old');
    broken = what;
    expect((await put('a', 'new')).status).toBe(503);
    expect(await get('a')).toEqual([200, 'old']);
    broken = 'nothing';
    expect((await put('a', 'new')).status).toBe(200);
    expect(await get('a')).toEqual([200, 'new']);
    expect(await files('tmp')).toBe(0);
  });

  test('bytes that are lost are missed, never half served, and can be written again', async () => {
    await put('a', 'some bytes');
    const hex = createHash('sha256').update('some bytes').digest('hex');
    await truncate(join(server.data, 'blobs', 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex), 4);
    expect((await get('a'))[0]).toBe(404);
    expect((await put('a', 'some bytes')).status).toBe(200);
    expect(await get('a')).toEqual([200, 'some bytes']);
  });
});

describe('many at once', () => {
  test('readers of a key that is written see one entry or another, whole', async () => {
    const bodies = Array.from({ length: 12 }, (_, index) => Buffer.alloc(200_000 + index, index + 1));
    await put('a', bodies[0] ?? '');
    let isOver = false;
    const seen = new Set<number>();
    const read = async () => {
      while (!isOver) {
        const answer = await fetch(`${server.url}/builds/${key('a')}`);
        const bytes = Buffer.from(await answer.arrayBuffer());
        expect(answer.status).toBe(200);
        expect(bodies.some((body) => body.equals(bytes))).toBe(true);
        seen.add(bytes.length);
      }
    };
    const readers = Promise.all([read(), read(), read()]);
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all(bodies.map((body) => put('a', body)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    }
    isOver = true;
    await readers;
    expect(seen.size).toBeGreaterThan(1);
    await expect.poll(() => files('blobs')).toBe(1);
    expect((await get('a'))[0]).toBe(200);
  });

  test('the last to be complete stays, whichever began first', async () => {
    const slow = begin('a', { headers: { 'content-length': '4' } });
    slow.write('sl');
    await expect.poll(() => files('tmp')).toBe(1);
    expect((await put('a', 'quick')).status).toBe(201);
    expect(await get('a')).toEqual([200, 'quick']);
    expect((await answerTo(slow.end('ow'))).status).toBe(200);
    expect(await get('a')).toEqual([200, 'slow']);
  });
});

describe('upkeep', () => {
  test('above max_size, what was used longest ago goes', async () => {
    await hosted({ max_size: '10kB' });
    for (let entry = 0; entry < 10; entry += 1) {
      expect((await put(entry, Buffer.alloc(1000, entry))).status).toBe(201);
      ahead += 1000;
    }
    expect(await kept()).toHaveLength(10);
    expect((await get(0))[0]).toBe(200);
    ahead += 1000;
    await put(10, Buffer.alloc(1000, 10));
    await expect.poll(async () => (await kept()).length).toBe(9);
    expect((await kept()).map(({ path }) => path).sort()).toEqual([0, 3, 4, 5, 6, 7, 8, 9, 10].map(key).sort());
    expect((await get(1))[0]).toBe(404);
    await expect.poll(() => files('blobs')).toBe(9);
    expect((await put('large', Buffer.alloc(10_001))).body).toContain('(max_size)');
  });

  test('less room takes effect on what is there', async () => {
    for (let entry = 0; entry < 10; entry += 1) await put(entry, Buffer.alloc(1000, entry));
    await hosted({ max_size: '5kB' });
    await expect.poll(async () => (await kept()).length).toBe(4);
  });

  test('past max_age an entry is absent, and then gone', async () => {
    await hosted({ max_age: '1h' });
    await put('old', 'old');
    ahead += 1_800_000;
    await put('young', 'young');
    ahead += 1_799_000;
    expect(await get('old')).toEqual([200, 'old']);
    ahead += 1000;
    expect((await get('old'))[0]).toBe(404);
    expect(await get('young')).toEqual([200, 'young']);
    // What is too old is looked for now and then.
    ahead += 600_000;
    await get('young');
    await expect.poll(async () => (await kept()).length).toBe(1);
    expect((await put('old', 'new')).status).toBe(201);
    expect(await get('old')).toEqual([200, 'new']);
  });

  test('a key that is written without end takes the room of one entry', async () => {
    await hosted({ max_size: '10kB' });
    for (let round = 0; round < 30; round += 1) await put('a', randomBytes(2000));
    expect(await kept()).toMatchObject([{ size: 2000 }]);
    await expect.poll(() => files('blobs')).toBe(1);
    expect((await get('a'))[0]).toBe(200);
  });
});
