import { expect, test } from 'vitest';
import { cooldown, DAY, freeze, image, lodash, NOW, pattern, policy } from './fixtures.ts';
import { horizon } from './horizon.ts';
import type { Policy } from './policy.ts';

const of = (rules: Partial<Policy>, asked = lodash()) => horizon(asked, policy(rules), NOW);

test('where no rule is about time nobody is asked how old anything is', () => {
  expect(of({})).toBeUndefined();
  expect(of({ blocks: [{ name: 'bad', packages: [pattern('pkg:npm/lodash')] }] })).toBeUndefined();
  expect(of({ cooldowns: [cooldown({ otherwise: 0, packages: { 'pkg:npm/lodash': 0 } })] })).toBeUndefined();
  expect(of({ cooldowns: [cooldown({ otherwise: DAY, repositories: ['elsewhere'] })] })).toBeUndefined();
  expect(of({ cooldowns: [cooldown({ otherwise: DAY })] }, image({}))).toBeUndefined();
});

test('what is older than the longest cooldown need not be known better', () => {
  const cooldowns = [cooldown({ otherwise: 3 * DAY }), cooldown({ name: 'long', formats: { npm: 9 * DAY } })];
  expect(of({ cooldowns })).toBe(NOW - 9 * DAY);
  expect(of({ cooldowns: cooldowns.toReversed() })).toBe(NOW - 9 * DAY);
});

test('what a cooldown says of single packages and of some of their versions counts for them alone', () => {
  const packages = {
    'pkg:npm/lodash': 5 * DAY,
    'pkg:npm/lodash?vers=vers:npm/<2': 8 * DAY,
    'pkg:npm/react': 90 * DAY,
  };
  expect(of({ cooldowns: [cooldown({ packages })] })).toBe(NOW - 8 * DAY);
  const { package: _package, ...file } = lodash();
  expect(of({ cooldowns: [cooldown({ packages })] }, file)).toBeUndefined();
});

test('what is older than the earliest freeze that still holds need not be known better', () => {
  const freezes = [freeze('2026-11-10T00:00:00Z'), freeze('2026-11-01T00:00:00Z', { expiresAt: NOW + 1 })];
  expect(of({ freezes })).toBe(Date.parse('2026-11-01T00:00:00Z'));
  expect(of({ freezes: [freeze('2026-11-10T00:00:00Z'), freeze('2026-11-01T00:00:00Z', { expiresAt: NOW })] })).toBe(
    Date.parse('2026-11-10T00:00:00Z'),
  );
  expect(of({ freezes, cooldowns: [cooldown({ otherwise: 90 * DAY })] })).toBe(NOW - 90 * DAY);
  expect(of({ freezes, cooldowns: [cooldown({ otherwise: DAY })] })).toBe(Date.parse('2026-11-01T00:00:00Z'));
});
