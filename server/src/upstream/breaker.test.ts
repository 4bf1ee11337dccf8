import { expect, onTestFinished, test, vi } from 'vitest';
import { Breaker } from './breaker.ts';
import type { Rest } from './rests.ts';
import { UpstreamError } from './upstream.ts';

/** The same origin, as two processes ask it, which tell each other at once. */
function twoProcesses() {
  vi.useFakeTimers({ toFake: ['Date'], now: 0 });
  onTestFinished(() => void vi.useRealTimers());
  const told: (Rest | 'back')[] = [];
  let isUp = false;
  let asked = 0;
  const made = (others: () => Breaker): Breaker =>
    new Breaker({
      host: 'upstream.test',
      failures: 3,
      rest: 8000,
      now: Date.now,
      broke: (rest) => {
        told.push(rest);
        others().restAlso(rest);
      },
      recovered: () => {
        told.push('back');
        others().wake();
      },
    });
  const one: Breaker = made(() => other);
  const other: Breaker = made(() => one);
  const ask = (breaker: Breaker): Promise<string> =>
    breaker
      .execute(async () => {
        asked += 1;
        if (!isUp) throw new UpstreamError('timeout', 'It was silent.');
        return 'answer';
      })
      .catch((error: Error) => error.message);
  return { one, other, told, ask, asked: () => asked, up: () => (isUp = true) };
}

test('an origin that does not answer one process is left alone by the other, for as long', async () => {
  const { one, other, told, ask, asked } = twoProcesses();
  for (let n = 0; n < 3; n += 1) await ask(one);
  expect(told).toEqual([{ milliseconds: 8000, why: 'It was silent.' }]);
  expect([one.resting, other.resting]).toEqual([true, true]);
  vi.setSystemTime(2000);
  expect(await ask(other)).toBe(
    'upstream.test had no answer 3 times in a row, as another process of this installation found, and will be asked again in 6 s. It was silent.',
  );
  expect(asked()).toBe(3);
  vi.setSystemTime(8000);
  expect(await ask(other)).toBe('It was silent.');
  expect(asked()).toBe(4);
  expect(await ask(other)).toContain('and will be asked again in 8 s');
  expect(await ask(one)).toContain('as another process of this installation found, and will be asked again in 8 s');
  expect(asked()).toBe(4);
});

test('an origin that one process finds back is asked by the other at once', async () => {
  const { one, other, told, ask, up } = twoProcesses();
  for (let n = 0; n < 3; n += 1) await ask(one);
  up();
  vi.setSystemTime(8000);
  expect(await ask(one)).toBe('answer');
  expect(told.at(-1)).toBe('back');
  expect(other.resting).toBe(false);
  expect(await ask(other)).toBe('answer');
});

test('a rest that is over, or shorter than the own one, changes nothing', async () => {
  const { one, other, ask, asked } = twoProcesses();
  other.restAlso({ milliseconds: 0, why: '' });
  other.restAlso({ milliseconds: -5000, why: '' });
  expect(other.resting).toBe(false);
  for (let n = 0; n < 3; n += 1) await ask(one);
  one.restAlso({ milliseconds: 100, why: 'It is another.' });
  vi.setSystemTime(200);
  expect(await ask(one)).toContain('8 s. It was silent.');
  expect(asked()).toBe(3);
});

test('a rest of a clock that is ahead is no longer than any', async () => {
  const { other, ask } = twoProcesses();
  other.restAlso({ milliseconds: 3_600_000, why: 'It was silent.' });
  expect(await ask(other)).toContain('asked again in 8 s');
});
