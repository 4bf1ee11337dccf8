import { expect, test } from 'vitest';
import { FirstSeen } from './first-seen.ts';

function ledger(versions: readonly string[] = ['1.0.0']) {
  const asked: string[] = [];
  let broken = false;
  return {
    asked,
    breaks(is: boolean) {
      broken = is;
    },
    seen(repository: string, name: string) {
      asked.push(`${repository} ${name}`);
      if (broken) return Promise.reject(new Error('the disk is full'));
      return Promise.resolve(versions.map((version, at) => ({ version, firstSeenAt: 1000 + at, baseline: at === 0 })));
    },
  };
}

test('says of every version when it was first listed, and whether that was the first listing', async () => {
  const sights = await new FirstSeen(ledger(['1.0.0', '1.1.0'])).of('npm-public', 'express', 'a');
  expect(sights).toEqual({ '1.0.0': { at: 1000, baseline: true }, '1.1.0': { at: 1001, baseline: false } });
});

test('the ledger is asked once for a listing, and anew for another one, another package and another repository', async () => {
  const held = ledger();
  const seen = new FirstSeen(held);
  await Promise.all([seen.of('npm-public', 'express', 'a'), seen.of('npm-public', 'express', 'a')]);
  await seen.of('npm-public', 'express', 'a');
  expect(held.asked).toEqual(['npm-public express']);
  await seen.of('npm-public', 'express', 'b');
  await seen.of('npm-public', 'lodash', 'a');
  await seen.of('npm-internal', 'express', 'a');
  expect(held.asked.slice(1)).toEqual(['npm-public express', 'npm-public lodash', 'npm-internal express']);
});

test('a listing that was asked about before is not asked about again because another was meanwhile', async () => {
  const held = ledger();
  const seen = new FirstSeen(held);
  for (const generation of ['a', 'b', 'a', 'b']) await seen.of('npm-public', 'express', generation);
  expect(held.asked).toHaveLength(2);
});

test('releases that are known already are not asked about; one that is not has the ledger asked for all of them', async () => {
  const held = ledger(['1.0.0', '1.1.0']);
  const seen = new FirstSeen(held);
  expect(Object.keys(await seen.with('npm-public', 'express', ['1.0.0']))).toEqual(['1.0.0', '1.1.0']);
  expect(held.asked).toEqual(['npm-public express']);
  const known = await seen.with('npm-public', 'express', ['1.0.0', '1.1.0']);
  expect(known['1.1.0']).toEqual({ at: 1001, baseline: false });
  expect(held.asked).toHaveLength(1);
  await seen.with('npm-public', 'express', ['1.0.0', 'toString']);
  expect(held.asked).toHaveLength(2);
  await seen.of('npm-public', 'express', 'a');
  await seen.with('npm-public', 'express', ['2.0.0']);
  await seen.of('npm-public', 'express', 'a');
  expect(held.asked).toHaveLength(4);
});

test('an answer that fails late does not take a newer one with it', async () => {
  const failing: (() => void)[] = [];
  let asked = 0;
  const seen = new FirstSeen({
    seen: () => {
      asked += 1;
      return asked === 1
        ? new Promise((_resolve, reject) => failing.push(() => reject(new Error('the disk is full'))))
        : Promise.resolve([]);
    },
  });
  const first = seen.of('npm-public', 'express', 'a');
  await seen.of('npm-public', 'express', 'b');
  failing[0]?.();
  await expect(first).rejects.toThrow('the disk is full');
  await seen.of('npm-public', 'express', 'b');
  expect(asked).toBe(2);
});

test('a ledger that could not answer is asked again', async () => {
  const held = ledger();
  const seen = new FirstSeen(held);
  held.breaks(true);
  await expect(seen.of('npm-public', 'express', 'a')).rejects.toThrow('the disk is full');
  held.breaks(false);
  expect(await seen.of('npm-public', 'express', 'a')).toHaveProperty(['1.0.0']);
});

test('a version that is called like a property of every object is a version like any other', async () => {
  const sights = await new FirstSeen(ledger(['__proto__', 'toString'])).of('npm-public', 'odd', 'a');
  expect(Object.keys(sights)).toEqual(['__proto__', 'toString']);
  expect(structuredClone(sights)).toEqual(sights);
});
