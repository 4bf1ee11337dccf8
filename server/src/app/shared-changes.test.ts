import { expect, test } from 'vitest';
import type { Json } from '../coordination/coordination.ts';
import { MemoryCoordination } from '../coordination/memory.ts';
import type { Evicted, Ledger } from '../ledger/ledger.ts';
import { objectRow } from '../ledger/samples.ts';
import { type ObjectChange, SharedChanges } from './shared-changes.ts';

const evicted = (...paths: string[]): Evicted => ({ objects: paths.length, bytes: 0, paths, blobs: [] });

/** Two processes on one ledger, which counts removals. */
function started() {
  const counted = { removals: 40 };
  const removing = <Result>(result: Result) => {
    counted.removals += 1;
    return Promise.resolve(result);
  };
  const ledger = {
    recordObject: async ({ path }: { path: string }) => path !== 'overtaken',
    refreshObject: async () => true,
    markObject: () => removing(undefined),
    evict: () => removing(evicted('a', 'b')),
    evictUnused: () => removing(evicted('a', 'b', 'c')),
    publish: () => removing({ is: 'done' }),
  } as unknown as Ledger;
  const first = new MemoryCoordination();
  const [one, other] = [new SharedChanges(first), new SharedChanges(first.join())];
  const heard: ObjectChange[] = [];
  other.follow((change) => heard.push(change));
  const say = (message: Json) => first.publish('objects', message);
  const looks = (changes: SharedChanges) => changes.agrees(counted.removals, changes.explained);
  return { told: one.told(ledger), untold: ledger, one, other, heard, looks, say };
}

const used = (repository: string, path: string) => ({ repository, path, digest: 'd', size: 1, usedAt: 1 });
const change = { repository: 'own', format: 'npm', at: 1, metadata: [] };

test('the others hear what became of which paths', async () => {
  const { told, heard } = started();
  await told.recordObject(objectRow({ path: 'p' }));
  await told.recordObject(objectRow({ path: 'overtaken' }));
  await told.refreshObject('npm', 'p', { checkedAt: 1, freshUntil: 2 });
  await told.markObject('npm', 'p', { retractedAt: 1 });
  await told.evict({ repository: 'npm', prefix: 'x' });
  await told.evict({ repository: 'npm', all: true });
  await told.evictUnused([used('npm', 'a'), used('cargo', 'b'), used('npm', 'c')], 1);
  await told.publish({
    ...change,
    files: [{ object: objectRow({ path: 'f' }) }],
    removed: [{ path: 'r', frees: true }],
  });
  const of = (repository: string, ...paths: string[]) => [{ repository, paths }];
  expect(heard).toEqual([
    { isGone: false, of: of('npm-public', 'p') },
    { isGone: false, of: of('npm', 'p') },
    { isGone: true, of: of('npm', 'p') },
    { isGone: true, of: of('npm', 'a', 'b') },
    { isGone: true, of: [{ repository: 'npm', paths: 'all' }] },
    { isGone: true, of: [...of('npm', 'a', 'c'), ...of('cargo', 'b')] },
    { isGone: true, of: of('own', 'f', 'r') },
  ]);
});

test('thousands of paths are all of them', async () => {
  const { told, heard } = started();
  await told.evictUnused(
    Array.from({ length: 5000 }, (_, n) => used('npm', String(n))),
    1,
  );
  expect(heard).toEqual([{ isGone: true, of: [{ repository: 'npm', paths: 'all' }] }]);
});

test('the count of the ledger agrees with what was done and heard', async () => {
  const { told, one, other, looks } = started();
  for (let turn = 0; turn < 3; turn += 1) {
    for (const each of [one, other]) expect(looks(each)).toBe(true);
    await told.evict({ repository: 'npm', all: true });
    await told.markObject('npm', 'p', { retractedAt: 1 });
  }
  for (const each of [one, other]) for (let turn = 0; turn < 3; turn += 1) expect(looks(each)).toBe(true);
});

test('a removal that nobody told of is noticed at the second look, once, and each later one too', async () => {
  const { untold, told, other, looks } = started();
  for (let turn = 0; turn < 3; turn += 1) {
    expect(looks(other)).toBe(true);
    await untold.evict({ repository: 'npm', all: true });
    await told.evict({ repository: 'npm', all: true });
    expect([looks(other), looks(other), looks(other)]).toEqual([true, false, true]);
  }
});

test('what is heard of late, when it was given up for unheard, does not stand for another removal', async () => {
  const { untold, other, looks, say } = started();
  expect(looks(other)).toBe(true);
  await untold.evict({ repository: 'npm', all: true });
  expect([looks(other), looks(other)]).toEqual([true, false]);
  await say({ isGone: true, of: [{ repository: 'npm', paths: 'all' }] });
  expect(looks(other)).toBe(true);
  await untold.evict({ repository: 'npm', all: true });
  expect([looks(other), looks(other)]).toEqual([true, false]);
});
