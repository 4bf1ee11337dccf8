import { expect, test } from 'vitest';
import type { Harness } from './contract-harness.ts';
import { digestOf, objectRow } from './samples.ts';

/** What several processes on one database rely on. */
export function replicaContract(harness: () => Harness): void {
  const path = objectRow().path;
  const kept = () => harness().ledger.object('npm-public', path);

  test('a fetch that began earlier never overwrites one that began later', async () => {
    const { ledger } = harness();
    const [early, late] = [objectRow({ fence: 10 }), objectRow({ fence: 11, digest: digestOf('later') })];
    expect(await ledger.recordObject(late)).toBe(true);
    expect(await ledger.recordObject(early)).toBe(false);
    expect(await kept()).toEqual(late);
    expect(await ledger.recordObject(late)).toBe(true);
    expect(await ledger.recordObject(objectRow({ fence: 12 }))).toBe(true);
    expect(await kept()).toEqual(objectRow({ fence: 12 }));
  });

  test('fences are as exact as microseconds', async () => {
    const { ledger } = harness();
    const fence = 1_795_302_278_305_562;
    await ledger.recordObject(objectRow({ fence }));
    expect(await ledger.recordObject(objectRow({ fence: fence - 1 }))).toBe(false);
    expect((await kept())?.fence).toBe(fence);
  });

  test('a row that no lease stands behind replaces any, and is replaced by any', async () => {
    const { ledger } = harness();
    await ledger.recordObject(objectRow({ fence: 10 }));
    expect(await ledger.recordObject(objectRow())).toBe(true);
    expect(await ledger.recordObject(objectRow({ fence: 1 }))).toBe(true);
  });

  test('of many fetches that end at once the one that began last is kept', async () => {
    const { ledger, again } = harness();
    const other = await again();
    const fences = Array.from({ length: 20 }, (_, n) => (n * 7) % 20);
    await Promise.all(
      fences.map((fence, n) => (n % 2 ? ledger : other).recordObject(objectRow({ fence, size: fence }))),
    );
    await other.close();
    expect(await kept()).toMatchObject({ fence: 19, size: 19 });
  });

  test('a revalidation of other bytes than those that are there changes nothing', async () => {
    const { ledger } = harness();
    const row = objectRow({ digest: digestOf('new') });
    await ledger.recordObject(row);
    const freshness = { checkedAt: 9000, freshUntil: 9001 };
    expect(await ledger.refreshObject('npm-public', path, freshness, digestOf('old'))).toBe(false);
    expect(await ledger.refreshObject('npm-public', 'none', freshness)).toBe(false);
    expect(await kept()).toEqual(row);
    expect(await ledger.refreshObject('npm-public', path, freshness, row.digest)).toBe(true);
    expect(await kept()).toEqual({ ...row, ...freshness });
  });

  test('what is declared, and what is taken away, marked or published, can be noticed', async () => {
    const { ledger } = harness();
    const before = await ledger.marks();
    await ledger.recordObject(objectRow());
    await ledger.refreshObject('npm-public', path, { checkedAt: 2, freshUntil: 3 });
    expect(await ledger.marks()).toEqual(before);
    await ledger.markObject('npm-public', path, { retractedAt: 7 });
    await ledger.evict({ repository: 'npm-public', path });
    const files = [{ object: objectRow({ repository: 'own', upstream: '', url: '', digest: digestOf('own') }) }];
    await ledger.publish({ repository: 'own', format: 'npm', at: 1, files, metadata: [], removed: [] });
    expect(await ledger.marks()).toEqual({ ...before, removals: before.removals + 3 });
    const spec = { name: 'x' };
    await ledger.change([{ op: 'put', kind: 'remote', name: 'x', spec, managedBy: 'api' }], 1);
    expect(await ledger.marks()).toEqual({ revision: before.revision + 1, removals: before.removals + 3 });
  });
}
