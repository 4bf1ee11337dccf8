import { expect, test } from 'vitest';
import { giveBack, Respite } from './respite.ts';

function watched() {
  let busy = 0;
  let given = 0;
  const respite = new Respite({
    utilization: () => busy,
    giveBack: () => {
      given += 1;
    },
  });
  return {
    looks: (count: number, utilization: number): number => {
      busy = utilization;
      for (let look = 0; look < count; look += 1) respite.look();
      return given;
    },
  };
}

test('memory is given back once in a quiet time', () => {
  const { looks } = watched();
  expect(looks(2, 0.001)).toBe(0);
  expect(looks(1, 0.001)).toBe(1);
  expect(looks(100, 0.001)).toBe(1);
});

test('nothing is interrupted while there is something to do', () => {
  const { looks } = watched();
  expect(looks(100, 0.3)).toBe(0);
  expect(looks(2, 0.001)).toBe(0);
  expect(looks(1, 0.3)).toBe(0);
  expect(looks(2, 0.001)).toBe(0);
});

test('the next quiet time is another one', () => {
  const { looks } = watched();
  looks(3, 0);
  looks(1, 0.5);
  expect(looks(3, 0)).toBe(2);
});

test('the room that a busy moment took is really given back', () => {
  const held = Array.from({ length: 1e6 }, (_, n) => ({ n })).length;
  const before = process.memoryUsage().heapTotal;
  giveBack();
  expect(held).toBe(1e6);
  expect(process.memoryUsage().heapTotal).toBeLessThan(before);
});
