import { expect, test } from 'vitest';
import { lodash, pattern } from './fixtures.ts';
import { Matcher } from './matcher.ts';

test('looking up finds every entry about a release and says which of them cannot be placed', () => {
  const texts = ['pkg:npm/x', 'pkg:npm/x@1.0.0', 'pkg:npm/x@2.0.0', 'pkg:npm/x?vers=vers:npm/<2', 'pkg:npm/x*'];
  const entries = texts.map((text) => ({ pattern: pattern(text), rule: text }));
  const matcher = new Matcher(entries);
  const { versions } = lodash();
  const found = (version: string | undefined) =>
    matcher
      .match({ type: 'npm', name: 'x', version }, versions)
      .map(({ rule, covered }) => `${rule} ${covered}`)
      .toSorted();
  expect(found('1.0.0')).toEqual([
    'pkg:npm/x yes',
    'pkg:npm/x* yes',
    'pkg:npm/x?vers=vers:npm/<2 yes',
    'pkg:npm/x@1.0.0 yes',
  ]);
  expect(found('3.0.0')).toEqual(['pkg:npm/x yes', 'pkg:npm/x* yes']);
  expect(found(undefined)).toEqual([
    'pkg:npm/x yes',
    'pkg:npm/x* yes',
    'pkg:npm/x?vers=vers:npm/<2 unknown',
    'pkg:npm/x@1.0.0 unknown',
    'pkg:npm/x@2.0.0 unknown',
  ]);
  expect(found('1.0.0')).toHaveLength(4);
  expect(matcher.match(undefined, versions)).toEqual([]);
});

test('a thousand patterns that begin or end otherwise are not looked at', () => {
  let looked = 0;
  const watched = (text: string) => {
    const { key, ...rest } = pattern(text);
    const get = () => {
      looked += 1;
      return key;
    };
    return { pattern: Object.defineProperty({ ...rest, key }, 'key', { get }), rule: text };
  };
  const numbers = Array.from({ length: 1000 }, (_, at) => at);
  const texts = numbers.flatMap((at) => [`pkg:npm/p${at}-*`, `pkg:npm/*-s${at}`, `pkg:npm/a*-longer${at}`]);
  const matcher = new Matcher(texts.map(watched));
  looked = 0;
  const found = matcher.match({ type: 'npm', name: 'p7-s8' }, undefined);
  expect(found.map(({ rule }) => rule).toSorted()).toEqual(['pkg:npm/*-s8', 'pkg:npm/p7-*']);
  expect(looked).toBe(2);
});
