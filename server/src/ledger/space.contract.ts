import { expect, test } from 'vitest';
import type { Harness } from './contract-harness.ts';
import { BlobGoing, type UsedObject } from './ledger.ts';
import { digestOf, objectRow, pullRow } from './samples.ts';

const HOUR = 3_600_000;

export function useContract(harness: () => Harness): void {
  const least = (given: object = {}) =>
    harness().ledger.leastUsed({ before: Number.MAX_SAFE_INTEGER, limit: 100, ...given });
  const paths = (found: readonly UsedObject[]) => found.map(({ path }) => path);

  test('what was fetched or found unchanged longest ago was used least', async () => {
    const { ledger } = harness();
    for (const [path, at] of [
      ['c', 3000],
      ['a', 1000],
      ['b', 2000],
    ] as const)
      await ledger.recordObject(objectRow({ path, fetchedAt: at, checkedAt: at }));
    expect(paths(await least())).toEqual(['a', 'b', 'c']);
    await ledger.refreshObject('npm-public', 'a', { checkedAt: 9000, freshUntil: 10_000 });
    expect(await least({ limit: 2 })).toMatchObject([
      { path: 'b', usedAt: 2000 },
      { path: 'c', size: 1000 },
    ]);
    expect(paths(await least({ before: 3000 }))).toEqual(['b']);
    expect(await least({ repository: 'other' })).toEqual([]);
  });

  test('a pull makes it used anew, when that is over an hour later', async () => {
    const { ledger } = harness();
    await ledger.recordObject(objectRow({ fetchedAt: 1000, checkedAt: 1000 }));
    const usedAt = async () => (await least())[0]?.usedAt;
    const pulled = (order: number, at: number, given = {}) =>
      ledger.loadPulls([pullRow(order, { at, ...given })], { segment: 's', offset: order });
    await pulled(1, 1000 + HOUR);
    expect(await usedAt()).toBe(1000);
    await pulled(2, 1001 + HOUR, { decision: 'refused' });
    expect(await usedAt()).toBe(1000);
    await pulled(3, 1001 + HOUR);
    expect(await usedAt()).toBe(1001 + HOUR);
    await pulled(4, 500);
    expect(await usedAt()).toBe(1001 + HOUR);
  });

  test('what was published here, taken back, changed or kept beside is never among the least used', async () => {
    const { ledger } = harness();
    await ledger.recordObject(objectRow({ path: 'published', upstream: '' }));
    await ledger.recordObject(objectRow({ path: 'taken back', retractedAt: 50 }));
    await ledger.recordObject(objectRow({ path: 'changed', disputed: digestOf('other') }));
    await ledger.recordObject(objectRow({ path: `changed\u001f${digestOf('other')}`, fetchedAt: 70 }));
    await ledger.recordObject(objectRow({ path: 'usual' }));
    expect(paths(await least())).toEqual(['usual']);
    const old = async (before: number) => paths(await ledger.oldEvidence(before, 10));
    expect(await old(50)).toEqual([]);
    expect(await old(51)).toEqual(['taken back']);
    expect(await old(71)).toEqual(['taken back', `changed\u001f${digestOf('other')}`]);
  });

  test('the largest come first where only what is larger than a limit is asked for', async () => {
    const { ledger } = harness();
    for (const size of [5, 50, 500]) await ledger.recordObject(objectRow({ path: String(size), size }));
    expect(paths(await least({ repository: 'npm-public', largerThan: 5 }))).toEqual(['500', '50']);
  });

  test('what was used or replaced since it was found stays', async () => {
    const { ledger } = harness();
    for (const path of ['a', 'b', 'c'])
      await ledger.recordObject(objectRow({ path, digest: digestOf(path), fetchedAt: 1000, checkedAt: 1000 }));
    const found = await least();
    await ledger.refreshObject('npm-public', 'a', { checkedAt: 2000, freshUntil: 3000 });
    await ledger.recordObject(objectRow({ path: 'b', digest: digestOf('new'), fetchedAt: 1000, checkedAt: 1000 }));
    expect(await ledger.evictUnused(found, 5000)).toEqual({
      objects: 1,
      bytes: 1000,
      paths: ['c'],
      blobs: [digestOf('c')],
    });
    expect(paths(await least())).toEqual(['b', 'a']);
  });

  test('sizes are of every repository, and of blobs counted once', async () => {
    const { ledger } = harness();
    await ledger.recordObject(objectRow({ size: 10 }));
    await ledger.recordObject(objectRow({ size: 10, repository: 'mirror' }));
    await ledger.recordObject(objectRow({ path: 'i', size: 7, digest: digestOf('first') }));
    await ledger.recordObject(objectRow({ path: 'i', size: 8, digest: digestOf('second') }));
    expect(await ledger.sizes()).toEqual({
      blobs: 3,
      bytes: 25,
      orphanedBytes: 7,
      byRepository: [
        { repository: 'mirror', objects: 1, bytes: 10 },
        { repository: 'npm-public', objects: 2, bytes: 18 },
      ],
    });
  });
}

export function blobContract(harness: () => Harness): void {
  const [one, two] = [digestOf('one'), digestOf('two')];
  const replaced = async () => {
    const { ledger } = harness();
    await ledger.recordObject(objectRow({ path: 'i', digest: one, fetchedAt: 1000 }));
    await ledger.recordObject(objectRow({ path: 'i', digest: two, fetchedAt: 2000 }));
    return ledger;
  };

  test('what nothing means is condemned once it was so for long enough, and no object can mean it until it is gone', async () => {
    const ledger = await replaced();
    expect(await ledger.condemn(2000, 10, 3000)).toEqual([]);
    expect(await ledger.condemn(2001, 10, 3000)).toEqual([one]);
    expect(await ledger.condemn(9000, 10, 3001)).toEqual([]);
    const again = objectRow({ path: 'again', digest: one });
    await expect(ledger.recordObject(again)).rejects.toBeInstanceOf(BlobGoing);
    await expect(ledger.reserve({ digest: one, size: 1000 }, 9000, 3000)).rejects.toMatchObject({ digest: one });
    expect(await ledger.object('npm-public', 'again')).toBeUndefined();
    await ledger.buried([one, two]);
    await ledger.recordObject(again);
    expect((await ledger.blobs({ limit: 10 })).map(({ digest }) => digest)).toEqual([one, two].sort());
  });

  test('a publication of a blob that is being deleted does nothing at all', async () => {
    const ledger = await replaced();
    await ledger.condemn(2001, 10, 3000);
    const object = objectRow({ path: 'p', digest: one, upstream: '' });
    const change = { repository: 'npm-public', format: 'npm', package: 'p', at: 4000, files: [{ object }] };
    await expect(ledger.publish({ ...change, metadata: [], removed: [] })).rejects.toBeInstanceOf(BlobGoing);
    expect(await ledger.hostedPackage('npm-public', 'p')).toBeUndefined();
  });

  test('what is meant again is spared', async () => {
    const ledger = await replaced();
    await ledger.recordObject(objectRow({ path: 'other', digest: one }));
    expect(await ledger.condemn(9000, 10, 9000)).toEqual([]);
    expect((await ledger.sizes()).orphanedBytes).toBe(0);
  });

  test('what is reserved is spared until its time is over', async () => {
    const ledger = await replaced();
    await ledger.reserve({ digest: one, size: 1000 }, 5000, 3000);
    await ledger.reserve({ digest: digestOf('new'), size: 5 }, 4000, 3000);
    await ledger.reserve({ digest: one, size: 1000 }, 4000, 3000);
    expect(await ledger.condemn(9000, 10, 3500)).toEqual([]);
    expect(await ledger.evict({ repository: 'npm-public', all: true }, 3500)).toMatchObject({ blobs: [two] });
    expect(await ledger.condemn(9000, 10, 4000)).toEqual([digestOf('new')]);
    expect(await ledger.condemn(9000, 10, 5000)).toEqual([one]);
  });

  test('a deletion that was broken off is found again', async () => {
    const ledger = await replaced();
    await ledger.condemn(9000, 10, 3000);
    expect(await ledger.dying(3000, 10)).toEqual([]);
    expect(await ledger.dying(3001, 10)).toEqual([one]);
    await ledger.buried([one]);
    expect(await ledger.dying(9000, 10)).toEqual([]);
  });

  test('of what is in the store only what is not on record is disowned', async () => {
    const ledger = await replaced();
    const found = [one, two, digestOf('stray')].map((digest) => ({ digest, size: 3 }));
    expect(await ledger.disown(found, 3000)).toEqual([digestOf('stray')]);
    expect(await ledger.disown(found, 3000)).toEqual([]);
    expect(await ledger.dying(3001, 10)).toEqual([digestOf('stray')]);
    await expect(ledger.recordObject(objectRow({ digest: digestOf('stray') }))).rejects.toBeInstanceOf(BlobGoing);
  });

  test('an orphan that nobody noticed is marked when it is looked at', async () => {
    const ledger = await replaced();
    await ledger.recordObject(objectRow({ path: 'i', digest: one, fetchedAt: 4000 }));
    await ledger.markUnmeant([one, two], 5000);
    expect(await ledger.blobs({ limit: 10, after: '' })).toEqual(
      [
        { digest: one, size: 1000 },
        { digest: two, size: 1000, orphanedAt: 4000 },
      ].sort((a, b) => (a.digest < b.digest ? -1 : 1)),
    );
  });

  test('who holds a blob is every object that means it', async () => {
    const { ledger } = harness();
    await ledger.recordObject(objectRow({ path: 'a', digest: one }));
    await ledger.recordObject(objectRow({ path: 'b', digest: one, upstream: '', repository: 'builds' }));
    await ledger.recordObject(objectRow({ path: 'c', digest: two }));
    const holders = await ledger.holders([one]);
    expect(holders.toSorted((a, b) => a.path.localeCompare(b.path))).toEqual([
      { repository: 'npm-public', path: 'a', digest: one, size: 1000, hosted: false },
      { repository: 'builds', path: 'b', digest: one, size: 1000, hosted: true },
    ]);
    expect(await ledger.holders([])).toEqual([]);
  });

  test('whatever records and evicts the same bytes at once, no object means a blob that is being deleted', async () => {
    const { ledger, again, rows } = harness();
    const other = await again();
    const record = (n: number) =>
      (n % 2 ? ledger : other)
        .recordObject(objectRow({ path: `p${n % 5}`, digest: n % 3 ? one : two }))
        .catch((error: unknown) => {
          if (!(error instanceof BlobGoing)) throw error;
        });
    const remove = async (n: number) => {
      const { blobs } = await (n % 2 ? other : ledger).evict({ repository: 'npm-public', path: `p${n % 5}` }, 5000);
      await other.buried(blobs);
      await ledger.buried(await ledger.condemn(9_000_000, 10, 9_000_000));
    };
    await Promise.all(Array.from({ length: 120 }, (_, n) => (n % 3 === 2 ? remove(n) : record(n))));
    await other.close();
    const wrong = await rows(
      `SELECT o."path" FROM "object" o LEFT JOIN "blob" b ON b."digest" = o."digest" WHERE b."digest" IS NULL OR b."deleting_at" IS NOT NULL`,
    );
    expect(wrong).toEqual([]);
    const unmarked = await rows(
      `SELECT "digest" FROM "blob" WHERE "orphaned_at" IS NULL AND NOT EXISTS (SELECT 1 FROM "object" o WHERE o."digest" = "blob"."digest")`,
    );
    expect(unmarked).toEqual([]);
  });
}
