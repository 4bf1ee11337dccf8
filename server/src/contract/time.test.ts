import { expect, test } from 'vitest';
import { parseTime } from './index.ts';

test.each([
  ['2026-05-11T00:00:00Z', Date.UTC(2026, 4, 11)],
  ['2026-05-11T09:30:00.250+02:00', Date.UTC(2026, 4, 11, 7, 30, 0, 250)],
  ['2024-02-29T23:59:59-23:59', Date.UTC(2024, 2, 1, 23, 58, 59)],
  ['0001-01-01T00:00:00Z', Date.parse('0001-01-01T00:00:00Z')],
  ['9999-12-31T23:59:59.999999999Z', Date.parse('9999-12-31T23:59:59.999Z')],
])('%s is %d', (text, at) => {
  expect(parseTime(text)).toBe(at);
});

test.each([
  ['2026-05-11', 'its time is missing, write 2026-05-11T00:00:00Z'],
  ['2026-05-11T00:00:00', 'its offset is missing, write 2026-05-11T00:00:00Z for UTC'],
  ['2026-05-11 00:00:00Z', 'write T between date and time'],
  ['2026-05-11t00:00:00Z', 'T and Z are in upper case'],
  ['2026-05-11T00:00:00z', 'T and Z are in upper case'],
  ['2026-02-29T00:00:00Z', 'is a time that does not exist'],
  ['2026-13-01T00:00:00Z', 'is a time that does not exist'],
  ['2026-00-01T00:00:00Z', 'is a time that does not exist'],
  ['2026-04-31T00:00:00Z', 'is a time that does not exist'],
  ['2026-01-01T24:00:00Z', 'is a time that does not exist'],
  ['2026-01-01T00:00:60Z', 'is a time that does not exist'],
  ['2026-01-01T00:00:00+24:00', 'is a time that does not exist'],
  ['', 'is not a time of RFC 3339'],
  ['tomorrow', 'is not a time of RFC 3339'],
  ['2026-05-11T00:00:00Z\n', 'is not a time of RFC 3339'],
  ['1778457600', 'is not a time of RFC 3339'],
])('%j is no time: %s', (text, words) => {
  expect(() => parseTime(text)).toThrow(words);
});
