import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { EngineEvent } from '../engine/events.ts';
import type { EventRow } from '../ledger/ledger.ts';
import { EventLog, KEPT_MS } from './event-log.ts';

const NOW = 1_000_000_000;
const event = (at: number): EngineEvent => ({ kind: 'fetched', at, repository: 'npm', details: { at } });

function started() {
  const rows: EventRow[] = [];
  const forgotten: number[] = [];
  const warned: string[] = [];
  const state = { fails: false };
  const log = new EventLog({
    ledger: {
      recordEvents: async (events) => {
        if (state.fails) throw new Error('locked');
        rows.push(...events);
      },
      forgetEvents: async (before) => void forgotten.push(before),
    },
    log: { debug() {}, info() {}, error() {}, warn: (message: string) => void warned.push(message) },
    now: () => NOW,
  });
  return { log, rows, forgotten, warned, state };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('what happened together is put on record together, in its order, and what is too old goes', async () => {
  const { log, rows, forgotten } = started();
  for (const at of [1, 2, 3]) log.emit(event(at));
  expect(rows).toEqual([]);
  await vi.advanceTimersByTimeAsync(100);
  expect(rows).toEqual([1, 2, 3].map((at) => ({ kind: 'fetched', at, repository: 'npm', details: `{"at":${at}}` })));
  expect(forgotten).toEqual([NOW - KEPT_MS]);
});

test('what cannot be put on record now is held, up to a limit, and then put there in its order', async () => {
  const { log, rows, warned, state } = started();
  state.fails = true;
  for (let at = 0; at < 6000; at += 1) log.emit(event(at));
  await vi.advanceTimersByTimeAsync(100);
  for (let at = 6000; at < 12_000; at += 1) log.emit(event(at));
  state.fails = false;
  await vi.advanceTimersByTimeAsync(5000);
  expect(rows.map(({ at }) => at)).toEqual(Array.from({ length: 10_000 }, (_, at) => at));
  expect(warned).toEqual(['events cannot be put on record now', 'events were not put on record']);
});

test('the last of what happened is on record when the server has stopped', async () => {
  const { log, rows } = started();
  log.emit(event(1));
  await log.close();
  log.emit(event(2));
  expect(rows.map(({ at }) => at)).toEqual([1]);
  expect(vi.getTimerCount()).toBe(0);
});
