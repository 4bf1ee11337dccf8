import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { acceptedEncodings, matchesNone, notModified, rangeOf, reasonPhrase } from './http.ts';

const date = 'Wed, 01 Jul 2026 10:00:00 GMT';

function asking(headers: Record<string, string>): IncomingMessage {
  return { headers } as unknown as IncomingMessage;
}

describe('rangeOf', () => {
  test.each([
    ['bytes=0-99', { start: 0, end: 100 }],
    ['bytes=900-', { start: 900, end: 1000 }],
    ['bytes=990-5000', { start: 990, end: 1000 }],
    ['bytes=-10', { start: 990, end: 1000 }],
    ['bytes=-5000', { start: 0, end: 1000 }],
    ['bytes=1000-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-4', undefined],
    ['bytes=0-1,5-6', undefined],
    ['bytes=-', undefined],
    ['lines=0-1', undefined],
    ['bytes=a-b', undefined],
  ])('%s', (range, expected) => {
    expect(rangeOf(asking({ range }), 1000, 'tag', date)).toEqual(expected);
  });

  test('If-Range decides whether the rest of the same bytes can be had', () => {
    const rest = { start: 10, end: 1000 };
    const ranged = (condition: string) =>
      rangeOf(asking({ range: 'bytes=10-', 'if-range': condition }), 1000, 'tag', date);
    expect(ranged('"tag"')).toEqual(rest);
    expect(ranged(date)).toEqual(rest);
    expect(ranged('"other"')).toBeUndefined();
    expect(ranged('W/"tag"')).toBeUndefined();
    expect(ranged('Wed, 01 Jul 2026 10:00:01 GMT')).toBeUndefined();
  });

  test('an empty file has no range', () => {
    expect(rangeOf(asking({ range: 'bytes=0-' }), 0, 'tag', undefined)).toBe('unsatisfiable');
  });
});

test('If-None-Match goes before If-Modified-Since', () => {
  expect(notModified(asking({ 'if-none-match': '"other"', 'if-modified-since': date }), 'tag', date)).toBe(false);
  expect(notModified(asking({ 'if-none-match': '"a", W/"tag"' }), 'tag', date)).toBe(true);
  expect(notModified(asking({ 'if-modified-since': date }), 'tag', date)).toBe(true);
  expect(notModified(asking({ 'if-modified-since': 'Wed, 01 Jul 2026 09:59:59 GMT' }), 'tag', date)).toBe(false);
  expect(notModified(asking({ 'if-modified-since': 'rubbish' }), 'tag', date)).toBe(false);
  expect(matchesNone('*', 'tag')).toBe(true);
});

test('compression is what the client takes, br before gzip', () => {
  expect(acceptedEncodings(asking({}))).toEqual([]);
  expect(acceptedEncodings(asking({ 'accept-encoding': 'gzip, deflate' }))).toEqual(['gzip']);
  expect(acceptedEncodings(asking({ 'accept-encoding': 'gzip, br' }))).toEqual(['br', 'gzip']);
  expect(acceptedEncodings(asking({ 'accept-encoding': 'br;q=0, gzip;q=0.5' }))).toEqual(['gzip']);
  expect(acceptedEncodings(asking({ 'accept-encoding': 'identity' }))).toEqual([]);
});

test('a reason phrase cannot carry a header', () => {
  expect(reasonPhrase('blocked\r\nset-cookie: x=1 \u20ac')).toBe('blocked set-cookie: x=1  ');
  expect(reasonPhrase('x'.repeat(5000))).toHaveLength(200);
});
