import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { bytesOf, fillStore, pathOf } from '../support/filled-store.ts';
import { TestServer } from '../support/test-server.ts';

const COUNT = 5000;
const SIZE = 4000;
const READERS = 8;
const HOUR = 3_600_000;
const PATIENCE = { timeout: 60_000 };

let upstream: FakeUpstream;
let data: string;
let server: TestServer;

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'entrepot-limits-'));
  upstream = await FakeUpstream.start();
  for (let number = 0; number < COUNT; number += 1)
    upstream.respond(`/${pathOf(number)}`, {
      body: bytesOf(number, SIZE),
      headers: { 'content-type': 'application/gzip' },
    });
});
afterEach(async () => {
  await server?.stop();
  await upstream.stop();
  await rm(data, { recursive: true, force: true });
});

test('a store of 5,000 files is brought under its limit while eight readers go on, and nothing wrong is served', async () => {
  const begun = Date.now();
  await fillStore(data, { count: COUNT, size: SIZE, upstream: upstream.url, usedAt: begun - 48 * HOUR });
  const declaring = await TestServer.start({ data });
  await declaring.remote('files', 'generic', upstream.url);
  await declaring.stop();

  const limit = (COUNT * SIZE) / 2;
  let isOver = false;
  let served = 0;
  // A minute passes with each second: what was used within the last minute is not evicted.
  const now = () => begun + (Date.now() - begun) * 60;
  server = await TestServer.start({ data, now, settings: { 'storage.max_size': String(limit) } });
  const read = async (reader: number): Promise<void> => {
    for (let turn = 0; !isOver; turn += 1) {
      const number = (turn * 7919 + reader * 613) % COUNT;
      const response = await fetch(`${server.url}/files/${pathOf(number)}`);
      const bytes = Buffer.from(await response.arrayBuffer());
      if (response.status !== 200 || !bytes.equals(bytesOf(number, SIZE)))
        throw new Error(`${pathOf(number)}: ${response.status}, ${bytes.length} bytes`);
      served += 1;
    }
  };
  const readers = Promise.all(Array.from({ length: READERS }, (_, reader) => read(reader)));
  const bytes = async (): Promise<number> => (await server.get('/api/v2/stats')).body.bytes;
  await Promise.race([expect.poll(bytes, PATIENCE).toBeLessThanOrEqual(limit), readers]);
  await Promise.race([expect.poll(() => served, PATIENCE).toBeGreaterThan(500), readers]);
  isOver = true;
  await readers;
  await expect.poll(bytes, PATIENCE).toBeLessThanOrEqual(limit);

  const stats = (await server.get('/api/v2/stats')).body;
  expect(stats).toMatchObject({ limit, by_repository: [{ repository: 'files', objects: expect.any(Number) }] });
  expect(stats.objects).toBeGreaterThan(COUNT / 4);
  const { body: run } = await server.post('/api/v2/verify', { scope: 'store' });
  expect(run.state).toBe('running');
  await expect.poll(async () => (await server.get('/api/v2/verify')).body.state, PATIENCE).toBe('done');
  expect((await server.get('/api/v2/verify')).body.counts).toEqual({ missing: 0, corrupt: 0, unreferenced: 0 });
});
