import { expect, test } from 'vitest';
import { formats } from '../formats/all.ts';
import type { Decision } from './decision.ts';
import { type Judged, nearest } from './nearest.ts';

const order = (id: string) => formats.find((format) => format.id === id)?.versions;
const npm = order('npm');
const REFUSED: Decision = { allowed: false, rule: 'cooldown/default', kind: 'cooldown', reason: 'too young' };
const admitted = (...versions: string[]): Judged[] =>
  versions.map((version) => ({ version, decision: { allowed: true } }));
const refused = (version: string): Judged => ({ version, decision: REFUSED });

test('what is suggested instead is the highest admissible version below', () => {
  const versions = [refused('1.10.0'), ...admitted('1.2.0', '1.9.0', '1.1.0', '2.0.0')];
  expect(nearest('1.10.0', versions, npm)).toBe('1.9.0');
});

test('it is the lowest above where nothing below is admissible', () => {
  const versions = [refused('1.9.0'), refused('1.10.0'), ...admitted('3.0.0', '2.0.0')];
  expect(nearest('1.10.0', versions, npm)).toBe('2.0.0');
});

test('what was yanked, what is refused and what was asked for itself are never suggested', () => {
  const yanked: Judged = { version: '1.9.0', decision: { allowed: true }, yanked: true };
  expect(nearest('1.10.0', [yanked, ...admitted('2.0.0')], npm)).toBe('2.0.0');
  expect(nearest('1.10.0', [refused('1.10.0'), refused('1.9.0')], npm)).toBeUndefined();
  expect(nearest('1.10.0', admitted('1.10.0', '1.9.0'), npm)).toBe('1.9.0');
});

test('a prerelease is suggested only where one was asked for, or where nothing else is admissible', () => {
  const versions = admitted('1.9.0', '1.10.0-rc.1', '2.0.0');
  expect(nearest('1.10.0', versions, npm)).toBe('1.9.0');
  expect(nearest('1.10.0-rc.2', versions, npm)).toBe('1.10.0-rc.1');
  expect(nearest('1.10.0', admitted('1.10.0-rc.1'), npm)).toBe('1.10.0-rc.1');
});

test('what has no place in the order is not suggested where there is one', () => {
  expect(nearest('1.10.0', admitted('nonsense', '2.0.0'), npm)).toBe('2.0.0');
  expect(nearest('1.10.0', admitted('2.0.0', 'nonsense'), npm)).toBe('2.0.0');
});

test('another spelling of the version that was asked for is as near as can be', () => {
  expect(nearest('1.0', admitted('0.9', '1.0.0', '1.1'), order('pypi'))).toBe('1.0.0');
});

test('without an order, versions count as listed: the last admissible one before, else the first after', () => {
  const versions = [...admitted('a', 'b'), refused('c'), refused('d'), ...admitted('e', 'f')];
  expect(nearest('d', versions)).toBe('b');
  expect(nearest('d', versions.slice(2))).toBe('e');
  expect(nearest('a', admitted('a', 'b', 'c'))).toBe('b');
  expect(nearest('of nobody', versions)).toBe('f');
});

test('a version that has no place in the order counts as listed', () => {
  const versions = [...admitted('1.0.0'), refused('nonsense'), ...admitted('0.9.0')];
  expect(nearest('nonsense', versions, npm)).toBe('1.0.0');
});
