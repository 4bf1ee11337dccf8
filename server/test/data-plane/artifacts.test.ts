import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { Plane } from '../support/plane.ts';

const TARBALL = '/express/-/express-1.0.0.tgz';
const big = randomBytes(3_000_000);
const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

let upstream: FakeUpstream;
let plane: Plane;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
  plane.remote('npm-public', 'npm', upstream.url).virtual('npm', 'npm', ['npm-public']);
  publish(upstream, 'express', [{ version: '1.0.0', tarball: big }]);
});

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

const body = async (response: Response) => Buffer.from(await response.arrayBuffer());

describe('a miss', () => {
  test('a hundred at once are one request to the upstream, and all get the same bytes', async () => {
    const gate = upstream.hold(TARBALL, { afterBytes: 1000 });
    const asked = Array.from({ length: 100 }, () => plane.get(`/npm${TARBALL}`));
    await gate.arrived();
    gate.open();
    const bodies = await Promise.all(asked.map(async (one) => sha256(await body(await one))));
    expect(new Set(bodies)).toEqual(new Set([sha256(big)]));
    expect(upstream.count(TARBALL)).toBe(1);
  });

  test('sends what has arrived before the rest is there', async () => {
    const gate = upstream.hold(TARBALL, { afterBytes: 100_000 });
    const response = await plane.get(`/npm${TARBALL}`);
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(first?.value?.length).toBeGreaterThan(0);
    const late = plane.get(`/npm${TARBALL}`);
    gate.open();
    expect(sha256(await body(await late))).toBe(sha256(big));
    await reader?.cancel();
    expect(upstream.count(TARBALL)).toBe(1);
  });

  test('goes on when the client that started it leaves', async () => {
    const gate = upstream.hold(TARBALL, { afterBytes: 100_000 });
    const leaving = new AbortController();
    const response = await fetch(`${plane.url}/npm${TARBALL}`, { signal: leaving.signal });
    await response.body?.getReader().read();
    leaving.abort();
    gate.open();
    await expect
      .poll(async () => (await plane.ledger.object('npm-public', TARBALL.slice(1)))?.digest)
      .toBe(sha256(big));
    const next = await plane.get(`/npm${TARBALL}`);
    expect(next.headers.get('x-cache')).toBe('hit');
    expect(sha256(await body(next))).toBe(sha256(big));
    await expect.poll(() => plane.pulls.map(({ aborted }) => aborted ?? false)).toEqual([true, false]);
    expect(upstream.count(TARBALL)).toBe(1);
  });

  test('answers HEAD with what GET would say, and records no pull', async () => {
    const response = await plane.get(`/npm${TARBALL}`, {}, 'HEAD');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe(String(big.length));
    const after = await plane.get(`/npm${TARBALL}`);
    await body(after);
    expect(after.headers.get('etag')).toBe(response.headers.get('etag'));
    expect(plane.pulls).toHaveLength(1);
  });

  test('a range of it is served while it arrives', async () => {
    const response = await plane.get(`/npm${TARBALL}`, { range: 'bytes=10-19' });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes 10-19/${big.length}`);
    expect(await body(response)).toEqual(big.subarray(10, 20));
  });
});

describe('a wrong file', () => {
  /** Whether a client would believe that it has the whole file. */
  function completed(path: string): Promise<boolean> {
    return new Promise((resolve) => {
      const asked = request(`${plane.url}${path}`, (response) => {
        response.resume();
        response.on('close', () => resolve(response.complete && response.statusCode === 200));
        response.on('error', () => resolve(false));
      });
      asked.on('error', () => resolve(false));
      asked.end();
    });
  }

  const nothingKept = async () => {
    expect(await plane.ledger.object('npm-public', TARBALL.slice(1))).toBeUndefined();
    expect(await plane.store.stat(sha256(big))).toBeUndefined();
  };

  test('with the right length and other bytes is never complete and never kept', async () => {
    const wrong = Buffer.from(big);
    wrong[wrong.length - 1] = (wrong.at(-1) as number) ^ 1;
    upstream.respond(TARBALL, { body: wrong });
    expect(await completed(`/npm${TARBALL}`)).toBe(false);
    await expect.poll(() => plane.logged.map(({ message }) => message)).toContain('a fetch failed');
    await nothingKept();
    publish(upstream, 'express', [{ version: '1.0.0', tarball: big }]);
    expect(sha256(await body(await plane.get(`/npm${TARBALL}`)))).toBe(sha256(big));
  });

  test('that is small gets a proper error', async () => {
    publish(upstream, 'tiny', [{ version: '1.0.0', tarball: Buffer.from('right') }]);
    upstream.respond('/tiny/-/tiny-1.0.0.tgz', { body: 'wrong' });
    const response = await plane.get('/npm/tiny/-/tiny-1.0.0.tgz');
    expect(response.status).toBe(502);
    expect(((await response.json()) as { error: string }).error).toContain('sent the wrong tiny/-/tiny-1.0.0.tgz');
  });

  test.each([
    ['breaks off in the middle', { kind: 'truncated' }],
    ['says a longer length', { kind: 'wrong_length', by: 100 }],
    ['says a shorter length', { kind: 'wrong_length', by: -100 }],
    ['is dropped', { kind: 'drop' }],
  ] as const)('that %s is not complete', async (_what, quirk) => {
    upstream.quirk(TARBALL, quirk);
    expect(await completed(`/npm${TARBALL}`)).toBe(false);
    await expect.poll(() => plane.logged.length).toBeGreaterThan(0);
    await nothingKept();
  });

  test.each([
    ['a login page', { kind: 'login_page' }, 502, 'web page'],
    ['500', { kind: 'status', status: 500 }, 502, '500'],
    ['429', { kind: 'status', status: 429, retryAfter: 7 }, 502, '429'],
    ['401', { kind: 'status', status: 401 }, 502, 'credentials'],
    ['a redirect to itself', { kind: 'redirect', to: 'loop' }, 502, 'redirect'],
  ] as const)('%s in its place is explained', async (_what, quirk, status, says) => {
    expect((await plane.get('/npm/express')).status).toBe(200);
    upstream.quirk(TARBALL, quirk);
    const response = await plane.get(`/npm${TARBALL}`);
    expect(response.status).toBe(status);
    expect(((await response.json()) as { error: string }).error).toContain(says);
    expect(decodeURIComponent(response.headers.get('x-entrepot-reason') ?? '')).toContain(says);
    await nothingKept();
  });

  test('changed under the same name is not taken for the first', async () => {
    expect((await body(await plane.get(`/npm${TARBALL}`))).length).toBe(big.length);
    publish(upstream, 'express', [{ version: '1.0.0', tarball: Buffer.from('other bytes') }]);
    plane.ahead = 3_600_000;
    await plane.get('/npm/express');
    const response = await plane.get(`/npm-public${TARBALL}`);
    expect(response.status).toBe(502);
    expect(((await response.json()) as { error: string }).error).toContain('changed express/-/express-1.0.0.tgz');
  });
});

describe('a hit', () => {
  beforeEach(async () => {
    await body(await plane.get(`/npm${TARBALL}`));
  });

  test('needs no upstream, from memory or from disk', async () => {
    await upstream.down();
    for (let time = 0; time < 3; time++) {
      const response = await plane.get(`/npm${TARBALL}`);
      expect(response.headers.get('x-cache')).toBe('hit');
      expect(response.headers.get('x-entrepot-digest')).toBe(sha256(big));
      expect(sha256(await body(response))).toBe(sha256(big));
    }
    expect(plane.pulls.filter(({ cache }) => cache === 'hit')).toHaveLength(3);
  });

  test('answers conditions, ranges and both together', async () => {
    const { headers } = await plane.get(`/npm${TARBALL}`, {}, 'HEAD');
    const etag = headers.get('etag') as string;
    const counted = plane.pulls.length;
    expect((await plane.get(`/npm${TARBALL}`, { 'if-none-match': etag })).status).toBe(304);
    expect((await plane.get(`/npm${TARBALL}`, { range: `bytes=${big.length}-` })).status).toBe(416);
    expect(plane.pulls).toHaveLength(counted);
    const rest = await plane.get(`/npm${TARBALL}`, { range: 'bytes=2999990-', 'if-range': etag });
    expect(rest.status).toBe(206);
    expect(await body(rest)).toEqual(big.subarray(2_999_990));
    const whole = await plane.get(`/npm${TARBALL}`, { range: 'bytes=0-9', 'if-range': '"another"' });
    expect(whole.status).toBe(200);
    expect((await body(whole)).length).toBe(big.length);
  });

  test('the ranges of one transfer are one pull', async () => {
    const counted = plane.pulls.length;
    for (const range of ['bytes=0-99', 'bytes=100-199', 'bytes=200-299'])
      await body(await plane.get(`/npm${TARBALL}`, { range }));
    expect(plane.pulls).toHaveLength(counted + 1);
  });

  test('whose blob is gone is fetched again', async () => {
    await plane.store.delete(sha256(big));
    plane.engine.evicted('npm-public', []);
    const response = await plane.get(`/npm${TARBALL}`);
    expect(response.headers.get('x-cache')).toBe('miss');
    expect(sha256(await body(response))).toBe(sha256(big));
  });

  test('that was evicted is a miss, also where it was in memory', async () => {
    await body(await plane.get(`/npm${TARBALL}`));
    const { paths } = await plane.ledger.evict({ repository: 'npm-public', purl: 'pkg:npm/express' });
    plane.engine.evicted('npm-public', paths);
    expect((await plane.get(`/npm${TARBALL}`)).headers.get('x-cache')).toBe('miss');
    expect(upstream.count(TARBALL)).toBe(2);
  });
});

test('the pull says who got what from where', async () => {
  const response = await fetch(`${plane.url}/npm${TARBALL}`, { headers: { 'user-agent': 'npm/11' } });
  await response.arrayBuffer();
  expect(plane.pulls).toEqual([
    expect.objectContaining({
      repository: 'npm',
      member: 'npm-public',
      upstream: upstream.url,
      package: 'pkg:npm/express',
      version: '1.0.0',
      path: TARBALL.slice(1),
      role: 'package',
      size: big.length,
      cache: 'miss',
      decision: 'allowed',
      principal: 'anonymous',
      client: 'npm/11',
      address: '127.0.0.1',
    }),
  ]);
});

test('a file that all of has come is a hit for the next, also while it is only being put on record', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow = await Plane.start({
    ledger: (ledger) =>
      new Proxy(ledger, {
        get(of, name: keyof typeof ledger) {
          if (name !== 'recordObject') return Reflect.get(of, name);
          return async (row: Parameters<typeof ledger.recordObject>[0]) => {
            if (row.path.endsWith('.tgz')) await held;
            return of.recordObject(row);
          };
        },
      }),
  });
  try {
    slow.remote('npm-public', 'npm', upstream.url);
    const first = await slow.get(`/npm-public${TARBALL}`);
    expect(first.headers.get('x-cache')).toBe('miss');
    expect(sha256(await body(first))).toBe(sha256(big));
    const second = slow.get(`/npm-public${TARBALL}`);
    release();
    expect((await second).headers.get('x-cache')).toBe('hit');
    expect(sha256(await body(await second))).toBe(sha256(big));
    expect(upstream.count(TARBALL)).toBe(1);
  } finally {
    release();
    await slow.stop();
  }
});
