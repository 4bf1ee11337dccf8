import { expect, test } from 'vitest';
import { compareVersions, isPrerelease } from './versions.ts';

/** From the documentation of Maven's own order, and from releases of well-known projects. */
test.each([
  ['1-alpha1', '1-beta1', '1-m3', '1-rc1', '1-SNAPSHOT', '1', '1-sp', '1-foo', '1-1', '1.0.1', '1.1', '1.10', '2'],
  ['1.0.0.Beta3', '1.0.0.CR1', '1.0.0.Final', '1.0.1.Alpha1'],
  ['2.0.16', '2.1.0-alpha0', '2.1.0-alpha1', '2.1.0', '20040616'],
  ['32.0.0-jre', '33.0.0-android', '33.0.0-jre', '33.4.8-jre'],
  ['9.4.48.v20220622', '9.4.51.v20230217', '10.0.0-alpha1', '10.0.0'],
  ['1.0-20261121.144808-1', '1.0-20261121.144808-2', '1.0-99999999999999999999'],
])('%s comes before %s …', (...ordered) => {
  for (const [position, lower] of ordered.entries()) {
    expect(compareVersions(lower, lower)).toBe(0);
    for (const higher of ordered.slice(position + 1)) {
      expect(compareVersions(lower, higher), `${lower} < ${higher}`).toBeLessThan(0);
      expect(compareVersions(higher, lower), `${higher} > ${lower}`).toBeGreaterThan(0);
    }
  }
});

test.each([
  ['1', '1.0.0'],
  ['1', '1-ga'],
  ['1.0.Final', '1.0.0.RELEASE'],
  ['1-rc1', '1.0.0.CR1'],
  ['1-a1', '1-alpha-1'],
  ['1-RC2', '1-rc-2'],
])('%s and %s are one', (left, right) => expect(compareVersions(left, right)).toBe(0));

test('a prerelease says so', () => {
  expect(['1-rc1', '2.0.0.M1', '1.0-SNAPSHOT', '3-beta', '1.0-a1'].filter(isPrerelease)).toHaveLength(5);
  expect(['1', '1.0.Final', '33-jre', '1-sp1', '1.0-android'].filter(isPrerelease)).toEqual([]);
});

test('a version of great length is compared all the same', () => {
  expect(compareVersions('1-'.repeat(100_000), '2')).toBeLessThan(0);
  expect(compareVersions('1a'.repeat(100_000), `1a${'1a'.repeat(100_000)}`)).toBe(0);
});
