import { expect, test } from 'vitest';
import { Flights } from './flight.ts';

test('who comes while a run is under way shares it; who comes after starts anew', async () => {
  const flights = new Flights<number>();
  let runs = 0;
  let land: (value: number) => void = () => {};
  const start = () => {
    runs += 1;
    return new Promise<number>((resolve) => {
      land = resolve;
    });
  };
  const waiting = Array.from({ length: 100 }, () => flights.run('express', start));
  land(7);
  expect(new Set(await Promise.all(waiting))).toEqual(new Set([7]));
  expect(runs).toBe(1);
  const later = flights.run('express', start);
  land(8);
  expect(await later).toBe(8);
  expect(runs).toBe(2);
});

test('a failure is shared too, and not remembered', async () => {
  const flights = new Flights<number>();
  const failing = () => Promise.reject(new Error('down'));
  const both = [flights.run('a', failing), flights.run('a', failing)];
  for (const one of both) await expect(one).rejects.toThrow('down');
  expect(await flights.run('a', async () => 1)).toBe(1);
});
