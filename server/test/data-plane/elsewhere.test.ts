import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Store, StoreError } from '../../src/store/store.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { Plane } from '../support/plane.ts';

const TARBALL = '/express/-/express-1.0.0.tgz';
const tarball = randomBytes(300_000);
const digest = `sha256:${createHash('sha256').update(tarball).digest('hex')}`;

let upstream: FakeUpstream;
let plane: Plane;
let broken: 'address' | 'bytes' | undefined;

const down = () => new StoreError('unreachable', 'the bucket packages at https://s3.test does not answer');

const failing = () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(down()) }) });

/** A disk that shows what it has, as a bucket does. */
function showing(store: Store): Store {
  const open = store.open.bind(store);
  store.open = async (asked) => {
    const blob = await open(asked);
    if (!blob) return undefined;
    const stream = blob.stream.bind(blob);
    return Object.assign(Object.create(blob), {
      digest: blob.digest,
      size: blob.size,
      redirect: async (seconds: number, { type }: { type: string }) => {
        if (broken === 'address') throw down();
        return `https://s3.test/${asked}?for=${seconds}&as=${encodeURIComponent(type)}`;
      },
      stream: broken === 'bytes' ? failing : stream,
      bytes: () => (broken === 'bytes' ? Promise.reject(down()) : blob.bytes()),
      release: () => blob.release(),
    });
  };
  return store;
}

async function start(redirect: boolean): Promise<void> {
  plane = await Plane.start({ redirect, store: showing });
  plane.remote('npm-public', 'npm', upstream.url).virtual('npm', 'npm', ['npm-public']);
  plane.remote('files', 'generic', upstream.url);
  publish(upstream, 'express', [{ version: '1.0.0', tarball }]);
}

/** What is on its way is sent from here; afterwards the store has it. */
async function cached(path = `/npm${TARBALL}`): Promise<void> {
  const first = await plane.get(path);
  expect(first.status).toBe(200);
  await first.arrayBuffer();
}

beforeEach(async () => {
  broken = undefined;
  upstream = await FakeUpstream.start();
});
afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

describe('where clients are sent to the store', () => {
  beforeEach(() => start(true));

  test('they get its address for the file, every time, and each pull is on record', async () => {
    await cached();
    for (let times = 1; times <= 3; times += 1) {
      const answer = await plane.get(`/npm${TARBALL}`);
      expect(answer.status).toBe(307);
      expect(answer.headers.get('location')).toBe(`https://s3.test/${digest}?for=60&as=application%2Foctet-stream`);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('x-entrepot-digest')).toBe(digest);
      expect(answer.headers.get('x-cache')).toBe('hit');
      expect(await answer.text()).toBe('');
      expect(plane.pulls).toHaveLength(times + 1);
    }
    expect(plane.pulls.at(-1)).toMatchObject({ digest, decision: 'allowed', cache: 'hit' });
    expect(plane.pulls.at(-1)?.aborted).toBeUndefined();
  });

  test('a part, the headers alone and what the client has already are answered here', async () => {
    await cached();
    const part = await plane.get(`/npm${TARBALL}`, { range: 'bytes=10-19' });
    expect([part.status, Buffer.from(await part.arrayBuffer())]).toEqual([206, tarball.subarray(10, 20)]);
    const head = await plane.get(`/npm${TARBALL}`, {}, 'HEAD');
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '300000']);
    const none = { 'if-none-match': head.headers.get('etag') ?? '' };
    expect((await plane.get(`/npm${TARBALL}`, none)).status).toBe(304);
  });

  test('indexes, and files of clients that do not follow, are sent from here', async () => {
    for (const _ of [1, 2]) await cached('/npm/express');
    upstream.respond('/tool.bin', { body: 'tool' });
    for (const _ of [1, 2, 3]) await cached('/files/tool.bin');
  });

  test('nobody is sent to what is refused', async () => {
    await cached();
    plane.rule('block', { name: 'bad', packages: ['pkg:npm/express'], reason: 'it is bad' });
    const answer = await plane.get(`/npm${TARBALL}`);
    expect(answer.status).toBe(403);
    expect(answer.headers.get('location')).toBeNull();
    expect(plane.pulls.at(-1)).toMatchObject({ decision: 'refused' });
  });

  test('an address that cannot be had is an outage, and no pull', async () => {
    await cached();
    broken = 'address';
    const answer = await plane.get(`/npm${TARBALL}`);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '30']);
    expect(await answer.text()).toContain('does not answer');
    expect(plane.pulls).toHaveLength(1);
  });
});

describe('where the store does not answer', () => {
  beforeEach(() => start(false));

  test.each([
    ['a file', `/npm${TARBALL}`, {}],
    ['a part of one', `/npm${TARBALL}`, { range: 'bytes=0-9' }],
    ['an index', '/npm/express', { accept: 'text/plain' }],
  ])('%s is 503 with the time to come again, until it does', async (_, path, headers) => {
    await cached('/npm/express');
    await cached();
    broken = 'bytes';
    await plane.restart({ store: showing });
    const answer = await plane.get(path, headers);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '30']);
    expect(await answer.text()).toContain('does not answer');
    broken = undefined;
    expect((await plane.get(path, headers)).ok).toBe(true);
  });

  test('what is in memory is still served', async () => {
    await cached('/npm/express');
    for (const _ of [1, 2]) await cached();
    broken = 'bytes';
    await cached('/npm/express');
    await cached();
  });
});
