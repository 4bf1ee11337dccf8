import { expect, test } from 'vitest';
import { cooldown, DAY, exemption, freeze, NOW, pattern, policy } from '../../policy/fixtures.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Ruleset } from '../../policy/rules.ts';
import type { AnyFormat } from '../format.ts';
import type { Scope } from '../source.ts';
import { type Judged, judge, type Reading } from './judge.ts';

const versions = { canonical: (version: string) => version, compare: () => 0, isPrerelease: () => false };
const toy = (given: Partial<AnyFormat> = {}, evidence: AnyFormat['traits']['evidence'] = 'index'): Reading => ({
  format: { id: 'npm', traits: { purl: 'npm', evidence }, ...given } as AnyFormat,
  options: { distribution: 'debian' },
});
const WEEK: Partial<Policy> = { cooldowns: [cooldown({ otherwise: 7 * DAY })] };
const scoped = (rules: Partial<Policy>, given: Partial<Scope> = {}): Scope => ({
  policy: { id: 'r1', policy: policy(rules) },
  repositories: ['npm', 'npm-public'],
  firstParty: false,
  ...given,
});
const open: Ruleset = { repository: 'npm-public', patterns: [], blocklist: [], banTags: [] };
const file: Judged = { path: 'x/-/x-1.0.0.tgz', name: 'x', version: '1.0.0' };
const young = { published: { at: NOW - DAY, by: 'server' as const } };
const seen = (at: number, baseline: boolean) => ({ seen: { '1.0.0': { at, baseline } } });

test('without a policy only patterns refuse, and what nothing refuses is admitted without a word', () => {
  expect(judge(file, toy(), [open], undefined, NOW)).toStrictEqual({});
  const verdict = judge(file, toy(), [open, { ...open, blocklist: ['^x$'] }], undefined, NOW);
  expect(verdict.refused?.rule).toBe('npm-public.blocklist');
});

test('patterns come before the policy, and none of them is overruled by it', () => {
  const verdict = judge({ ...file, ...young }, toy(), [{ ...open, blocklist: ['^x$'] }], scoped(WEEK), NOW);
  expect(verdict).toStrictEqual({ refused: expect.objectContaining({ rule: 'npm-public.blocklist' }) });
});

test('the address of the moving name that led to a file is held against patterns like its own', () => {
  const rules = [{ ...open, blocklist: ['^latest/', '\\.tgz$'] }];
  expect(judge({ path: 'x/1', alias: 'latest/x' }, toy(), rules, undefined, NOW).refused).toBeDefined();
  expect(judge({ path: 'x-1.tgz', alias: 'x' }, toy(), rules, undefined, NOW).refused).toBeDefined();
  expect(judge({ path: 'x/1', alias: 'x' }, toy(), rules, undefined, NOW).refused).toBeUndefined();
});

test('a tag is held against the banned ones', () => {
  const rules = [{ ...open, banTags: ['^latest$'] }];
  expect(judge({ ...file, tag: 'latest' }, toy(), rules, undefined, NOW).refused?.rule).toBe('npm-public.ban_tags');
  expect(judge({ ...file, tag: '1' }, toy(), rules, undefined, NOW).refused).toBeUndefined();
});

test('a refusal by policy says by which rule, until when and by what evidence', () => {
  expect(judge({ ...file, ...young }, toy(), [open], scoped(WEEK), NOW)).toStrictEqual({
    refused: {
      rule: 'cooldown/default',
      reason: 'x 1.0.0 was published 24 hours ago; the cooldown "default" admits it from 2026-12-01 12:00 UTC',
    },
    until: NOW + 6 * DAY,
    evidence: { source: 'server', at: NOW - DAY },
  });
});

test('what is admitted by its age says by which, and what no rule asks about says nothing', () => {
  const old = { published: { at: NOW - 8 * DAY, by: 'server' as const } };
  expect(judge({ ...file, ...old }, toy(), [], scoped(WEEK), NOW)).toStrictEqual({
    evidence: { source: 'server', at: NOW - 8 * DAY },
  });
  expect(judge({ ...file, ...young }, toy(), [], scoped({}), NOW)).toStrictEqual({});
});

test('an exemption is named, with its reason and its end', () => {
  const rules = { ...WEEK, exemptions: [exemption(['pkg:npm/x'], { reason: 'CVE' })] };
  expect(judge({ ...file, ...young }, toy(), [], scoped(rules), NOW)).toStrictEqual({
    until: NOW + DAY,
    evidence: { source: 'server', at: NOW - DAY },
    because: {
      rule: 'exemption/hotfix',
      reason:
        'x 1.0.0 is admitted: the exemption "hotfix" lifts the cooldown "default" until 2026-11-26 12:00 UTC: CVE',
    },
  });
});

test('what a rule that only observes would have refused is said, of what is admitted and of what is refused', () => {
  const trial = cooldown({ name: 'trial', otherwise: 7 * DAY, mode: 'observe' });
  const observed = [expect.objectContaining({ rule: 'cooldown/trial' })];
  const admitted = judge({ ...file, ...young }, toy(), [], scoped({ cooldowns: [trial] }), NOW);
  expect(admitted).toMatchObject({ observed });
  expect(admitted.refused).toBeUndefined();
  const both = { cooldowns: [trial, cooldown({ otherwise: 3 * DAY })] };
  expect(judge({ ...file, ...young }, toy(), [], scoped(both), NOW)).toMatchObject({
    observed,
    refused: { rule: 'cooldown/default' },
  });
});

test('what was published here is refused by blocks alone', () => {
  expect(judge({ ...file, ...young }, toy(), [], scoped(WEEK, { firstParty: true }), NOW)).toStrictEqual({});
});

test('rules about repositories are about those it is asked through', () => {
  const rules = { cooldowns: [cooldown({ otherwise: 7 * DAY, repositories: ['npm-public'] })] };
  expect(judge({ ...file, ...young }, toy(), [], scoped(rules), NOW).refused).toBeDefined();
  const elsewhere = scoped(rules, { repositories: ['npm'] });
  expect(judge({ ...file, ...young }, toy(), [], elsewhere, NOW).refused).toBeUndefined();
});

test('a package is known by the parts that its format reads in its name', () => {
  const rules = (text: string) => scoped({ blocks: [{ name: 'bad', packages: [pattern(text)] }] });
  const purl: AnyFormat['purl'] = (name, { distribution }) => ({ namespace: `@${distribution}`, name });
  const folder = { ...file, name: '@acme/x' };
  expect(judge(folder, toy(), [], rules('pkg:npm/@acme/x'), NOW).refused?.rule).toBe('block/bad');
  expect(judge(file, toy(), [], rules('pkg:npm/@debian/x'), NOW).refused).toBeUndefined();
  expect(judge(file, toy({ purl }), [], rules('pkg:npm/@debian/x'), NOW).refused?.rule).toBe('block/bad');
  expect(judge({ path: 'x' }, toy(), [], rules('pkg:npm/*'), NOW).refused).toBeUndefined();
});

test('a version is placed by the order of its format; without one, what is about some versions refuses', () => {
  const rules = () => scoped({ blocks: [{ name: 'old', packages: [pattern('pkg:npm/x?vers=vers:npm/<0.5')] }] });
  const compare = (one: string, other: string) => (one < other ? -1 : 1);
  expect(judge(file, toy({ versions: { ...versions, compare } }), [], rules(), NOW).refused).toBeUndefined();
  expect(judge(file, toy(), [], rules(), NOW).refused?.rule).toBe('block/old');
});

test('a file of no package is judged by its own path', () => {
  const { refused } = judge({ path: 'tool.bin', ...young }, toy(), [], scoped(WEEK), NOW);
  expect(refused?.reason).toMatch(/^tool\.bin was published 24 hours ago/);
});

test('the file’s own Last-Modified is its age where the index has none', () => {
  expect(judge({ ...file, lastModified: NOW - 8 * DAY }, toy(), [], scoped(WEEK), NOW)).toStrictEqual({
    evidence: { source: 'last-modified', at: NOW - 8 * DAY },
  });
});

test('first seen is by version, and a version nobody listed has none', () => {
  const authored = { ...file, published: { at: NOW - 90 * DAY, by: 'author' as const } };
  const old = scoped(WEEK, seen(NOW - 8 * DAY, false));
  expect(judge(authored, toy(), [], old, NOW).evidence?.source).toBe('first-seen');
  expect(judge(authored, toy(), [], scoped(WEEK, seen(NOW, true)), NOW).evidence?.source).toBe('author');
  const { version: _version, ...unversioned } = authored;
  for (const other of [unversioned, { ...authored, version: '2.0.0' }, { ...authored, version: 'toString' }])
    expect(judge(other, toy(), [], old, NOW).evidence?.source).toBe('none');
  expect(judge(authored, toy(), [], scoped(WEEK), NOW).evidence?.source).toBe('none');
});

test('what an index does not date is dated by what was asked for it, file by file', () => {
  const of = { [file.path]: { lastModified: NOW - 8 * DAY }, 'x/-/x-2.0.0.tgz': { lastModified: NOW - DAY } };
  const dates = { of, id: 'd', complete: true };
  const scope = scoped(WEEK, { dates });
  expect(judge(file, toy(), [], scope, NOW).evidence).toStrictEqual({ source: 'last-modified', at: NOW - 8 * DAY });
  expect(judge({ ...file, path: 'x/-/x-2.0.0.tgz' }, toy(), [], scope, NOW).refused).toBeDefined();
  expect(judge({ ...file, path: 'x/-/x-3.0.0.tgz' }, toy(), [], scope, NOW).evidence?.source).toBe('none');
  expect(judge({ ...file, path: 'toString' }, toy(), [], scope, NOW).evidence?.source).toBe('none');
  const described = { of: { [file.path]: { published: { at: NOW - 9 * DAY, by: 'server' as const } } } };
  expect(judge(file, toy(), [], scoped(WEEK, { dates: { ...dates, ...described } }), NOW).evidence).toStrictEqual({
    source: 'server',
    at: NOW - 9 * DAY,
  });
});

test('the date of the index itself counts for files that have none of their own', () => {
  const dates = { of: { other: { lastModified: NOW - DAY } }, at: NOW - 9 * DAY, id: 'd', complete: true };
  const scope = scoped(WEEK, { dates });
  expect(judge(file, toy(), [], scope, NOW).evidence).toStrictEqual({ source: 'last-modified', at: NOW - 9 * DAY });
  expect(judge({ ...file, path: 'other' }, toy(), [], scope, NOW).evidence?.at).toBe(NOW - DAY);
  expect(judge({ ...file, ...young }, toy(), [], scope, NOW).evidence?.source).toBe('server');
  expect(judge({ ...file, lastModified: NOW - 8 * DAY }, toy(), [], scope, NOW).evidence?.at).toBe(NOW - 8 * DAY);
});

test('a format without evidence is held back only by rules that name it', () => {
  const reading = toy({}, 'none');
  expect(judge(file, reading, [], scoped(WEEK, seen(NOW, false)), NOW)).toStrictEqual({});
  const named = scoped({ freezes: [freeze('2026-11-20T00:00:00Z', { formats: ['npm'] })] }, seen(NOW, false));
  expect(judge(file, reading, [], named, NOW).refused?.rule).toBe('freeze/may');
});

test('a block may name a moving name as it names a version, and refuses whatever that means, published here or not', () => {
  const rules = scoped({ blocks: [{ name: 'bad', packages: [pattern('pkg:npm/x@latest')] }] }, { firstParty: true });
  expect(judge({ ...file, tag: 'latest' }, toy(), [], rules, NOW)).toStrictEqual({
    refused: { rule: 'block/bad', reason: 'x latest is blocked by "bad"' },
  });
  expect(judge({ ...file, tag: 'next' }, toy(), [], rules, NOW)).toStrictEqual({});
  expect(judge(file, toy(), [], rules, NOW)).toStrictEqual({});
  const tagged = { ...file, version: '0.1.0', tag: 'latest', ...young };
  expect(judge(tagged, toy(), [], scoped(WEEK), NOW).refused?.reason).toMatch(/^x 0\.1\.0 was published/);
});

test('what is seen on the way of a request counts as seen when it came; what is in the future does not', () => {
  const authored = { ...file, published: { at: NOW - 90 * DAY, by: 'author' as const } };
  const evidence = (at: number) => judge(authored, toy(), [], scoped(WEEK, seen(at, false)), NOW).evidence;
  const minutes = 60_000;
  expect(evidence(NOW + 1)).toMatchObject({ source: 'first-seen', at: NOW });
  expect(evidence(NOW + 10 * minutes - 1)).toMatchObject({ source: 'first-seen', at: NOW });
  expect(evidence(NOW + 10 * minutes)?.source).toBe('none');
  expect(evidence(NOW)).toMatchObject({ source: 'first-seen', at: NOW });
  expect(evidence(NOW - 1)).toMatchObject({ source: 'first-seen', at: NOW - 1 });
});

test('a first sight that is given counts in place of the one on record', () => {
  const authored = { ...file, published: { at: NOW - 90 * DAY, by: 'author' as const } };
  const given = { ...authored, firstSeen: { at: NOW - 9 * DAY, baseline: false } };
  expect(judge(given, toy(), [], scoped(WEEK, seen(NOW, false)), NOW).evidence).toMatchObject({ at: NOW - 9 * DAY });
});
