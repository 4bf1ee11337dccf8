import { expect, test } from 'vitest';
import { pep440Order } from './version-order.ts';

test.each([
  ['1.0', '1.0.0'],
  ['1.0-BETA1', '1.0.0b1'],
  ['v2.0.post1', '2.post1'],
  ['1!1.0.dev3', '1!1.dev3'],
  ['1.0+Local.1', '1.0.0+local-1'],
  ['10', '10.0'],
])('%s and %s are one version', (one, other) => {
  expect(pep440Order.canonical(one)).toBeDefined();
  expect(pep440Order.canonical(one)).toBe(pep440Order.canonical(other));
});

test('what PEP 440 does not know has no place, and 1.1 is not 1.10', () => {
  expect(pep440Order.canonical('2004d-final')).toBeUndefined();
  expect(pep440Order.canonical('1.1')).not.toBe(pep440Order.canonical('1.10'));
});

test('the order is that of PEP 440', () => {
  const sorted = ['1.0', '1.0.post1', '1.0a1', '1.0.dev1', '1.0rc1', '1!0.1'].sort(pep440Order.compare);
  expect(sorted).toEqual(['1.0.dev1', '1.0a1', '1.0rc1', '1.0', '1.0.post1', '1!0.1']);
  expect(sorted.filter(pep440Order.isPrerelease)).toEqual(['1.0.dev1', '1.0a1', '1.0rc1']);
});
