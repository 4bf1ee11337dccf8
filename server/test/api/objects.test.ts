import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { TestServer } from '../support/test-server.ts';

let upstream: FakeUpstream;
let server: TestServer;
let store: Store;
/** Milliseconds that the server's clock is ahead: where processes share a store, a new blob is nobody's to delete for minutes. */
let ahead: number;
beforeEach(async () => {
  upstream = await FakeUpstream.start();
  ahead = 0;
  server = await TestServer.start({
    now: () => Date.now() + ahead,
    store: (opened) => {
      store = opened;
      return opened;
    },
  });
  await server.remote('files', 'generic', upstream.url);
  await server.remote('more', 'generic', upstream.url);
});
afterEach(async () => {
  await server.stop();
  await upstream.stop();
});

async function pull(path: string): Promise<string> {
  const { status, body, headers } = await server.raw(path);
  expect([status, body]).toEqual([200, expect.any(String)]);
  return String(headers['x-cache']);
}

async function blobs(): Promise<number> {
  let count = 0;
  for await (const _ of store.list()) count += 1;
  return count;
}

const sha256 = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

test('what a remote keeps is listed in order of path, page by page, with its pulls', async () => {
  for (const name of ['b-1.0.tar.gz', 'a-1.0.tar.gz', 'c/d-1.0.tar.gz']) {
    upstream.respond(`/${name}`, { body: name });
    await pull(`/files/${name}`);
  }
  await pull('/files/a-1.0.tar.gz');
  const first = await server.get('/api/v2/remotes/files/objects?limit=2');
  expect(first.body.items).toMatchObject([
    { path: 'a-1.0.tar.gz', digest: sha256('a-1.0.tar.gz'), size: 12, pulls: 2, fresh_until: null },
    { path: 'b-1.0.tar.gz', pulls: 1, last_pulled_at: expect.any(String) },
  ]);
  const second = await server.get(`/api/v2/remotes/files/objects?limit=2&after=${encodeURIComponent(first.body.next)}`);
  expect(second.body.items.map(({ path }: { path: string }) => path)).toEqual(['c/d-1.0.tar.gz']);
  expect(second.body).not.toHaveProperty('next');
  expect((await server.get('/api/v2/remotes/files/objects?prefix=c/')).body.items).toHaveLength(1);
});

test('what is evicted is fetched again, and its bytes go with the last who has them', async () => {
  upstream.respond('/same-1.0.tar.gz', { body: 'the same bytes' });
  expect([await pull('/files/same-1.0.tar.gz'), await pull('/more/same-1.0.tar.gz')]).toEqual(['miss', 'miss']);
  expect([await pull('/files/same-1.0.tar.gz'), await pull('/files/same-1.0.tar.gz')]).toEqual(['hit', 'hit']);
  expect(await blobs()).toBe(1);

  const evicted = await server.delete('/api/v2/remotes/files/objects?path=same-1.0.tar.gz');
  expect(evicted.body).toEqual({ objects: 1, bytes: 14 });
  expect(await blobs()).toBe(1);
  expect(await pull('/more/same-1.0.tar.gz')).toBe('hit');

  ahead = 10 * 60_000;
  await server.delete('/api/v2/remotes/more/objects?all=true');
  expect(await blobs()).toBe(0);
  expect(await pull('/files/same-1.0.tar.gz')).toBe('miss');
});

test('an eviction by prefix takes what begins so', async () => {
  for (const path of ['x/a-1.0.tar.gz', 'x/b-1.0.tar.gz', 'xy-1.0.tar.gz']) {
    upstream.respond(`/${path}`, { body: path });
    await pull(`/files/${path}`);
  }
  expect((await server.delete('/api/v2/remotes/files/objects?prefix=x/')).body.objects).toBe(2);
  expect((await server.delete('/api/v2/remotes/files/objects?prefix=x/')).body).toEqual({ objects: 0, bytes: 0 });
  expect([await pull('/files/x/a-1.0.tar.gz'), await pull('/files/xy-1.0.tar.gz')]).toEqual(['miss', 'hit']);
});

test('a package is found and evicted by its package URL', async () => {
  await server.remote('named', 'generic', upstream.url, {
    generic: { releases: ['^(?<name>[a-z]+)-(?<version>[0-9.]+)\\.zip$'] },
  });
  for (const path of ['tool-1.0.zip', 'tool-2.0.zip', 'other-1.0.zip']) {
    upstream.respond(`/${path}`, { body: path });
    await pull(`/named/${path}`);
  }
  const found = await server.get('/api/v2/remotes/named/objects?purl=pkg:generic/tool');
  expect(found.body.items.map(({ purl }: { purl: string }) => purl)).toEqual([
    'pkg:generic/tool@1.0',
    'pkg:generic/tool@2.0',
  ]);
  expect((await server.delete('/api/v2/remotes/named/objects?purl=pkg:generic/tool@1.0')).body.objects).toBe(1);
  expect((await server.delete('/api/v2/remotes/named/objects?purl=pkg:generic/tool')).body.objects).toBe(1);
  expect(await pull('/named/other-1.0.zip')).toBe('hit');
});
