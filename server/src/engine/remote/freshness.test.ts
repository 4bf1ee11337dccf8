import { describe, expect, test } from 'vitest';
import { Absences, conditions, freshnessOf, usableOnError, verdict } from './freshness.ts';

const terms = { ttl: 300, whileRevalidating: 300, ifError: 10_000 };
const copy = { checkedAt: 1000, freshUntil: 1300 };

describe('a copy', () => {
  test.each([
    [1000, 'fresh'],
    [1299, 'fresh'],
    [1300, 'revalidate_behind'],
    [1599, 'revalidate_behind'],
    [1600, 'revalidate_first'],
  ])('at %i is %s', (now, expected) => {
    expect(verdict(copy, terms, now)).toBe(expected);
  });

  test('that was checked in the future, because the clock jumped back, is asked again', () => {
    expect(verdict({ checkedAt: 1_000_000, freshUntil: 2_000_000 }, terms, 1000)).toBe('revalidate_first');
  });

  test('answers for an upstream that cannot, for a while', () => {
    expect(usableOnError(copy, terms, 11_299)).toBe(true);
    expect(usableOnError(copy, terms, 11_300)).toBe(false);
  });

  test('is revalidated by the validators it came with', () => {
    const { etag, lastModified } = freshnessOf(
      { etag: 'W/"1"', 'last-modified': 'Wed, 01 Jul 2026 10:00:00 GMT' },
      5,
      10,
    );
    expect(conditions({ checkedAt: 5, freshUntil: 15, etag: etag ?? '', lastModified: lastModified ?? '' })).toEqual({
      'if-none-match': 'W/"1"',
      'if-modified-since': 'Wed, 01 Jul 2026 10:00:00 GMT',
    });
    expect(conditions({ checkedAt: 5, freshUntil: 15 })).toEqual({});
  });
});

test('an absence is forgotten after its time, when told, and when the clock jumps back', () => {
  const absences = new Absences(100);
  absences.add('left-pad', 1000, 404);
  expect(absences.find('left-pad', 1099)?.status).toBe(404);
  expect(absences.find('left-pad', 1100)).toBeUndefined();
  absences.add('left-pad', 1000, 404);
  expect(absences.find('left-pad', 500)).toBeUndefined();
  absences.add('left-pad', 1000, 404);
  absences.forget('left-pad');
  expect(absences.find('left-pad', 1001)).toBeUndefined();
});
