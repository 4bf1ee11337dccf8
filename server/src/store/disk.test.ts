import { mkdir, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DiskStore } from './disk.ts';
import { type Files, systemFiles } from './files.ts';
import { consume, put, sample, sha256, storeContract } from './store.contract.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'entrepot-store-'));
});
afterAll(() => rm(root, { recursive: true }));

const folder = (): Promise<string> => mkdtemp(join(root, 'data-'));
const failing = (code: string): Error => Object.assign(new Error(`${code}: no`), { code });

storeContract('disk store', async ({ now }) => DiskStore.open(await folder(), { now }));
storeContract('disk store with one descriptor', async ({ now }) =>
  DiskStore.open(await folder(), { now, descriptors: 1 }),
);

/** A file system that fails once `fail` is set. */
function faulty(): { files: Files; fail?: { in: 'open' | 'write' | 'sync' | 'rename'; code: string } } {
  const state: ReturnType<typeof faulty> = { files: systemFiles };
  const failIn = (where: string): void => {
    if (state.fail?.in === where) throw failing(state.fail.code);
  };
  state.files = {
    ...systemFiles,
    open: async (path, flags) => {
      if (flags !== 'r') failIn('open');
      const handle = await systemFiles.open(path, flags);
      return new Proxy(handle, {
        get: (target, name) => {
          if (name === 'write' || name === 'sync') failIn(name);
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
    rename: async (from, to) => {
      failIn('rename');
      await systemFiles.rename(from, to);
    },
  };
  return state;
}

describe('where a blob is', () => {
  test('two levels of folders, named by the digest', async () => {
    const data = await folder();
    const store = await DiskStore.open(data);
    const digest = await put(store, Buffer.from('hello'));
    const hex = digest.slice(7);
    expect(await readdir(join(data, 'blobs', 'sha256', hex.slice(0, 2), hex.slice(2, 4)))).toEqual([hex]);
    expect(await readdir(join(data, 'tmp'))).toEqual([]);
  });

  test('a store opened again has what was stored', async () => {
    const data = await folder();
    const digest = await put(await DiskStore.open(data), Buffer.from('hello'));
    const blob = await (await DiskStore.open(data)).open(digest);
    expect((await blob?.bytes())?.toString()).toBe('hello');
    blob?.release();
  });
});

describe('after a crash', () => {
  test('half written files of dead processes are removed, those of a living one are not', async () => {
    const data = await folder();
    await mkdir(join(data, 'tmp'), { recursive: true });
    const dead = ['999999999-a', `${process.pid}-b`, 'left'];
    for (const name of [...dead, `${process.ppid}-c`, `${process.ppid}-old`])
      await writeFile(join(data, 'tmp', name), 'x');
    await utimes(join(data, 'tmp', `${process.ppid}-old`), 1, 1);
    await DiskStore.open(data);
    expect(await readdir(join(data, 'tmp'))).toEqual([`${process.ppid}-c`]);
  });

  test('a blob that lost bytes is read as corrupt, and replaced when it is stored again', async () => {
    const data = await folder();
    const store = await DiskStore.open(data);
    const bytes = sample(3_000_000);
    const digest = await put(store, bytes);
    const blob = await store.open(digest);
    const hex = digest.slice(7);
    await truncate(join(data, 'blobs', 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex), 2_000_000);
    await expect(blob && consume(blob)).rejects.toMatchObject({ name: 'StoreError', reason: 'corrupt' });
    await put(store, bytes);
    const healed = await store.open(digest);
    expect((await healed?.bytes())?.equals(bytes)).toBe(true);
    healed?.release();
    await store.close();
  });

  test('a blob of which a bit was flipped is replaced when it is stored again', async () => {
    const data = await folder();
    const store = await DiskStore.open(data);
    const bytes = sample(300_000);
    const digest = await put(store, bytes);
    const hex = digest.slice(7);
    const flipped = Buffer.from(bytes);
    flipped[1000] = (flipped[1000] ?? 0) ^ 1;
    await writeFile(join(data, 'blobs', 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex), flipped);
    await put(store, bytes);
    const healed = await store.open(digest);
    expect((await healed?.bytes())?.equals(bytes)).toBe(true);
    healed?.release();
    await store.close();
  });
});

test('what is in quarantine is a file that can be looked at, under its digest', async () => {
  const data = await folder();
  const store = await DiskStore.open(data);
  const digest = await put(store, Buffer.from('hello'));
  await store.quarantine(digest);
  expect(await readFile(join(data, 'quarantine', digest.slice(7)), 'utf8')).toBe('hello');
});

describe('when the disk fails', () => {
  test.each(['write', 'sync', 'rename'] as const)(
    'a full disk at %s keeps nothing and says what to do',
    async (where) => {
      const data = await folder();
      const disk = faulty();
      const store = await DiskStore.open(data, { files: disk.files });
      const bytes = sample(1000);
      const upload = await store.begin();
      const follower = consume(upload.follow());
      disk.fail = { in: where, code: 'ENOSPC' };
      const outcome = expect(upload.write(bytes).then(() => upload.commit())).rejects;
      await Promise.all([
        outcome.toMatchObject({
          name: 'StoreError',
          reason: 'full',
          message: expect.stringMatching(/\/tmp\/.*free space/),
        }),
        expect(follower).rejects.toMatchObject({ reason: 'full' }),
      ]);
      expect(await readdir(join(data, 'tmp'))).toEqual([]);
      delete disk.fail;
      expect(await put(store, bytes)).toBe(sha256(bytes));
    },
  );

  test.each(['EROFS', 'EACCES'])('a folder that cannot be written (%s) is named', async (code) => {
    const data = await folder();
    const disk = faulty();
    const store = await DiskStore.open(data, { files: disk.files });
    const digest = await put(store, Buffer.from('hello'));
    disk.fail = { in: 'open', code };
    const refusal = { name: 'StoreError', reason: 'read_only', message: expect.stringContaining(data) };
    await expect(store.begin()).rejects.toMatchObject(refusal);
    await expect(store.check()).rejects.toMatchObject(refusal);
    const blob = await store.open(digest);
    expect((await blob?.bytes())?.toString()).toBe('hello');
    blob?.release();
  });

  test('a data path that is a file is refused with its name', async () => {
    const data = join(await folder(), 'file');
    await writeFile(data, '');
    await expect(DiskStore.open(data)).rejects.toMatchObject({
      name: 'StoreError',
      reason: 'unreachable',
      message: expect.stringContaining(data),
    });
  });

  test('a blob folder that went away is noticed by the check', async () => {
    const data = await folder();
    const store = await DiskStore.open(data);
    await rm(join(data, 'blobs'), { recursive: true });
    await expect(store.check()).rejects.toMatchObject({
      name: 'StoreError',
      message: expect.stringContaining('blobs'),
    });
  });
});
