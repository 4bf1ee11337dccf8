import { expect, test } from 'vitest';
import { Health, type Part } from './health-checks.ts';

const part = (name: string, check: () => Promise<void>, isOptional = false): Part => ({ name, check, isOptional });
let clock = 0;
const health = (...parts: Part[]) => new Health({ parts, upstreams: () => [], now: () => clock, patience: 30 });

test('a part that fails says why, one that can be done without makes nobody unready', async () => {
  const checked = health(
    part('database', async () => {}),
    part('coordination', () => Promise.reject(new Error('Redis does not answer')), true),
  );
  checked.accept();
  expect(Object.fromEntries(await checked.checks())).toEqual({
    database: { status: 'ok', latency_ms: expect.any(Number) },
    coordination: { status: 'degraded', message: 'Redis does not answer', latency_ms: expect.any(Number) },
  });
  expect(await checked.refusing()).toBeUndefined();
});

test('a part that hangs is said to, holds up no other, and is not asked again before it answers', async () => {
  let asked = 0;
  let answer = () => {};
  const hung = part('store', () => {
    asked += 1;
    return new Promise((resolve) => {
      answer = resolve;
    });
  });
  const checked = health(
    hung,
    part('database', async () => {}),
  );
  checked.accept();
  for (clock of [0, 5000, 10_000]) {
    const [store, database] = [...(await checked.checks()).values()];
    expect(store).toMatchObject({
      status: 'failing',
      message: expect.stringMatching(/^it has not answered for \d+ s$/),
    });
    expect(database).toMatchObject({ status: 'ok' });
  }
  expect(asked).toBe(1);
  expect(await checked.refusing()).toBe('store fails');
  answer();
  for (clock of [15_000, 20_000]) await checked.checks();
  expect(asked).toBe(2);
});

test('however many ask at once, each part is asked once', async () => {
  let asked = 0;
  const checked = health(
    part('database', async () => {
      asked += 1;
    }),
  );
  clock = 100_000;
  await Promise.all(Array.from({ length: 50 }, () => checked.checks()));
  expect(asked).toBe(1);
  clock += 1000;
  await checked.checks();
  expect(asked).toBe(2);
});
