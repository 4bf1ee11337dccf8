import { expect, test } from 'vitest';
import { debianOrder } from './version-order.ts';

/** Ascending, each before the next. */
const ASCENDING = [
  '~~',
  '~~a',
  '~',
  '0',
  '1.0~beta1',
  '1.0~beta1+svn1',
  '1.0',
  '1.0-0ubuntu1',
  '1.0-1~bpo12+1',
  '1.0-1',
  '1.0-1+b1',
  '1.0-1+deb12u1',
  '1.0-10',
  '1.0a',
  '1.0+dfsg',
  '1.2-3',
  '1.10',
  '20240101',
  '99999999999999999999',
  '1:0.1',
  '2:0',
];

test('versions are ordered as Debian Policy 5.6.12 says', () => {
  for (const [at, left] of ASCENDING.entries()) {
    for (const [after, right] of ASCENDING.entries())
      expect(Math.sign(debianOrder.compare(left, right)), `${left} ${right}`).toBe(Math.sign(at - after));
  }
});

test('an epoch of zero says nothing, another does', () => {
  expect(debianOrder.canonical('0:1.0-1')).toBe('1.0-1');
  expect(debianOrder.canonical('00:1.0-1')).toBe(debianOrder.canonical('1.0-1'));
  expect(debianOrder.canonical('1:1.0-1')).toBe('1:1.0-1');
  expect(debianOrder.compare('0:1.0', '1.0')).toBe(0);
  expect(debianOrder.compare('1.0', '1.00')).toBe(0);
});

test.each(['', '1.0 beta', '1_0', 'a:1', '1.0\n'])('%j is no version', (version) => {
  expect(debianOrder.canonical(version)).toBeUndefined();
});
