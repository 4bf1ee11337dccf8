import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StoreError } from '../../src/store/store.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { Plane } from '../support/plane.ts';

const release = { version: '1.0.0', tarball: Buffer.from('one') };

let upstream: FakeUpstream;
let plane: Plane;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
  plane.remote('npm-public', 'npm', upstream.url).virtual('npm', 'npm', ['npm-public']);
});

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

async function refused(path = '/npm/express'): Promise<{ status: number; error: string }> {
  const response = await plane.get(path);
  return { status: response.status, ...((await response.json()) as { error: string }) };
}

describe('an index that is none', () => {
  test.each([
    ['HTML', { body: '<html><body>Sign in</body></html>', headers: { 'content-type': 'text/html' } }, 'markup'],
    ['half of JSON', { body: '{"name":"express","versions":{' }, 'not JSON'],
    ['JSON of another kind', { body: '[1,2,3]' }, 'not an object'],
    ['without versions', { body: '{"name":"express"}' }, 'no versions'],
    ['about another package', { body: '{"name":"lodash","versions":{}}' }, 'another package'],
    ['empty', { body: '' }, 'empty'],
  ])('%s is explained, and nothing of it is kept', async (_what, reply, says) => {
    upstream.respond('/express', { headers: { 'content-type': 'application/json' }, ...reply });
    const answer = await refused();
    expect(answer.status).toBe(502);
    expect(answer.error).toContain(says);
    expect(answer.error).toContain('npm-public');
    expect(await plane.ledger.object('npm-public', 'express')).toBeUndefined();
    publish(upstream, 'express', [release]);
    expect((await plane.get('/npm/express')).status).toBe(200);
  });

  test('3 MB of gzip that unpack to 600 MB stop at the limit', async () => {
    publish(upstream, 'express', [release]);
    upstream.quirk('/express', { kind: 'gzip_bomb', size: 600_000_000 });
    const answer = await refused();
    expect(answer.status).toBe(413);
    expect((await plane.get('/npm-public/-/ping')).status).toBe(200);
  });

  test('a packument over the limit is refused, whatever length it says', async () => {
    upstream.respond('/express', {
      body: Buffer.alloc(2_000_000, 'x'),
      headers: { 'content-type': 'application/json' },
    });
    plane.remote('npm-public', 'npm', upstream.url, { max_index_size: '1MB' });
    expect((await refused()).status).toBe(413);
  });
});

test('a packument of 40 MB is served, and others are answered meanwhile', async () => {
  const versions = Object.fromEntries(
    Array.from({ length: 8000 }, (_, patch) => [
      `1.0.${patch}`,
      {
        name: 'giant',
        version: `1.0.${patch}`,
        readme: 'x'.repeat(5000),
        dist: { tarball: `https://upstream.test/giant/-/giant-1.0.${patch}.tgz` },
      },
    ]),
  );
  upstream.respond('/giant', {
    body: JSON.stringify({ name: 'giant', 'dist-tags': { latest: '1.0.7999' }, versions }),
    headers: { 'content-type': 'application/json' },
  });
  let others = 0;
  const served = plane.get('/npm/giant').then((response) => response.json() as Promise<{ versions: object }>);
  const until = served.then(() => true);
  while (!(await Promise.race([until, new Promise<false>((resolve) => setTimeout(resolve, 5, false))]))) {
    expect((await plane.get('/npm/-/ping')).status).toBe(200);
    others += 1;
  }
  expect(Object.keys((await served).versions)).toHaveLength(8000);
  expect(others).toBeGreaterThan(3);
});

test('a redirect to a private address is not followed', async () => {
  const inside = createServer((_request, response) => response.end('{"name":"express","versions":{}}'));
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
  plane.remote('direct', 'npm', `http://127.0.0.1:${(inside.address() as AddressInfo).port}`, {
    allow_private_network: false,
  });
  const answer = await refused('/direct/express');
  expect(answer.status).toBe(502);
  expect(answer.error).toMatch(/private|loopback/);
  await new Promise((resolve) => inside.close(resolve));
});

test('an upstream that says nothing for too long is given up, and so is one that stops in the middle', async () => {
  plane.remote('npm-public', 'npm', upstream.url, { timeouts: { headers: '200ms', idle: '200ms' } });
  publish(upstream, 'express', [release]);
  upstream.quirk('/express', { kind: 'slow', firstByteMs: 5000 }, 1);
  const silent = await refused();
  expect(silent.status).toBe(502);
  expect(silent.error).toContain('npm-public');
  upstream.quirk('/express', { kind: 'slow', pieceMs: 5000, pieceSize: 10 }, 1);
  expect((await refused()).status).toBe(502);
  expect((await plane.get('/npm/express')).status).toBe(200);
});

test('an upstream that cannot be resolved is named, without its credentials', async () => {
  plane.remote('npm-public', 'npm', 'http://no-such-host.invalid', {
    auth: { type: 'basic', username: 'me', password: 'hunter2-secret' },
  });
  const answer = await refused();
  expect(answer.status).toBe(502);
  expect(answer.error).toContain('no-such-host.invalid');
  expect(JSON.stringify([answer, plane.logged])).not.toContain('hunter2');
});

test('a full disk is said, nothing is half written, and it heals by itself', async () => {
  let full = false;
  await plane.stop();
  plane = await Plane.start({
    store: (store) => {
      const begin = store.begin.bind(store);
      store.begin = (algorithms) =>
        full
          ? Promise.reject(new StoreError('full', 'The disk of the data folder is full: make room.'))
          : begin(algorithms);
      return store;
    },
  });
  plane.remote('npm-public', 'npm', upstream.url).virtual('npm', 'npm', ['npm-public']);
  publish(upstream, 'express', [release]);
  expect((await plane.get('/npm/express')).status).toBe(200);
  full = true;
  const answer = await refused('/npm/express/-/express-1.0.0.tgz');
  expect(answer).toEqual({ status: 503, error: 'The disk of the data folder is full: make room.' });
  expect((await plane.get('/npm/express')).status).toBe(200);
  full = false;
  expect((await plane.get('/npm/express/-/express-1.0.0.tgz')).status).toBe(200);
});
