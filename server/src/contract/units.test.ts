import { expect, test } from 'vitest';
import { bytes, duration } from './index.ts';

test.each([
  ['0', 0],
  ['0s', 0],
  ['250ms', 250],
  ['30s', 30_000],
  ['5m', 300_000],
  ['12h', 43_200_000],
  ['7d', 604_800_000],
  ['2w', 1_209_600_000],
  ['999999w', 604_799_395_200_000],
])('%s is %d milliseconds', (text, milliseconds) => {
  expect(duration(text)).toBe(milliseconds);
});

test.each([
  ['300', 'its unit is missing, write 300s for seconds'],
  ['5M', 'units are in lower case'],
  ['1.5h', 'write a whole number in a smaller unit'],
  ['1h30m', 'write it in the smaller unit alone (90m, not 1h30m)'],
  ['-5m', 'it cannot be negative'],
  ['', '"" is not a duration such as'],
  [' 5m', 'is not a duration such as'],
  ['5m\n', 'is not a duration such as'],
  ['9999999s', 'is not a duration such as'],
  ['5 minutes', 'is not a duration such as'],
])('%j is no duration: %s', (text, words) => {
  expect(() => duration(text)).toThrow(words);
});

test.each([
  ['0', 0],
  ['1048576', 1_048_576],
  ['12B', 12],
  ['500kB', 500_000],
  ['150MB', 150_000_000],
  ['64MiB', 67_108_864],
  ['9000TB', 9e15],
])('%s is %d bytes', (text, count) => {
  expect(bytes(text)).toBe(count);
});

test.each([
  ['150mb', 'the unit is written MB'],
  ['1.5GB', 'write a whole number in a smaller unit'],
  ['2 GB', 'there is no space before the unit'],
  ['-1', 'it cannot be negative'],
  ['9999TB', 'is more than 9000TB'],
  ['1234567MB', 'is not a size such as'],
  ['big', 'is not a size such as'],
])('%j is no size: %s', (text, words) => {
  expect(() => bytes(text)).toThrow(words);
});
