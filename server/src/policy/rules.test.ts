import { expect, test } from 'vitest';
import { refusal } from './rules.ts';

const open = { repository: 'npm-public', patterns: [], blocklist: [] };

test('without patterns everything is admitted', () => {
  expect(refusal({ path: 'left-pad/-/left-pad-1.3.0.tgz', name: 'left-pad' }, [open])).toBeUndefined();
});

test('a blocklist refuses by path and by package name, whatever patterns say', () => {
  const rules = { ...open, patterns: ['.*'], blocklist: ['^left-pad$', '\\.exe$'] };
  expect(refusal({ path: 'left-pad/-/left-pad-1.3.0.tgz', name: 'left-pad' }, [rules])).toEqual({
    rule: 'npm-public.blocklist',
    reason: 'left-pad is on the blocklist of "npm-public" (^left-pad$)',
  });
  expect(refusal({ path: 'tools/setup.exe' }, [rules])?.rule).toBe('npm-public.blocklist');
  expect(refusal({ path: 'left-padding/-/left-padding-1.0.0.tgz', name: 'left-padding' }, [rules])).toBeUndefined();
});

test('patterns admit what matches one, by path or by name', () => {
  const rules = { ...open, patterns: ['^@acme/', '^express$'] };
  expect(refusal({ path: '@acme/app/-/app-1.0.0.tgz', name: '@acme/app' }, [rules])).toBeUndefined();
  expect(refusal({ path: 'express/-/express-4.0.0.tgz', name: 'express' }, [rules])).toBeUndefined();
  expect(refusal({ path: 'lodash/-/lodash-4.0.0.tgz', name: 'lodash' }, [rules])?.rule).toBe('npm-public.patterns');
});

test('every ruleset must admit it', () => {
  const refusing = { repository: 'npm', patterns: [], blocklist: ['lodash'] };
  expect(refusal({ path: 'lodash/-/lodash-4.0.0.tgz', name: 'lodash' }, [open, refusing])?.rule).toBe('npm.blocklist');
});

test('a pattern that would blow up a backtracking engine is linear here', () => {
  const rules = { ...open, blocklist: ['^(a+)+$'] };
  expect(refusal({ path: `${'a'.repeat(50_000)}!` }, [rules])).toBeUndefined();
});
