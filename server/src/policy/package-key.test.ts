import { expect, test } from 'vitest';
import { foldedForWildcards, nameProblem, packageKey } from './package-key.ts';

test.each([
  [{ type: 'pypi', name: 'Zope.Interface__X' }, 'zope-interface-x'],
  [{ type: 'cargo', name: 'Serde_JSON' }, 'serde-json'],
  [{ type: 'golang', namespace: 'github.com/Acme', name: 'Tool' }, 'github.com/acme/tool'],
  [{ type: 'oci', name: 'Library/Debian' }, 'library/debian'],
  [{ type: 'deb', namespace: 'debian', name: 'Wget' }, 'debian/wget'],
  [{ type: 'npm', namespace: '@acme', name: 'tool' }, '@acme/tool'],
  [{ type: 'npm', namespace: '', name: 'tool' }, 'tool'],
  [{ type: 'maven', namespace: 'com.Acme', name: 'Lib' }, 'com.Acme/Lib'],
])('rules look %o up as %s', (parts, key) => {
  expect(packageKey(parts)).toBe(key);
});

test('what is no name for the PURL library is looked up as it is, and folded all the same', () => {
  expect(packageKey({ type: 'npm', namespace: 'acme', name: 'app' })).toBe('acme/app');
  expect(packageKey({ type: 'maven', name: 'junit' })).toBe('junit');
  expect(packageKey({ type: 'deb', namespace: '', name: '' })).toBe('');
});

test('what a pattern with * is held against is spelled as the pattern is', () => {
  expect(foldedForWildcards('npm', 'JSONStream')).toBe('jsonstream');
  expect(foldedForWildcards('pypi', 'Foo_*')).toBe('foo-*');
  expect(foldedForWildcards('maven', 'com.Acme/*')).toBe('com.Acme/*');
  expect(foldedForWildcards('toString', 'A')).toBe('A');
});

test('why something cannot be a name is said in the PURL library’s words', () => {
  expect(nameProblem({ type: 'npm', name: 'lodash' })).toBeUndefined();
  expect(nameProblem({ type: 'npm', namespace: '', name: 'lodash' })).toBeUndefined();
  expect(nameProblem({ type: 'maven', name: 'junit' })).toMatch(/^maven requires a "namespace" component/);
  expect(nameProblem({ type: 'npm', name: "it's;old" })).toBeUndefined();
});
