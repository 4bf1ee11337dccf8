import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formats } from '../formats/all.ts';
import { Matcher, type Release } from './matcher.ts';
import { moreSpecific, parsePattern, type VersionOrders, wildcardMatches } from './package-pattern.ts';

const ORDERS: VersionOrders = new Map(formats.map(({ traits, versions }) => [traits.purl, versions]));

function matches(pattern: string, release: Release): string {
  const [match] = new Matcher([{ pattern: parsePattern(pattern, ORDERS), rule: 1 }]).match(
    release,
    ORDERS.get(release.type),
  );
  return match?.covered ?? 'no';
}

const npm = (name: string, version?: string): Release => {
  const slash = name.indexOf('/');
  return { type: 'npm', name: name.slice(slash + 1), version, ...(slash > 0 && { namespace: name.slice(0, slash) }) };
};

test.each<[string, Release]>([
  ['pkg:npm/lodash', npm('lodash', '4.17.21')],
  ['pkg:NPM/Lodash', npm('lodash', '4.17.21')],
  ['pkg:npm/lo%64ash', npm('lodash', '4.17.21')],
  ['pkg://npm/lodash', npm('lodash')],
  ['pkg:npm/%40acme/app', npm('@acme/app', '1.0.0')],
  ['pkg:npm/@acme/app', npm('@acme/app', '1.0.0')],
  ['pkg:npm/%40acme%2Fapp', npm('@acme/app', '1.0.0')],
  ['pkg:npm/@ACME/*', npm('@acme/app', '1.0.0')],
  ['pkg:npm/*', npm('@acme/app')],
  ['pkg:npm/json*', npm('JSONStream')],
  ['pkg:npm/JSONStream', npm('JSONStream')],
  ['pkg:npm/*-loader', npm('css-loader')],
  ['pkg:npm/@*/core', npm('@acme/core')],
  ['pkg:npm/lodash@4.17.21', npm('lodash', '4.17.21')],
  ['pkg:npm/@acme/app@v1.0.0', npm('@acme/app', '1.0.0')],
  ['pkg:maven/com.acme/*', { type: 'maven', namespace: 'com.acme', name: 'lib' }],
  ['pkg:maven/com.acme*', { type: 'maven', namespace: 'com.acme.deep', name: 'lib' }],
  ['pkg:pypi/Zope.Interface', { type: 'pypi', name: 'zope-interface' }],
  ['pkg:pypi/foo__bar*', { type: 'pypi', name: 'foo-bar-baz' }],
  ['pkg:pypi/x@1.0', { type: 'pypi', name: 'x', version: '1.0.0' }],
  ['pkg:cargo/Serde-JSON', { type: 'cargo', name: 'serde_json' }],
  ['pkg:golang/github.com/burntsushi/toml', { type: 'golang', namespace: 'github.com/BurntSushi', name: 'toml' }],
  ['pkg:golang/github.com/acme/*', { type: 'golang', namespace: 'github.com/acme/tool', name: 'v2' }],
  ['pkg:golang/x/y@1.2.3', { type: 'golang', namespace: 'x', name: 'y', version: 'v1.2.3' }],
  ['pkg:oci/library/alpine', { type: 'oci', name: 'library/alpine' }],
  ['pkg:oci/library%2Falpine', { type: 'oci', name: 'library/alpine' }],
  ['pkg:deb/debian/curl@0:8.0-1', { type: 'deb', namespace: 'debian', name: 'curl', version: '8.0-1' }],
  ['pkg:deb/*', { type: 'deb', namespace: 'debian', name: 'curl' }],
  ['pkg:maven/com.a@b/lib', { type: 'maven', namespace: 'com.a@b', name: 'lib' }],
  ['pkg:deb/*/curl', { type: 'deb', namespace: 'ubuntu', name: 'curl' }],
  ['pkg:npm/x?vers=vers:npm/>=1.0|<1.4', npm('x', '1.3.9')],
  ['pkg:npm/x?vers=vers%3Anpm%2F%3E%3D1.0%7C%3C1.4', npm('x', '1.3.9')],
])('%s is about %o', (pattern, release) => {
  expect(matches(pattern, release)).toBe('yes');
});

test.each<[string, Release]>([
  ['pkg:npm/lodash', npm('lodash-es')],
  ['pkg:npm/lodash', { type: 'pypi', name: 'lodash' }],
  ['pkg:npm/jsonstream', npm('JSONStream')],
  ['pkg:pypi/foobar', { type: 'pypi', name: 'foo-bar' }],
  ['pkg:npm/@acme/*', npm('@acme-evil/app')],
  ['pkg:npm/*-loader', npm('loader')],
  ['pkg:npm/ab*ba', npm('aba')],
  ['pkg:maven/com.acme/*', { type: 'maven', namespace: 'com.acme.deep', name: 'lib' }],
  ['pkg:maven/com.acme/lib', { type: 'maven', namespace: 'com.Acme', name: 'lib' }],
  ['pkg:maven/com.acme/lib@1.0', { type: 'maven', namespace: 'com.acme', name: 'lib', version: '1.0.0' }],
  ['pkg:npm/lodash@4.17.21', npm('lodash', '4.17.20')],
  ['pkg:npm/x?vers=vers:npm/>=1.0|<1.4', npm('x', '1.4.0')],
])('%s is not about %o', (pattern, release) => {
  expect(matches(pattern, release)).toBe('no');
});

test('what cannot be told is said', () => {
  expect(matches('pkg:npm/x@1.0.0', npm('x'))).toBe('unknown');
  expect(matches('pkg:pypi/x?vers=vers:pypi/<2', { type: 'pypi', name: 'x', version: '2004d-final' })).toBe('unknown');
  expect(matches('pkg:npm/x?vers=vers:npm/*', npm('x', 'nonsense'))).toBe('yes');
});

test.each([
  ['lodash', 'must be a package URL such as'],
  ['npm:lodash', 'must be a package URL such as'],
  ['pkg:npm', 'must be a package URL such as'],
  ['see pkg:npm/lodash', 'must be a package URL such as'],
  [`l${'o'.repeat(79)}`, `not "l${'o'.repeat(79)}"`],
  [`l${'o'.repeat(80)}`, `not "l${'o'.repeat(76)}..."`],
  ['pkg:npm/', 'must be a package URL such as'],
  ['pkg:nmp/lodash', 'is of type "nmp", which is not known; known are npm, pypi'],
  ['pkg:npm/lodash@', 'must have a version after @, or no @'],
  ['pkg:npm/lodash@4.*', 'must not have * in its version'],
  ['pkg:npm/lodash#lib', 'must be a package URL such as'],
  ['pkg:npm/lodash?arch=x', 'must have nothing but a range of versions after ?'],
  ['pkg:npm/lodash?vers=vers:npm/*&vers=vers:npm/*', 'must have nothing but a range'],
  ['pkg:npm/lodash@1.0.0?vers=vers:npm/*', 'a version after @ or a range of versions, not both'],
  ['pkg:npm/lo%zzdash', 'percent encoding is broken'],
  ['pkg:npm/a//b', 'an empty part'],
  ['pkg:npm/../b', '".." in its name'],
  ['pkg:npm/./b', '"." in its name'],
  ['pkg:npm/lodash@1%200', 'must not have blanks'],
  ['pkg:npm/a%00b', 'control characters'],
  ['pkg:npm/a%0Ab', 'control characters'],
  ['pkg:npm/acme/app', 'does not name a package: npm "namespace" component must start with an "@"'],
  ['pkg:npm/acme/*', 'a scope of npm begins with @'],
  ['pkg:npm/a**', 'one * stands for any run'],
  ['pkg:maven/junit', 'maven requires a "namespace" component'],
  ['pkg:deb/curl', 'must name the distribution: pkg:deb/debian/curl'],
])('%s is refused: %s', (pattern, words) => {
  expect(() => parsePattern(pattern, ORDERS)).toThrow(words);
});

test('a pattern may have 1000 characters', () => {
  const long = (length: number) => () => parsePattern(`pkg:npm/${'a'.repeat(length - 8)}*`.slice(0, length), ORDERS);
  expect(long(1000)).not.toThrow('at most');
  expect(long(1001)).toThrow('must have at most 1000 characters, not 1001');
  expect(long(1_000_000)).toThrow('must have at most 1000 characters, not 1000000');
});

test('a pattern is what it says and nothing more', () => {
  expect(parsePattern('pkg:npm/lodash', ORDERS)).toStrictEqual({ type: 'npm', key: 'lodash', wildcard: false });
  expect(parsePattern('pkg:npm/@acme/*@1.0.0', ORDERS)).toStrictEqual({
    type: 'npm',
    key: '@acme/*',
    wildcard: true,
    version: '1.0.0',
  });
});

test('of several patterns the one that says more of a package counts more', () => {
  const ascending = ['*', '@acme/*', '@acme/app*', '@acme/app', '@acme/app?vers=vers:npm/<2', '@acme/app@1.0.0'];
  const patterns = ascending.map((each) => parsePattern(`pkg:npm/${each}`, ORDERS));
  for (const [at, one] of patterns.entries())
    for (const [after, other] of patterns.entries())
      expect(Math.sign(moreSpecific(one, other))).toBe(Math.sign(at - after));
});

test('a * stands for what a regular expression would let it stand for', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 12 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*'), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (glob, given) => {
      expect(wildcardMatches(glob, given)).toBe(new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(given));
    }),
    { numRuns: 2000 },
  );
});

test('whatever is given, it is taken or refused with a sentence', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('pkg:', 'npm', '/', '@', '?vers=', 'vers:npm/', '>=', '|', '*', '1.0'),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      try {
        parsePattern(pieces.join(''), ORDERS);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 3000 },
  );
});

test('looking rules up finds what asking each of them finds', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 5 });
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*'), minLength: 1, maxLength: 5 });
  const written = fc.oneof(name, glob).filter((text) => /^[ab*]/.test(text) && !text.includes('**'));
  fc.assert(
    fc.property(fc.array(written, { maxLength: 30 }), name, (globs, asked) => {
      const entries = globs.map((text, rule) => ({ pattern: parsePattern(`pkg:cargo/${text}`, ORDERS), rule }));
      const found = new Matcher(entries).match({ type: 'cargo', name: asked }, undefined).map(({ rule }) => rule);
      const expected = entries.filter(({ pattern }) => wildcardMatches(pattern.key, asked)).map(({ rule }) => rule);
      expect(found.toSorted()).toEqual(expected.toSorted());
    }),
    { numRuns: 1000 },
  );
});
