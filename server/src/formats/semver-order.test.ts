import { expect, test } from 'vitest';
import { semverOrder } from './semver-order.ts';

test.each([
  ['1.2.3', '1.2.3'],
  ['v1.2.3', '1.2.3'],
  ['1', '1.0.0'],
  ['v1.2-rc.1', '1.2.0-rc.1'],
  ['2.0.0+incompatible', '2.0.0+incompatible'],
  ['1.0.0beta', '1.0.0-beta'],
])('%s is %s', (written, canonical) => {
  expect(semverOrder.canonical(written)).toBe(canonical);
});

test.each(['', 'latest', '1.x', '^1.0.0', '1.0.0.0', '*', '1.0.0 || 2.0.0'])('%j is no version', (written) => {
  expect(semverOrder.canonical(written)).toBeUndefined();
});

test('prereleases come before their release, numbers are compared as numbers', () => {
  const sorted = ['1.10.0', '1.9', '1.10.0-rc.2', '1.10.0-rc.10', '2'].sort(semverOrder.compare);
  expect(sorted).toEqual(['1.9', '1.10.0-rc.2', '1.10.0-rc.10', '1.10.0', '2']);
  expect(sorted.filter(semverOrder.isPrerelease)).toEqual(['1.10.0-rc.2', '1.10.0-rc.10']);
});
