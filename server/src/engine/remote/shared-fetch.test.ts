import { expect, test } from 'vitest';
import { MemoryCoordination } from '../../coordination/memory.ts';
import type { Ledger, ObjectRow } from '../../ledger/ledger.ts';
import type { Store } from '../../store/store.ts';
import { Objects } from '../objects.ts';
import { SharedFetch, type SharedWork } from './shared-fetch.ts';

const PATH = 'express/-/express-1.0.0.tgz';
const rowAt = (checkedAt: number, digest = `d${checkedAt}`) =>
  ({ repository: 'npm', path: PATH, digest, checkedAt }) as ObjectRow;

/** Processes on one ledger of one row. */
function processes() {
  const kept: { row: ObjectRow | undefined } = { row: undefined };
  const ledger = {
    object: async () => kept.row,
    recordObject: async (row: ObjectRow) => {
      if ((kept.row?.fence ?? 0) > (row.fence ?? Number.POSITIVE_INFINITY)) return false;
      kept.row = row;
      return true;
    },
  } as unknown as Ledger;
  const first = new MemoryCoordination();
  let now = 1000;
  const join = (coordination: MemoryCoordination) => {
    const objects = new Objects(ledger, {} as Store);
    return { objects, fetch: new SharedFetch({ coordination, objects, now: () => now }, 'npm', 'file') };
  };
  return { kept, one: join(first), other: join(first.join()), pass: (ms: number) => (now += ms) };
}

const work = (given: Partial<SharedWork<string>>): SharedWork<string> => ({
  path: PATH,
  known: undefined,
  again: false,
  found: ({ digest }) => `found ${digest}`,
  fetch: async () => 'fetched',
  ...given,
});

test('the second waits for the first, and has what it recorded', async () => {
  const { one, other } = processes();
  const arrived = Promise.withResolvers<void>();
  let fetches = 0;
  const fetch = async () => {
    fetches += 1;
    await arrived.promise;
    await one.objects.record(rowAt(1));
    return 'fetched';
  };
  const first = one.fetch.run(work({ fetch }));
  await new Promise(setImmediate);
  const second = other.fetch.run(work({ fetch }));
  arrived.resolve();
  expect(await Promise.all([first, second])).toEqual(['fetched', 'found d1']);
  expect(fetches).toBe(1);
});

test('a fetch that answers before it has ended keeps the others waiting until then', async () => {
  const { one, other } = processes();
  const ended = Promise.withResolvers<void>();
  expect(await one.fetch.run(work({ ended: () => ended.promise }))).toBe('fetched');
  let isThrough = false;
  const second = other.fetch.run(work({})).then((result) => {
    isThrough = true;
    return result;
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(isThrough).toBe(false);
  await one.objects.record(rowAt(1));
  ended.resolve();
  expect(await second).toBe('found d1');
});

test('when the first brings nothing, the second fetches itself', async () => {
  const { one, other } = processes();
  const failing = one.fetch.run(work({ fetch: () => Promise.reject(new Error('away')) }));
  await expect(failing).rejects.toThrow('away');
  expect(await other.fetch.run(work({}))).toBe('fetched');
  const ended = one.fetch.run(work({ ended: () => Promise.reject(new Error('broken off')) }));
  expect(await ended).toBe('fetched');
  expect(await other.fetch.run(work({}))).toBe('fetched');
});

test('what another recorded since is used, unless it will not do; what was known already is no news', async () => {
  const { one, kept } = processes();
  kept.row = rowAt(5);
  expect(await one.fetch.run(work({ known: rowAt(1) }))).toBe('found d5');
  expect(await one.fetch.run(work({ known: rowAt(5) }))).toBe('fetched');
  expect(await one.fetch.run(work({ known: rowAt(1), found: async () => undefined }))).toBe('fetched');
});

test('a fetch goes on from what the ledger has, not from what memory had', async () => {
  const { one, kept } = processes();
  kept.row = rowAt(5);
  const seen: (ObjectRow | undefined)[] = [];
  const fetch = async (known: ObjectRow | undefined) => {
    seen.push(known);
    return 'fetched';
  };
  await one.fetch.run(work({ known: rowAt(1), found: () => undefined, fetch }));
  // Its blob is gone: there is nothing to compare with.
  await one.fetch.run(work({ known: undefined, found: () => undefined, fetch }));
  expect(seen).toEqual([rowAt(5), undefined]);
});

test('who asks though it is fresh is content only with what was asked for since', async () => {
  const { one, kept, pass } = processes();
  kept.row = rowAt(900);
  expect(await one.fetch.run(work({ known: rowAt(500), again: true }))).toBe('fetched');
  kept.row = rowAt(1500);
  pass(200);
  expect(await one.fetch.run(work({ known: rowAt(500), again: true }))).toBe('found d1500');
});

test('what is recorded has the fence of its fetch, greater than that of the row it replaces', async () => {
  const { one, other, kept } = processes();
  kept.row = { ...rowAt(1), fence: 9_000_000_000_000_000 };
  await one.fetch.run(
    work({
      found: () => undefined,
      fetch: async () => {
        await one.objects.record(rowAt(2));
        return 'fetched';
      },
    }),
  );
  expect(kept.row).toEqual({ ...rowAt(2), fence: 9_000_000_000_000_001 });
  await other.fetch.run(work({ found: () => undefined }));
  await other.objects.record(rowAt(3));
  expect(kept.row).toEqual(rowAt(3));
});

test('a process that stood still while another fetched overwrites nothing', async () => {
  const { one, other, kept } = processes();
  const late = one.objects.fetching('npm', PATH, 10);
  const done = other.objects.fetching('npm', PATH, 11);
  await other.objects.record(rowAt(2));
  done();
  await one.objects.record(rowAt(1));
  late();
  expect(kept.row).toEqual({ ...rowAt(2), fence: 11 });
  expect(await one.objects.get('npm', PATH)).toEqual({ ...rowAt(2), fence: 11 });
});
