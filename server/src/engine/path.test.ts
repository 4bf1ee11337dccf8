import { describe, expect, test } from 'vitest';
import { Fault } from './fault.ts';
import { canonicalPath, encodePath } from './path.ts';

describe('canonicalPath', () => {
  test.each([
    ['/@s%2ffoo', '@s/foo'],
    ['/@s%2Ffoo', '@s/foo'],
    ['/@s/foo', '@s/foo'],
    ['/simple/requests/', 'simple/requests/'],
    ['/a%2520b', 'a%20b'],
    ['/caf%C3%A9', 'café'],
    ['/./InRelease', 'InRelease'],
    ['/a/%2e/b/./c', 'a/b/c'],
    ['/a/.', 'a/'],
    ['/', ''],
    ['', ''],
  ])('%s is %s', (raw, canonical) => {
    expect(canonicalPath(raw)).toBe(canonical);
  });

  test.each([
    '/../etc/passwd',
    '/a/..',
    '/a/%2e%2e/b',
    '/a/%2E./b',
    '/.//a',
    '/a//b',
    '//a',
    '/a%2f%2fb',
    '/a%00b',
    '/a%0ab',
    '/a\\b',
    '/a%5cb',
    '/a%',
    '/a%zz',
    '/a%ff',
    `/${'x'.repeat(20_000)}`,
  ])('%s is refused', (raw) => {
    expect(() => canonicalPath(raw)).toThrow(Fault);
  });
});

test('encodePath writes what canonicalPath reads', () => {
  for (const path of ['@s/foo', 'a b/c+d', 'caf\u00e9/x%y', 'a:b/c,d;e=f', 'q?x#y/z']) {
    expect(canonicalPath(`/${encodePath(path)}`)).toBe(path);
    expect(encodePath(path)).not.toMatch(/[?# ]/);
  }
});
