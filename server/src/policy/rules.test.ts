import { expect, test } from 'vitest';
import { refusal } from './rules.ts';

const open = { repository: 'npm-public', patterns: [], blocklist: [], banTags: [] };

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
  expect(refusal({ path: 'lodash/-/lodash-4.0.0.tgz', name: 'lodash' }, [rules])).toEqual({
    rule: 'npm-public.patterns',
    reason: 'lodash matches none of the patterns that "npm-public" admits',
  });
  expect(refusal({ path: 'tools/setup' }, [rules])?.reason).toMatch(/^tools\/setup matches none/);
});

test('a banned tag is refused, whatever patterns say; the same file by its digest is not', () => {
  const rules = { ...open, repository: 'hub', patterns: ['^library/'], banTags: ['^latest$', '-rc'] };
  const image = { path: 'library/alpine/manifests/x', name: 'library/alpine' };
  expect(refusal({ ...image, tag: 'latest' }, [rules])).toEqual({
    rule: 'hub.ban_tags',
    reason: 'the tag latest of library/alpine is banned by "hub" (^latest$)',
  });
  expect(refusal({ ...image, tag: '3.22-rc1' }, [rules])?.rule).toBe('hub.ban_tags');
  expect(refusal({ ...image, tag: 'latest-stable' }, [rules])).toBeUndefined();
  expect(refusal(image, [rules])).toBeUndefined();
});

test('every ruleset must admit it', () => {
  const refusing = { repository: 'npm', patterns: [], blocklist: ['lodash'], banTags: [] };
  expect(refusal({ path: 'lodash/-/lodash-4.0.0.tgz', name: 'lodash' }, [open, refusing])?.rule).toBe('npm.blocklist');
});

test('a pattern that would blow up a backtracking engine is linear here', () => {
  const rules = { ...open, blocklist: ['^(a+)+$'] };
  expect(refusal({ path: `${'a'.repeat(50_000)}!` }, [rules])).toBeUndefined();
});
