import { randomBytes } from 'node:crypto';
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { BlobGoing, type Ledger } from '../ledger/ledger.ts';
import type { Store } from '../store/store.ts';
import { DAY, type Given, HOUR, type Installation, install, MINUTE } from './fixtures.ts';

const open: Installation[] = [];
const start = async (given: Given = {}): Promise<Installation> => {
  const installed = await install(given);
  open.push(installed);
  return installed;
};
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

const blobs = async ({ store }: Installation): Promise<string[]> => {
  const found: string[] = [];
  for await (const { digest } of store.list()) found.push(digest);
  return found;
};
/** Bytes in the store that no row knows, stored so long ago. */
const stray = async ({ store, fileOf }: Installation, ago: number): Promise<string> => {
  const upload = await store.begin();
  await upload.write(randomBytes(1000));
  const { digest } = await upload.commit();
  const at = (Date.now() - ago) / 1000;
  await utimes(fileOf(digest), at, at);
  return digest;
};

test('the blob of a document that was replaced goes once nobody reads it any more', async () => {
  const installed = await start();
  await installed.keep('i', randomBytes(10));
  const { digest } = await installed.keep('i', randomBytes(10));
  await installed.space.look();
  expect(await blobs(installed)).toHaveLength(2);
  installed.clock.now += 6 * MINUTE;
  await installed.space.look();
  expect(await blobs(installed)).toEqual([digest]);
  expect(await installed.ledger.sizes()).toMatchObject({ blobs: 1, orphanedBytes: 0 });
});

test('a blob that is not on record goes after a day, not before', async () => {
  const installed = await start();
  const { digest } = await installed.keep('a', randomBytes(10));
  const [young, old] = [await stray(installed, 23 * HOUR), await stray(installed, 25 * HOUR)];
  await utimes(installed.fileOf(digest), 1, 1);
  await installed.space.look();
  expect((await blobs(installed)).sort()).toEqual([digest, young].sort());
  installed.clock.now += 25 * HOUR;
  await installed.space.look();
  expect(await blobs(installed)).toEqual([digest]);
  expect(old).toBeTypeOf('string');
  expect((await installed.ledger.blobs({ limit: 10 })).map((row) => row.digest)).toEqual([digest]);
});

test('a store whose blobs are mostly unknown belongs to somebody else: nothing is deleted', async () => {
  const installed = await start();
  await installed.keep('a', randomBytes(10));
  for (let n = 0; n < 20; n += 1) await stray(installed, 30 * DAY);
  await installed.space.look();
  expect(await blobs(installed)).toHaveLength(21);
  expect(installed.said.join()).toContain('does another installation use it');
});

test('the walk through a large store goes on where it was, also after a restart', async () => {
  const installed = await start();
  for (let from = 0; from < 2200; from += 50)
    await Promise.all(
      Array.from({ length: 50 }, (_, at) => installed.keep(`p${from + at}`, Buffer.from(`bytes ${from + at}`))),
    );
  await installed.space.look();
  const halfway = await installed.space.status();
  expect(halfway.sweep).toMatchObject({ after: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), looked: 2048 });
  await installed.close();
  open.splice(0);
  const again = await start({ data: installed.data });
  await again.space.look();
  expect((await again.space.status()).sweep).toEqual({ walkedAt: again.clock.now });
});

test('evidence goes after ninety days', async () => {
  const installed = await start();
  const { now } = installed.clock;
  await installed.keep('taken-back', randomBytes(10), { retractedAt: now - 91 * DAY });
  await installed.keep('taken-back-lately', randomBytes(10), { retractedAt: now - 89 * DAY });
  await installed.keep(`changed\u001fsha256:${'1'.repeat(64)}`, randomBytes(10), { fetchedAt: now - 91 * DAY });
  await installed.keep('old', randomBytes(10), { fetchedAt: now - 900 * DAY });
  await installed.space.look();
  const left = await installed.ledger.objects({ repository: 'npm-public' }, { limit: 10 });
  expect(left.map(({ path }) => path)).toEqual(['old', 'taken-back-lately']);
});

test.each([
  ['before the bytes are gone', 'delete'],
  ['after the bytes are gone', 'buried'],
] as const)('a deletion broken off %s is finished by the next start', async (_, step) => {
  const dead = new Error('the process was killed');
  const first = await start({
    store: (real) =>
      new Proxy(
        real,
        rejecting<Store>('delete', () => step === 'delete', dead),
      ),
    ledger: (real) => ({ ...real, ...(step === 'buried' ? { buried: () => Promise.reject(dead) } : {}) }) as Ledger,
  });
  const row = await first.keep('a', randomBytes(10));
  await expect(first.objects.evict({ repository: 'npm-public', path: 'a' })).rejects.toThrow(dead.message);
  expect(await blobs(first)).toHaveLength(step === 'delete' ? 1 : 0);
  await expect(first.ledger.recordObject(row)).rejects.toBeInstanceOf(BlobGoing);
  await first.close();
  open.splice(0);

  const second = await start({ data: first.data });
  await second.space.look();
  expect(await blobs(second)).toEqual([]);
  expect(await second.ledger.sizes()).toMatchObject({ blobs: 0 });
  await second.ledger.recordObject(row);
  expect(await readdir(join(second.data, 'tmp'))).toEqual([]);
});

test('many that keep, evict and sweep the same few bytes at once leave no row without its bytes', async () => {
  const installed = await start({ deps: { times: { grace: -MINUTE, stray: -MINUTE, between: 0, brokenOff: 0 } } });
  const few = Array.from({ length: 4 }, (_, n) => Buffer.from(`one of a few ${n}`));
  const round = async (n: number): Promise<void> => {
    await installed.keep(`p${n % 7}`, few[n % 4] ?? Buffer.of());
    if (n % 3 === 0) await installed.objects.evict({ repository: 'npm-public', path: `p${(n + 1) % 7}` });
    if (n % 5 === 0) await installed.space.look();
  };
  await Promise.all(Array.from({ length: 150 }, (_, n) => round(n)));
  await installed.keep('p0', few[0] ?? Buffer.of());
  await installed.space.look();
  const there = new Set(await blobs(installed));
  const rows = await installed.ledger.objects({ repository: 'npm-public' }, { limit: 100 });
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.filter(({ digest }) => !there.has(digest))).toEqual([]);
  expect([...there].sort()).toEqual([...new Set(rows.map(({ digest }) => digest))].sort());
});

function rejecting<Part extends object>(method: keyof Part, when: () => boolean, error: Error): ProxyHandler<Part> {
  return {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name === method && when()) return () => Promise.reject(error);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  };
}
