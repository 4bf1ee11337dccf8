import fc from 'fast-check';
import semver from 'semver';
import { expect, test } from 'vitest';
import { formats } from '../formats/all.ts';
import { inRange, parseRange } from './version-range.ts';

const order = (type: string) => formats.find(({ traits }) => traits.purl === type)?.versions;
const has = (range: string, version: string) => {
  const type = /^vers:([a-z]+)/.exec(range)?.[1] ?? '';
  return inRange(parseRange(range, type, order(type)), version, order(type));
};

test.each([
  ['vers:npm/>=1.0|<1.4', ['1.0.0', '1.3.9', '1.4.0-rc.1'], ['0.9.9', '1.0.0-rc.1', '1.4.0']],
  ['vers:npm/>1.0.0|<=1.4.0', ['1.0.1', '1.4.0'], ['1.0.0', '1.4.1']],
  ['vers:npm/<1.0.0|>=2.0.0', ['0.1.0', '2.0.0', '9.0.0'], ['1.0.0', '1.9.9']],
  ['vers:npm/1.0.0|=2.0.0', ['1.0.0', '2.0.0'], ['1.5.0', '0.1.0', '3.0.0']],
  ['vers:npm/!=1.0.0', ['0.9.0', '1.0.1'], ['1.0.0']],
  ['vers:npm/1.0.0|!=2.0.0', ['1.0.0'], ['2.0.0', '3.0.0']],
  ['vers:npm/>=1.0.0|!=1.2.0|<2.0.0', ['1.0.0', '1.2.1'], ['1.2.0', '2.0.0']],
  ['vers:npm/0.5.0|>=1.0.0', ['0.5.0', '1.0.0', '7.0.0'], ['0.4.0', '0.9.0']],
  ['vers:npm/*', ['1.0.0'], []],
  ['vers:pypi/>=1.0|<1.4', ['1.0', '1.0.0', '1.3.post1', '1.4.dev1'], ['1.0rc1', '1.4', '1.4.0']],
  ['vers:pypi/1.0', ['1.0.0', '1'], ['1.0.post1']],
  ['vers:cargo/<0.3.0-alpha.2', ['0.3.0-alpha.1'], ['0.3.0-alpha.2', '0.3.0']],
  ['vers:golang/>=v1.2.0|<v2', ['v1.2.0', 'v1.10.0'], ['v1.1.9', 'v2.0.0+incompatible']],
  ['vers:maven/>=1.0|<2-beta', ['1.0', '1.0.0', '1.9-SNAPSHOT', '2-alpha-1'], ['1.0-rc1', '2-beta', '2']],
  ['vers:deb/>=1:1.0|<1:2', ['1:1.0-1', '1:1.9~rc1'], ['3.0', '1:2', '1:1.0~1']],
  ['vers:npm/>=1.0.0%2Bbuild', ['1.0.0'], ['0.9.0']],
])('%s has %j and not %j', (range, inside, outside) => {
  for (const version of inside) expect(has(range, version), version).toBe('yes');
  for (const version of outside) expect(has(range, version), version).toBe('no');
});

test.each([
  ['1.0.0', 'must be written vers:npm/'],
  ['vers:npm', 'must be written vers:npm/'],
  ['not vers:npm/1.0.0', 'must be written vers:npm/'],
  ['vers:pypi/>=1.0', 'must be of scheme npm'],
  ['vers:npm/', 'selects nothing'],
  ['vers:npm/>=2.0.0|<1.0.0', 'selects nothing: >=2.0.0 comes before <1.0.0; write the lower version first'],
  ['vers:npm/2.0.0|1.0.0', 'is out of order: =2.0.0 comes before =1.0.0'],
  ['vers:npm/>=1.0.0|<1.0.0', 'has one version twice'],
  ['vers:npm/1.0.0|!=1.0.0', 'has one version twice'],
  ['vers:npm/>1.0.0|>2.0.0', 'has >1.0.0 and then >2.0.0'],
  ['vers:npm/<1.0.0|=1.5.0|<2.0.0', 'has <1.0.0 and then <2.0.0'],
  ['vers:npm/1.0.0|*', 'must have * alone'],
  ['vers:npm/>=*', 'must have * alone'],
  ['vers:npm/>=1.0.0|', 'lacks a version'],
  ['vers:npm/>=', 'lacks a version after >='],
  ['vers:npm/>=1.x', 'names "1.x", which is not a version of type npm'],
  ['vers:npm/^1.0.0', 'names "^1.0.0", which is not a version'],
  ['vers:npm/>= 1.0.0 ', 'names " 1.0.0 ", which is not a version'],
  ['vers:npm/%zz', 'percent encoding is broken'],
])('%s is refused: it %s', (range, words) => {
  expect(() => parseRange(range, 'npm', order('npm'))).toThrow(words);
});

test('a range may have 200 versions', () => {
  const range = (length: number) => `vers:npm/${Array.from({ length }, (_, at) => `1.0.${at}`).join('|')}`;
  expect(has(range(200), '1.0.199')).toBe('yes');
  expect(() => has(range(201), '1.0.199')).toThrow('at most 200 versions');
});

test('where a version is missing it says after what', () => {
  const parsed = (range: string) => () => parseRange(range, 'npm', order('npm'));
  expect(parsed('vers:npm/>=1.0.0|')).toThrow(/ lacks a version$/);
  expect(parsed('vers:npm/!=')).toThrow(/ lacks a version after !=$/);
});

test('versions that nobody can order are in no range that names versions, nor out of it', () => {
  const range = parseRange('vers:npm/>1.0.0', 'npm', order('npm'));
  expect(inRange(range, '2.0.0', undefined)).toBe('unknown');
  expect(inRange(range, 'nonsense', order('npm'))).toBe('unknown');
  expect(inRange({ constraints: [] }, '2.0.0', undefined)).toBe('yes');
});

test('a type without an order has no ranges', () => {
  expect(() => parseRange('vers:generic/>1', 'generic', undefined)).toThrow('have no order');
});

test('an interval is what semver takes for one', () => {
  const version = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map((numbers) => numbers.join('.'));
  fc.assert(
    fc.property(version, version, version, (one, other, asked) => {
      fc.pre(semver.lt(one, other));
      const expected = semver.gte(asked, one) && semver.lt(asked, other);
      expect(has(`vers:npm/>=${one}|<${other}`, asked)).toBe(expected ? 'yes' : 'no');
      expect(has(`vers:npm/<${one}|>=${other}`, asked)).toBe(expected ? 'no' : 'yes');
    }),
  );
});
