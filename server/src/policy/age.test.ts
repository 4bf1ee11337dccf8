import { expect, test } from 'vitest';
import { ageOf, agesAnewAt } from './age.ts';
import type { Dated, Evidence } from './evidence.ts';
import { author, DAY, NOW } from './fixtures.ts';

const MINUTE = 60_000;
const LATEST = 8.64e15;
const of = (evidence: Evidence, dated: Dated = 'index') => ageOf({ dated, evidence }, 'baseline', NOW);
const future = { at: NOW + MINUTE, baseline: false };

test('a time that does not count is told with its source and why', () => {
  const server = { at: NOW + 2 * MINUTE, by: 'server' as const };
  expect(of({ index: server, lastModified: NOW + MINUTE })).toEqual({
    source: 'none',
    rejected: [
      { source: 'server', at: NOW + 2 * MINUTE, why: 'future' },
      { source: 'last-modified', at: NOW + MINUTE, why: 'future' },
    ],
  });
  expect(of({ firstSeen: future }, 'author').rejected).toEqual([
    { source: 'first-seen', at: NOW + MINUTE, why: 'future' },
  ]);
  expect(of({ firstSeen: future }, 'none')).toEqual({
    source: 'none',
    rejected: [{ source: 'first-seen', at: NOW + MINUTE, why: 'future' }],
  });
});

test('an author’s time that counts is not doubted, one that does not is told once, and one nobody asks for not at all', () => {
  const baseline = { at: NOW - DAY, baseline: true };
  expect(of(author(8 * DAY, baseline))).toEqual({ source: 'author', at: NOW - 8 * DAY });
  expect(of(author(-DAY, baseline))).toEqual({
    source: 'none',
    rejected: [{ source: 'author', at: NOW + DAY, why: 'future' }],
  });
  expect(of({ ...author(800 * DAY), lastModified: NOW + DAY }).rejected).toEqual([
    { source: 'last-modified', at: NOW + DAY, why: 'future' },
    { source: 'author', at: NOW - 800 * DAY, why: 'author' },
  ]);
  expect(of(author(8 * DAY, { at: NOW - DAY, baseline: false }), 'none')).toEqual({
    source: 'first-seen',
    at: NOW - DAY,
  });
});

test('clocks that were never set are off by a time zone at most: what is later counts', () => {
  expect(of({ lastModified: 2 * DAY - 1 }).rejected?.[0]?.why).toBe('epoch');
  expect(of({ lastModified: 2 * DAY })).toEqual({ source: 'last-modified', at: 2 * DAY });
});

test('an age may be another as soon as the first of the times in the future has come', () => {
  const rejected = (...times: number[]) => ({
    source: 'none' as const,
    rejected: times.map((at) => ({ source: 'server' as const, at, why: 'future' as const })),
  });
  expect(agesAnewAt({ source: 'server', at: NOW })).toBeUndefined();
  expect(agesAnewAt(rejected(NOW + 3, NOW + 1, NOW + 2))).toBe(NOW + 1);
  expect(agesAnewAt(rejected(1e300, NOW + 2))).toBe(NOW + 2);
  expect(agesAnewAt(rejected(LATEST))).toBe(LATEST);
  expect(agesAnewAt(rejected(LATEST + 1))).toBeUndefined();
  for (const why of ['epoch', 'author'] as const)
    expect(agesAnewAt({ source: 'none', rejected: [{ source: 'author', at: NOW - 1, why }] })).toBeUndefined();
});
