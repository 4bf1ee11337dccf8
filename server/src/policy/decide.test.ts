import { expect, test } from 'vitest';
import { decide } from './decide.ts';
import type { Candidate } from './decision.ts';
import type { Evidence } from './evidence.ts';
import { author, cooldown, DAY, image, lodash, NOW, pattern, policy, reasonOf, server, WEEK } from './fixtures.ts';
import type { Cooldown } from './policy.ts';

test('without rules everything is admitted, for good', () => {
  expect(decide(lodash(), policy({}), NOW)).toEqual({ allowed: true });
});

test('a release in its cooldown is refused with rule, date and evidence', () => {
  expect(decide(lodash(), WEEK, NOW)).toEqual({
    allowed: false,
    rule: 'cooldown/default',
    kind: 'cooldown',
    reason: 'lodash 4.18.0 was published 2 days ago; the cooldown "default" admits it from 2026-11-30 12:00 UTC',
    until: NOW + 5 * DAY,
    evidence: { source: 'server', at: NOW - 2 * DAY },
  });
});

test('it leaves the cooldown at that very millisecond', () => {
  const until = NOW + 5 * DAY;
  expect(decide(lodash(), WEEK, until - 1).allowed).toBe(false);
  expect(decide(lodash(), WEEK, until)).toEqual({ allowed: true, evidence: { source: 'server', at: NOW - 2 * DAY } });
});

test.each([
  [30_000, 'less than a minute ago', '2026-12-02 12:00 UTC'],
  [60_000, '1 minute ago', '2026-12-02 11:59 UTC'],
  [3 * 3_600_000 + 1, '3 hours ago', '2026-12-02 09:00 UTC'],
  [47 * 3_600_000, '47 hours ago', '2026-11-30 13:00 UTC'],
])('ages are said as people say them: %d ms', (age, ago, from) => {
  const reason = reasonOf(decide(lodash({ evidence: server(age) }), WEEK, NOW));
  expect(reason).toBe(`lodash 4.18.0 was published ${ago}; the cooldown "default" admits it from ${from}`);
});

test.each<[string, Parameters<typeof cooldown>[0], boolean]>([
  ['a format over the default', { otherwise: 7 * DAY, formats: { npm: DAY } }, true],
  ['a format over the default, stricter', { otherwise: DAY, formats: { npm: 7 * DAY } }, false],
  ['another format', { formats: { pypi: 7 * DAY } }, true],
  ['a package over its format', { formats: { npm: DAY }, packages: { 'pkg:npm/lodash': 7 * DAY } }, false],
  ['a package set free', { otherwise: 7 * DAY, packages: { 'pkg:npm/lodash': 0 } }, true],
  ['another package set free', { otherwise: 7 * DAY, packages: { 'pkg:npm/lodash-es': 0 } }, false],
  ['a longer pattern over a shorter', { packages: { 'pkg:npm/lo*': 0, 'pkg:npm/loda*': 7 * DAY } }, false],
  [
    'a longer pattern over a shorter, however declared',
    { packages: { 'pkg:npm/loda*': 7 * DAY, 'pkg:npm/lo*': 0 } },
    false,
  ],
  ['a name over a pattern', { packages: { 'pkg:npm/lodash*': 7 * DAY, 'pkg:npm/lodash': 0 } }, true],
  ['a version over its package', { packages: { 'pkg:npm/lodash': 7 * DAY, 'pkg:npm/lodash@4.18.0': 0 } }, true],
  ['another version', { packages: { 'pkg:npm/lodash': 7 * DAY, 'pkg:npm/lodash@4.17.0': 0 } }, false],
  ['a range over its package', { otherwise: 7 * DAY, packages: { 'pkg:npm/lodash?vers=vers:npm/>=4|<5': 0 } }, true],
  ['two patterns of one length: the strictest', { packages: { 'pkg:npm/lod*': 0, 'pkg:npm/*ash': 7 * DAY } }, false],
  ['another repository', { otherwise: 7 * DAY, repositories: ['npm-internal'] }, true],
  ['the virtual it is asked through', { otherwise: 7 * DAY, repositories: ['npm'] }, false],
  ['the member that has it', { otherwise: 7 * DAY, repositories: ['npm-public'] }, false],
  ['one of the repositories it names', { otherwise: 7 * DAY, repositories: ['npm-public', 'elsewhere'] }, false],
  ['a package elsewhere', { packages: { 'pkg:npm/lodash': 7 * DAY }, repositories: ['npm-internal'] }, true],
])('%s', (_what, rules, allowed) => {
  expect(decide(lodash(), policy({ cooldowns: [cooldown(rules)] }), NOW).allowed).toBe(allowed);
});

test('an age for versions nobody can place is the stricter of both', () => {
  const odd = lodash({ package: { type: 'npm', name: 'lodash', version: 'nonsense' } });
  const freeing = cooldown({ otherwise: 7 * DAY, packages: { 'pkg:npm/lodash?vers=vers:npm/>=1': 0 } });
  const binding = cooldown({ otherwise: 0, packages: { 'pkg:npm/lodash?vers=vers:npm/>=1': 7 * DAY } });
  expect(decide(odd, policy({ cooldowns: [freeing] }), NOW).allowed).toBe(false);
  expect(decide(odd, policy({ cooldowns: [binding] }), NOW).allowed).toBe(false);
});

test('of several cooldowns the strictest decides, whatever their order', () => {
  const cooldowns = [
    cooldown({ name: 'short', otherwise: 3 * DAY }),
    cooldown({ name: 'long', otherwise: 30 * DAY }),
    cooldown({ name: 'free', packages: { 'pkg:npm/lodash': 0 } }),
    cooldown({ name: 'middle', packages: { 'pkg:npm/lodash': 9 * DAY } }),
  ];
  for (const rules of [cooldowns, cooldowns.toReversed()]) {
    const decision = decide(lodash(), policy({ cooldowns: rules }), NOW);
    expect(decision).toMatchObject({ allowed: false, rule: 'cooldown/long', until: NOW + 28 * DAY });
  }
});

test.each<[string, Partial<Candidate>, boolean, string]>([
  ['Last-Modified where the index is silent', { evidence: { lastModified: NOW - 8 * DAY } }, true, 'last-modified'],
  ['Last-Modified, too young', { evidence: { lastModified: NOW - DAY } }, false, 'last-modified'],
  ['the index over Last-Modified', { evidence: { ...server(8 * DAY), lastModified: NOW - DAY } }, true, 'server'],
  ['nothing at all', { evidence: {} }, false, 'none'],
  ['first seen is not age', { evidence: { firstSeen: { at: NOW - 90 * DAY, baseline: false } } }, false, 'none'],
  ['nor is the baseline', { evidence: { firstSeen: { at: NOW - 90 * DAY, baseline: true } } }, false, 'none'],
  ['a time in the future', { evidence: server(-1) }, false, 'none'],
  ['a time far in the future', { evidence: server(-1e300) }, false, 'none'],
  ['the epoch', { evidence: { index: { at: 0, by: 'server' } } }, false, 'none'],
  ['the epoch in another time zone', { evidence: { index: { at: 3_600_000, by: 'server' } } }, false, 'none'],
  ['before the epoch', { evidence: { index: { at: -DAY * 365, by: 'server' } } }, false, 'none'],
  ['no number', { evidence: { index: { at: Number.NaN, by: 'server' } } }, false, 'none'],
  ['for ever ago', { evidence: { index: { at: Number.NEGATIVE_INFINITY, by: 'server' } } }, false, 'none'],
  [
    'the future, but an old Last-Modified',
    { evidence: { ...server(-DAY), lastModified: NOW - 8 * DAY } },
    true,
    'last-modified',
  ],
  ['an author, in the first listing', { evidence: author(8 * DAY, { at: NOW - DAY, baseline: true }) }, true, 'author'],
  ['an author, after it', { evidence: author(800 * DAY, { at: NOW - DAY, baseline: false }) }, false, 'first-seen'],
  [
    'an author, seen long ago',
    { evidence: author(800 * DAY, { at: NOW - 8 * DAY, baseline: false }) },
    true,
    'first-seen',
  ],
  ['an author, never seen', { evidence: author(800 * DAY) }, false, 'none'],
  [
    'an author, but Last-Modified',
    { evidence: { ...author(800 * DAY), lastModified: NOW - DAY } },
    false,
    'last-modified',
  ],
  [
    'an author in the future, in the first listing',
    { evidence: author(-DAY, { at: NOW - 9 * DAY, baseline: true }) },
    false,
    'none',
  ],
  [
    'a format of authors, without a time',
    { dated: 'author', evidence: { firstSeen: { at: NOW - 8 * DAY, baseline: false } } },
    true,
    'first-seen',
  ],
  [
    'the same, in the first listing',
    { dated: 'author', evidence: { firstSeen: { at: NOW - 8 * DAY, baseline: true } } },
    false,
    'none',
  ],
])('evidence: %s', (_what, given, allowed, source) => {
  const decision = decide(lodash(given), WEEK, NOW);
  expect(decision.allowed).toBe(allowed);
  expect(decision.evidence?.source).toBe(source);
});

test.each<[string, Evidence, boolean, string]>([
  ['in the first listing', author(800 * DAY, { at: NOW - DAY, baseline: true }), false, 'first-seen'],
  ['in the first listing long ago', author(800 * DAY, { at: NOW - 8 * DAY, baseline: true }), true, 'first-seen'],
  ['a server’s counts all the same', server(8 * DAY), true, 'server'],
])('author_times never: %s', (_what, evidence, allowed, source) => {
  const never = policy({ cooldowns: [cooldown({ otherwise: 7 * DAY, authorTimes: 'never' })] });
  const decision = decide(lodash({ evidence }), never, NOW);
  expect(decision.allowed).toBe(allowed);
  expect(decision.evidence?.source).toBe(source);
});

test('an unknown age is withheld in words that say what there was', () => {
  const future = decide(lodash({ evidence: server(-400 * DAY) }), WEEK, NOW);
  expect(reasonOf(future)).toBe(
    'lodash 4.18.0 has no known time of publication (the index says 2027-12-30 12:00 UTC, which is in the future); the cooldown "default" withholds it',
  );
  const backdated = decide(lodash({ evidence: author(800 * DAY, { at: NOW - DAY, baseline: false }) }), WEEK, NOW);
  expect(reasonOf(backdated)).toBe(
    'lodash 4.18.0 was first seen 24 hours ago (its author says 2024-09-16 12:00 UTC, which he could have backdated); the cooldown "default" admits it from 2026-12-01 12:00 UTC',
  );
  expect(reasonOf(decide(lodash({ evidence: server(Number.NaN) }), WEEK, NOW))).toContain('an impossible time');
});

test('unknown_age allow admits what nobody can date, says so, and nothing that is too young', () => {
  const lenient = policy({ cooldowns: [cooldown({ otherwise: 7 * DAY, unknownAge: 'allow' })] });
  const decision = decide(lodash({ evidence: {} }), lenient, NOW);
  expect(decision).toMatchObject({ allowed: true, evidence: { source: 'none' } });
  expect(reasonOf(decision)).toBe('lodash 4.18.0 has no known time of publication; the cooldown "default" allows that');
  expect(decide(lodash(), lenient, NOW).allowed).toBe(false);
  const soon = decide(lodash({ evidence: server(-1000) }), lenient, NOW);
  expect(soon).toMatchObject({ allowed: true, until: NOW + 1000 });
  expect(decide(lodash({ evidence: server(-1000) }), lenient, NOW + 1000).allowed).toBe(false);
});

test('a format without evidence is held back only where it is named, and its first listing is admitted', () => {
  const young: Evidence = { firstSeen: { at: NOW - DAY, baseline: false } };
  const named = policy({ cooldowns: [cooldown({ otherwise: DAY, formats: { oci: 7 * DAY } })] });
  const byPackage = policy({ cooldowns: [cooldown({ packages: { 'pkg:oci/library/*': 7 * DAY } })] });
  expect(decide(image(young), WEEK, NOW)).toEqual({ allowed: true });
  for (const rules of [named, byPackage]) {
    expect(decide(image(young), rules, NOW)).toMatchObject({ allowed: false, until: NOW + 6 * DAY });
    expect(decide(image({ firstSeen: { at: NOW - DAY, baseline: true } }), rules, NOW).allowed).toBe(true);
    expect(decide(image({}), rules, NOW)).toMatchObject({ allowed: false, evidence: { source: 'none' } });
  }
});

test('a file of no package is judged by what names none', () => {
  const { package: _package, ...file } = lodash();
  expect(reasonOf(decide(file, WEEK, NOW))).toMatch(/^lodash\/-\/lodash-4\.18\.0\.tgz was published 2 days ago/);
  const rules = policy({ blocks: [{ name: 'all', packages: [pattern('pkg:npm/*')] }] });
  expect(decide(file, rules, NOW).allowed).toBe(true);
});

test('a reason is one line of ASCII, however long and odd the names', () => {
  const odd = lodash({
    package: { type: 'npm', name: `é\r\nX-Evil: 1\u202e${'x'.repeat(5000)}`, version: '\u0000\u00a01' },
  });
  const reason = reasonOf(decide(odd, WEEK, NOW));
  expect(reason).toMatch(/^[\x20-\x7e]{1,600}$/);
  expect(reason).toContain('e X-Evil: 1?');
  expect(reason).toContain('the cooldown "default" admits it from 2026-11-30 12:00 UTC');
});

test('names that are properties of every object are names like any other', () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const candidate = lodash({ format: name, package: { type: name, name, version: name } });
    expect(decide(candidate, WEEK, NOW)).toMatchObject({ allowed: false, until: NOW + 5 * DAY });
  }
});

test('what nobody can date is admitted where no cooldown asks for an age', () => {
  const undated = lodash({ evidence: server(-DAY) });
  expect(decide(undated, policy({ cooldowns: [cooldown({ otherwise: 0 })] }), NOW)).toEqual({ allowed: true });
  const free = cooldown({ otherwise: 7 * DAY, packages: { 'pkg:npm/lodash': 0 } });
  expect(decide(undated, policy({ cooldowns: [free] }), NOW)).toEqual({ allowed: true });
});

test('a refusal of what nobody dates does not lift by itself; of what has a time in the future it may', () => {
  expect(decide(lodash({ evidence: {} }), WEEK, NOW)).toStrictEqual({
    allowed: false,
    rule: 'cooldown/default',
    kind: 'cooldown',
    reason: 'lodash 4.18.0 has no known time of publication; the cooldown "default" withholds it',
    evidence: { source: 'none' },
  });
  expect(decide(lodash({ evidence: server(-1000) }), WEEK, NOW)).toMatchObject({ until: NOW + 1000 + 7 * DAY });
});

test('an unknown age that a cooldown allows is said to be allowed by it; one that only observes says nothing', () => {
  const lenient = cooldown({ otherwise: 7 * DAY, unknownAge: 'allow' });
  const decision = decide(lodash({ evidence: {} }), policy({ cooldowns: [lenient] }), NOW);
  expect(decision.allowed && decision.because).toEqual({
    rule: 'cooldown/default',
    kind: 'cooldown',
    reason: 'lodash 4.18.0 has no known time of publication; the cooldown "default" allows that',
  });
  const observing = policy({ cooldowns: [{ ...lenient, mode: 'observe' }] });
  expect(decide(lodash({ evidence: {} }), observing, NOW)).not.toHaveProperty('because');
});

test('a longer cooldown that is lenient does not make a shorter one lenient', () => {
  const lenient = cooldown({ name: 'lenient', otherwise: 30 * DAY, unknownAge: 'allow' });
  const strict = cooldown({ name: 'strict', otherwise: DAY });
  const undated = lodash({ evidence: {} });
  expect(decide(undated, policy({ cooldowns: [lenient, strict] }), NOW)).toMatchObject({ rule: 'cooldown/strict' });
  const trusting = cooldown({ name: 'trusting', otherwise: 30 * DAY });
  const wary = cooldown({ name: 'wary', otherwise: 7 * DAY, authorTimes: 'never' });
  const authored = lodash({ evidence: author(90 * DAY, { at: NOW - DAY, baseline: true }) });
  expect(decide(authored, policy({ cooldowns: [trusting, wary] }), NOW)).toMatchObject({ rule: 'cooldown/wary' });
});

test('of several refusals the one that holds longest is told; of those that end together the first by name', () => {
  const own = (name: string, age: number, rules: Parameters<typeof cooldown>[0] = {}) =>
    cooldown({ name, packages: { 'pkg:npm/lodash': age }, ...rules });
  const told = (...cooldowns: Cooldown[]) => {
    const decisions = [cooldowns, cooldowns.toReversed()].map((rules) =>
      decide(lodash(), policy({ cooldowns: rules }), NOW),
    );
    return decisions.map((decision) => !decision.allowed && decision.rule);
  };
  expect(told(own('a', 7 * DAY), own('b', 9 * DAY), own('c', 8 * DAY))).toEqual(['cooldown/b', 'cooldown/b']);
  expect(told(own('b', 7 * DAY), own('a', 7 * DAY), own('c', 7 * DAY))).toEqual(['cooldown/a', 'cooldown/a']);
  const cooldowns = [own('a', 7 * DAY, { authorTimes: 'never' }), own('b', 7 * DAY)];
  const evidence = author(-1e300, { at: NOW - DAY, baseline: true });
  for (const rules of [cooldowns, cooldowns.toReversed()]) {
    const decision = decide(lodash({ evidence }), policy({ cooldowns: rules }), NOW);
    expect(decision).toMatchObject({ rule: 'cooldown/b', evidence: { source: 'none' } });
    expect(decision).not.toHaveProperty('until');
  }
});
