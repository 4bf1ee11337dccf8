import { expect, test } from 'vitest';
import { get, site } from '../fixtures.ts';
import { gradleCache } from './index.ts';

const KEY = '0123456789abcdef0123456789abcdef';
const put = (path: string) => gradleCache.hosting?.receive({ ...get(path), method: 'PUT' });

test.each([KEY, `cache/${KEY}`])('%s is the one entry of that key', (path) => {
  const entry = { kind: 'artifact', path: KEY, role: 'metadata', mutable: true };
  expect(gradleCache.parse(get(path), site)).toEqual(entry);
  expect(put(path)).toEqual({ kind: 'file', file: entry, replaces: true });
});

test.each([32, 40, 64, 128])('a key may have %i digits', (length) => {
  expect(put('f'.repeat(length))).toMatchObject({ file: { path: 'f'.repeat(length) } });
});

test.each([
  '',
  'cache/',
  'f'.repeat(31),
  'f'.repeat(129),
  KEY.toUpperCase(),
  `${KEY}/`,
  `cache/cache/${KEY}`,
  `other/${KEY}`,
  `${KEY}.bin`,
  `${KEY}\n`,
])('%j is no entry', (path) => {
  expect(gradleCache.parse(get(path), site)).toBeUndefined();
  expect(put(path)).toBeUndefined();
});

test.each(['GET', 'HEAD', 'POST', 'DELETE'])('%s publishes nothing', (method) => {
  expect(gradleCache.hosting?.receive({ ...get(KEY), method })).toBeUndefined();
});
