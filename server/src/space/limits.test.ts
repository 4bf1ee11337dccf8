import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Installation, install, MINUTE } from './fixtures.ts';

let installed: Installation;
beforeEach(async () => {
  installed = await install();
});
afterEach(() => installed.close());

const limit = (store: number | undefined, remotes: readonly (readonly [string, number])[] = []) => {
  installed.limits.current = { remotes: new Map(remotes), ...(store === undefined ? {} : { store }) };
};
/** Objects of 1,000 bytes, each used a minute after the one before, all over a minute ago. */
const fill = async (count: number, repository = 'npm-public', from = 0) => {
  for (let n = from; n < from + count; n += 1) {
    await installed.keep(`${repository}-${String(n).padStart(3, '0')}`, randomBytes(1000), { repository });
    installed.clock.now += MINUTE;
  }
  installed.clock.now += MINUTE;
};
const paths = async (repository = 'npm-public') =>
  (await installed.ledger.objects({ repository }, { limit: 1000 })).map(({ path }) => path);
const blobs = async () => {
  const found: string[] = [];
  for await (const { digest } of installed.store.list()) found.push(digest);
  return found;
};

test('a remote over its size loses what was used least recently, until a tenth of it is free', async () => {
  await fill(20);
  limit(undefined, [['npm-public', 10_500]]);
  await installed.space.look();
  expect(await paths()).toEqual(Array.from({ length: 9 }, (_, n) => `npm-public-0${n + 11}`));
  expect(await blobs()).toHaveLength(9);
  expect(installed.events).toMatchObject([
    { kind: 'evicted', repository: 'npm-public', details: { why: 'space', objects: 11, bytes: 11_000 } },
  ]);
  await installed.space.look();
  expect(installed.events).toHaveLength(1);
});

test('other remotes, and what was published here, do not pay for it', async () => {
  await fill(5, 'other');
  await installed.keep('published', randomBytes(50_000), { repository: 'builds', upstream: '' });
  await fill(20);
  limit(undefined, [['npm-public', 10_000]]);
  await installed.space.look();
  expect([await paths('other'), await paths('builds')].map(({ length }) => length)).toEqual([5, 1]);
});

test('a store over its size loses what any remote used least recently, never what was published here', async () => {
  await installed.keep('published', randomBytes(5000), { repository: 'builds', upstream: '' });
  await fill(5, 'old');
  await fill(10, 'new');
  limit(10_000);
  await installed.space.look();
  expect([await paths('builds'), await paths('old'), await paths('new')].map(({ length }) => length)).toEqual([
    1, 0, 4,
  ]);
  expect((await installed.ledger.sizes()).bytes).toBe(9000);
});

test('a store that is full of what may not go says so, once in a while', async () => {
  await installed.keep('published', randomBytes(5000), { repository: 'builds', upstream: '' });
  await fill(1);
  limit(1000);
  await installed.space.look();
  installed.space.grew('npm-public', 1000);
  await installed.space.look();
  expect(await paths()).toEqual([]);
  expect(installed.said.filter((message) => message.includes('nothing more may be evicted'))).toHaveLength(1);
});

test('bytes that another object means too are freed only with the last of them', async () => {
  const bytes = randomBytes(5000);
  await installed.keep('a', bytes);
  await installed.keep('b', bytes, { repository: 'other' });
  installed.clock.now += MINUTE;
  await fill(3);
  limit(6000);
  await installed.space.look();
  expect([await paths(), await paths('other')].map(({ length }) => length)).toEqual([3, 0]);
  expect(await blobs()).toHaveLength(3);
});

test('a file larger than its limit goes before it drives out everything else', async () => {
  await fill(5);
  await installed.keep('huge', randomBytes(20_000));
  installed.clock.now += 2 * MINUTE;
  limit(undefined, [['npm-public', 10_000]]);
  await installed.space.look();
  expect(await paths()).toEqual(Array.from({ length: 5 }, (_, n) => `npm-public-00${n}`));
});

test('a file larger than its limit is not fetched and evicted in turn: it has its minute', async () => {
  await fill(5);
  limit(undefined, [['npm-public', 10_000]]);
  await installed.space.look();
  await installed.keep('huge', randomBytes(20_000));
  installed.space.grew('npm-public', 20_000);
  await installed.space.look();
  expect(await paths()).toContain('huge');
});

test('what is being read is spared, and what was served goes on to its end', async () => {
  await fill(10);
  const [first] = await installed.ledger.objects({ repository: 'npm-public' }, { limit: 1 });
  const digest = first?.digest ?? '';
  const blob = await installed.store.open(digest);
  limit(undefined, [['npm-public', 5000]]);
  await installed.space.look();
  expect(await paths()).toContain('npm-public-000');
  installed.clock.now += 2 * MINUTE;
  limit(undefined, [['npm-public', 1000]]);
  await installed.space.look();
  expect(await paths()).not.toContain('npm-public-000');
  expect(await installed.store.open(digest)).toBeUndefined();
  expect((await blob?.bytes())?.length).toBe(1000);
  blob?.release();
});

test('evidence is not evicted', async () => {
  await installed.keep('taken-back', randomBytes(1000), { retractedAt: installed.clock.now });
  await installed.keep('changed', randomBytes(1000), { disputed: `sha256:${'1'.repeat(64)}` });
  await installed.keep(`changed\u001fsha256:${'1'.repeat(64)}`, randomBytes(1000));
  await fill(5);
  limit(undefined, [['npm-public', 3500]]);
  await installed.space.look();
  expect(await paths()).toEqual(['changed', `changed\u001fsha256:${'1'.repeat(64)}`, 'taken-back']);
});

test('a disk that runs short is relieved, and whoever runs it is told', async () => {
  await fill(10);
  installed.room.current = { free: 999_996_000, total: 10e9 };
  const needed = 1e9 * 1.2 - installed.room.current.free;
  expect(needed).toBeGreaterThan(10_000);
  await installed.space.look();
  expect(await paths()).toEqual([]);
  expect(installed.said.join()).toContain('the disk is nearly full');
  installed.room.current = { free: 1_000_000_000, total: 10e9 };
  await fill(3);
  await installed.space.look();
  expect(await paths()).toHaveLength(3);
});

test('a remote that grows over its size is looked after at once', async () => {
  limit(undefined, [['npm-public', 10_000]]);
  await fill(8);
  await installed.space.look();
  await fill(8, 'npm-public', 8);
  for (let n = 0; n < 8; n += 1) installed.space.grew('npm-public', 1000);
  await expect.poll(async () => (await paths()).length).toBe(9);
});
