import { randomBytes } from 'node:crypto';
import { open, readdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Store } from '../store/store.ts';
import { DAY, HOUR, type Installation, install, MINUTE } from './fixtures.ts';
import type { SpaceDeps } from './space.ts';

const started: Installation[] = [];
const start = async (deps: Partial<SpaceDeps> = {}, store?: (real: Store) => Store): Promise<Installation> => {
  const installed = await install({ deps: { scrubEvery: 30 * DAY, ...deps }, ...(store ? { store } : {}) });
  started.push(installed);
  return installed;
};
afterEach(async () => {
  for (const each of started.splice(0)) await each.close();
});

/** The first bit of the last byte. */
const flip = async (file: string): Promise<void> => {
  const handle = await open(file, 'r+');
  const { size } = await handle.stat();
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, size - 1);
  await handle.write(Buffer.from([(last[0] ?? 0) ^ 1]), 0, 1, size - 1);
  await handle.close();
};
/** Everything is due. */
const round = async (installed: Installation): Promise<void> => {
  await installed.space.look();
  installed.clock.now += 31 * DAY;
  await installed.space.look();
};

test('a round reads every blob once, spread over its time', async () => {
  const installed = await start();
  for (let n = 0; n < 30; n += 1) await installed.keep(`p${n}`, randomBytes(10_000));
  const read: number[] = [];
  for (let day = 0; day <= 30; day += 5) {
    await installed.space.look();
    const { scrub } = await installed.space.status();
    read.push(scrub.last?.blobs ?? scrub.blobs ?? 0);
    installed.clock.now += 5 * DAY;
  }
  expect(read).toEqual([0, 6, 11, 16, 21, 26, 30]);
  const { scrub } = await installed.space.status();
  expect(scrub).toMatchObject({ blobs: 0, last: { blobs: 30, bytes: 300_000, damaged: 0 } });
  installed.clock.now -= 5 * DAY;
  await installed.space.look();
  expect((await installed.space.status()).scrub.last?.at).toBe(scrub.last?.at);
});

test('a flipped bit is found, its bytes are kept to be looked at, and the object is fetched again', async () => {
  const installed = await start();
  const row = await installed.keep('a', randomBytes(300_000));
  await installed.keep('b', randomBytes(10));
  await flip(installed.fileOf(row.digest));
  await round(installed);
  expect(await installed.objects.get('npm-public', 'a')).toBeUndefined();
  expect(await installed.objects.get('npm-public', 'b')).toBeDefined();
  expect(await installed.store.open(row.digest)).toBeUndefined();
  expect(await readdir(join(installed.data, 'quarantine'))).toEqual([row.digest.slice(7)]);
  expect(await installed.space.status()).toMatchObject({ quarantined: 1, lost: [], scrub: { last: { damaged: 1 } } });
  expect(installed.said).toContain('a blob is corrupt');
  expect(installed.events).toMatchObject([
    { kind: 'evicted', repository: 'npm-public', details: { path: 'a', why: 'corrupt' } },
  ]);
});

test('a blob that was cut, and one that is gone, are found too', async () => {
  const installed = await start();
  const [cut, gone] = [await installed.keep('cut', randomBytes(300)), await installed.keep('gone', randomBytes(300))];
  await truncate(installed.fileOf(cut.digest), 100);
  await rm(installed.fileOf(gone.digest));
  await round(installed);
  expect(await installed.ledger.objects({ repository: 'npm-public' }, { limit: 10 })).toEqual([]);
  expect(await installed.ledger.sizes()).toMatchObject({ blobs: 0 });
});

test('what was published here stays on record and is named until it is published again', async () => {
  const installed = await start();
  const bytes = randomBytes(300);
  const given = { repository: 'builds', upstream: '' };
  const row = await installed.keep('a', bytes, given);
  await flip(installed.fileOf(row.digest));
  const since = installed.clock.now;
  await round(installed);
  const lost = [{ digest: row.digest, repository: 'builds', path: 'a', since }];
  expect(installed.space.lost).toEqual(lost);
  expect(await installed.objects.get('builds', 'a')).toMatchObject({ digest: row.digest });
  const alerts = () => installed.ledger.alerts({ state: 'current' }, { limit: 10 });
  expect(await alerts()).toMatchObject([{ kind: 'damaged_blob', repository: 'builds', name: 'a' }]);
  expect(installed.events).toMatchObject([{ kind: 'alert', repository: 'builds', details: { alert: 'damaged_blob' } }]);

  await installed.keep('a', bytes, given);
  await installed.space.look();
  expect([installed.space.lost, await alerts()]).toEqual([[], []]);
  const blob = await installed.store.open(row.digest);
  expect((await blob?.bytes())?.equals(bytes)).toBe(true);
  blob?.release();
});

test('one wrong reading is not believed', async () => {
  let lies = 1;
  const installed = await start({}, (real) => lyingOnce(real, () => lies-- > 0));
  const { digest } = await installed.keep('a', randomBytes(300));
  await round(installed);
  expect(await installed.space.status()).toMatchObject({ quarantined: 0, scrub: { last: { blobs: 1, damaged: 0 } } });
  expect(await installed.store.stat(digest)).toBeDefined();
});

test('with 0 nothing is read again', async () => {
  const installed = await start({ scrubEvery: 0 });
  await installed.keep('a', randomBytes(300));
  await round(installed);
  expect((await installed.space.status()).scrub).toEqual({});
});

test('what another process has the right to do is not done here', async () => {
  let isFree = false;
  const lost = new AbortController();
  const lease = async () => (isFree ? { lost: lost.signal, release: async () => {} } : undefined);
  const installed = await start({ lease });
  await installed.keep('a', randomBytes(300));
  await installed.space.look();
  expect((await installed.space.status()).scrub).toEqual({});
  isFree = true;
  await installed.space.look();
  expect((await installed.space.status()).scrub).toMatchObject({ last: { blobs: 1 } });
});

test('a clock that jumps an hour back and forth does nothing but shift the time', async () => {
  const installed = await start();
  for (let n = 0; n < 10; n += 1) await installed.keep(`p${n}`, randomBytes(1000));
  for (const jump of [0, -HOUR, HOUR, 2 * HOUR, -3 * HOUR, MINUTE]) {
    installed.clock.now += jump;
    await installed.space.look();
  }
  expect(installed.said).toEqual([]);
  expect(await installed.ledger.sizes()).toMatchObject({ blobs: 10 });
});

/** A store whose next reading has a wrong byte when `lies` says so. */
function lyingOnce(real: Store, lies: () => boolean): Store {
  return new Proxy(real, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name !== 'open') return typeof value === 'function' ? value.bind(target) : value;
      return async (digest: string) => {
        const blob = await target.open(digest);
        if (!blob || !lies()) return blob;
        const wrong = Buffer.alloc(blob.size);
        const stream = async function* () {
          yield wrong;
        };
        return { digest, size: blob.size, stream, bytes: async () => wrong, release: () => blob.release() };
      };
    },
  });
}
