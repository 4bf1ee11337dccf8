import { randomBytes } from 'node:crypto';
import { rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Installation, install } from './fixtures.ts';

let installed: Installation;
beforeEach(async () => {
  installed = await install();
});
afterEach(() => installed.close());

const verified = async (read = true) => {
  const { verification } = installed.space;
  expect(await verification.start(read)).toMatchObject({ state: 'running' });
  await verification.settled();
  return verification.state();
};

test('a sound store is said to be sound', async () => {
  await Promise.all(Array.from({ length: 300 }, (_, n) => installed.keep(`p${n}`, Buffer.from(`bytes ${n}`))));
  expect(await verified()).toMatchObject({
    state: 'done',
    total: { blobs: 300 },
    done: { blobs: 300 },
    counts: { missing: 0, corrupt: 0, unreferenced: 0 },
    findings: [],
  });
});

test('before the first run there is no state, and an empty store is sound', async () => {
  expect(await installed.space.verification.state()).toBeUndefined();
  expect(await verified()).toMatchObject({ state: 'done', done: { blobs: 0, bytes: 0 } });
});

test('each kind of damage is found, named and dealt with', async () => {
  await Promise.all(Array.from({ length: 200 }, (_, n) => installed.keep(`sound${n}`, Buffer.from(`bytes ${n}`))));
  const [gone, cut, bad] = [
    await installed.keep('gone', randomBytes(100)),
    await installed.keep('cut', randomBytes(100)),
    await installed.keep('bad', randomBytes(100), { repository: 'builds', upstream: '' }),
  ];
  await rm(installed.fileOf(gone.digest));
  await truncate(installed.fileOf(cut.digest), 5);
  await writeFile(installed.fileOf(bad.digest), randomBytes(100));
  const upload = await installed.store.begin();
  await upload.write(randomBytes(100));
  const stray = await upload.commit();
  await utimes(installed.fileOf(stray.digest), 1, 1);

  const run = await verified();
  expect(run?.counts).toEqual({ missing: 1, corrupt: 2, unreferenced: 1 });
  const byKind = run?.findings.toSorted((a, b) => a.size - b.size || a.kind.localeCompare(b.kind));
  expect(byKind?.map(({ kind, digest, objects, remedy }) => [kind, digest, objects, remedy])).toEqual(
    expect.arrayContaining([
      ['missing', gone.digest, [{ repository: 'npm-public', path: 'gone' }], 'fetched_again'],
      ['corrupt', cut.digest, [{ repository: 'npm-public', path: 'cut' }], 'fetched_again'],
      ['corrupt', bad.digest, [{ repository: 'builds', path: 'bad' }], 'publish_again'],
      ['unreferenced', stray.digest, [], 'swept'],
    ]),
  );
  expect(await installed.objects.get('npm-public', 'gone')).toBeUndefined();
  expect(installed.space.lost).toMatchObject([{ path: 'bad' }]);

  await installed.space.look();
  await rm(installed.fileOf(bad.digest), { force: true });
  expect((await verified())?.counts).toEqual({ missing: 1, corrupt: 0, unreferenced: 0 });
});

test('what is not read is compared by its size', async () => {
  const [cut, bad] = [await installed.keep('cut', randomBytes(100)), await installed.keep('bad', randomBytes(100))];
  await truncate(installed.fileOf(cut.digest), 5);
  await writeFile(installed.fileOf(bad.digest), randomBytes(100));
  expect((await verified(false))?.counts).toEqual({ missing: 0, corrupt: 1, unreferenced: 0 });
  expect((await verified(true))?.counts).toEqual({ missing: 0, corrupt: 1, unreferenced: 0 });
});

test('one run at a time, and one whose process has ended is known as broken off', async () => {
  await installed.keep('a', randomBytes(100));
  const { verification } = installed.space;
  const both = await Promise.all([verification.start(true), verification.start(true)]);
  expect(both.filter((one) => one === undefined)).toHaveLength(1);
  await verification.settled();
  const run = await verification.state();
  await installed.ledger.setFact('space.verify', JSON.stringify({ run: { ...run, state: 'running' } }));
  expect(await verification.start(true)).toBeUndefined();
  installed.clock.now += 120_000;
  expect(await verification.state()).toMatchObject({ state: 'broken_off' });
  expect(await verified()).toMatchObject({ state: 'done' });
});
