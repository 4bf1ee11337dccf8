import { expect, test } from 'vitest';
import type { Ledger, ObjectRow } from '../ledger/ledger.ts';
import type { Store } from '../store/store.ts';
import { Objects } from './objects.ts';

const row = (digest: string) => ({ repository: 'builds', path: 'a', digest }) as ObjectRow;

/** A ledger of one row, whose answers can be held back; a store that remembers what it lost. */
function objectsOver(held: { current: ObjectRow | undefined }) {
  const deleted: string[] = [];
  const buried: string[] = [];
  let asked = Promise.withResolvers<ObjectRow | undefined>();
  const ledger = {
    object: () => asked.promise,
    recordObject: async (next: ObjectRow) => {
      held.current = next;
    },
    buried: async (digests: readonly string[]) => void buried.push(...digests),
    evict: async () => {
      const gone = held.current;
      held.current = undefined;
      return { objects: gone ? 1 : 0, bytes: 0, paths: ['a'], blobs: gone ? [gone.digest] : [] };
    },
  } as unknown as Ledger;
  const store = { delete: async (digest: string) => deleted.push(digest) } as unknown as Store;
  return {
    objects: new Objects(ledger, store),
    deleted,
    buried,
    answer: (found: ObjectRow | undefined) => {
      asked.resolve(found);
      asked = Promise.withResolvers();
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('an eviction waits for what is being kept, and what is kept next waits for the eviction', async () => {
  const held = { current: undefined as ObjectRow | undefined };
  const { objects, deleted, buried } = objectsOver(held);
  const committed = Promise.withResolvers<void>();
  const kept = objects.keep(async () => {
    await committed.promise;
    await objects.record(row('sha256:1'));
  });
  const evicted = objects.evict({ repository: 'builds', path: 'a' });
  const next = objects.keep(() => objects.record(row('sha256:2')));
  await turn();
  expect([held.current, deleted]).toEqual([undefined, []]);
  committed.resolve();
  await Promise.all([kept, evicted, next]);
  expect([deleted, buried]).toEqual([['sha256:1'], ['sha256:1']]);
  expect(await objects.get('builds', 'a')).toEqual(row('sha256:2'));
});

test('what cannot be kept, or evicted, holds up nothing', async () => {
  const { objects } = objectsOver({ current: undefined });
  await expect(objects.keep(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  const failing = objects.evict({ repository: 'builds', path: 'a' }, () => {
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(await objects.keep(async () => 'kept')).toBe('kept');
});

test('a row that was recorded while the ledger was asked is not put back', async () => {
  const { objects, answer } = objectsOver({ current: undefined });
  const asked = objects.get('builds', 'a');
  await objects.record(row('sha256:new'));
  answer(row('sha256:old'));
  expect(await asked).toEqual(row('sha256:new'));
  expect(await objects.get('builds', 'a')).toEqual(row('sha256:new'));
});
