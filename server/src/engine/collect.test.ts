import { expect, test } from 'vitest';
import { collect } from './collect.ts';

async function* pieces(...of: string[]): AsyncIterable<Uint8Array> {
  for (const piece of of) yield Buffer.from(piece);
}

test.each([undefined, 0, 3, 6, 1000])('a body is whole whatever length was expected (%s)', async (expected) => {
  const long = 'x'.repeat(100_000);
  const seen: number[] = [];
  const whole = await collect(pieces('abc', 'def', long, ''), expected, async (chunk) => void seen.push(chunk.length));
  expect(whole.toString()).toBe(`abcdef${long}`);
  expect(seen).toEqual([3, 3, 100_000, 0]);
});

test('an empty body is empty', async () => {
  expect((await collect(pieces(), undefined)).length).toBe(0);
});

test('a body that breaks off rejects', async () => {
  async function* broken(): AsyncIterable<Uint8Array> {
    yield Buffer.from('abc');
    throw new Error('cut');
  }
  await expect(collect(broken(), 10)).rejects.toThrow('cut');
});
