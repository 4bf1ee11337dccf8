import { expect, test } from 'vitest';
import { blockOfPackage, decide } from './decide.ts';
import {
  author,
  cooldown,
  DAY,
  exemption,
  freeze,
  image,
  lodash,
  NOW,
  pattern,
  policy,
  reasonOf,
  server,
  WEEK,
} from './fixtures.ts';
import type { Freeze } from './policy.ts';

test('a block comes first, in the words of whoever declared it, and nothing lifts it', () => {
  const rules = policy({
    blocks: [
      {
        name: 'wallets',
        packages: [pattern('pkg:npm/lodash@4.18.0')],
        reason: 'It steals\nwallets — all.',
        url: 'https://x.test/1',
      },
    ],
    cooldowns: [cooldown({ otherwise: 7 * DAY })],
    exemptions: [exemption(['pkg:npm/*'])],
  });
  expect(decide(lodash(), rules, NOW)).toEqual({
    allowed: false,
    rule: 'block/wallets',
    kind: 'block',
    reason: 'lodash 4.18.0 is blocked by "wallets": It steals wallets ? all (https://x.test/1)',
  });
  const other = lodash({ package: { type: 'npm', name: 'lodash', version: '4.17.21' } });
  expect(decide(other, rules, NOW).allowed).toBe(true);
});

test('a block of some versions refuses what cannot be placed among them', () => {
  const rules = policy({ blocks: [{ name: 'old', packages: [pattern('pkg:npm/lodash?vers=vers:npm/<4')] }] });
  const odd = lodash({ package: { type: 'npm', name: 'lodash', version: 'nonsense' } });
  expect(reasonOf(decide(odd, rules, NOW))).toBe(
    'lodash nonsense is blocked by "old": whether it is one of the versions meant cannot be told',
  );
  expect(decide(lodash({ package: { type: 'npm', name: 'lodash' } }), rules, NOW).allowed).toBe(false);
  expect(decide(lodash(), rules, NOW).allowed).toBe(true);
});

test('the package as a whole is blocked by what is about all of its versions', () => {
  const blocks = [
    { name: 'whole', packages: [pattern('pkg:npm/left-pad')] },
    { name: 'one', packages: [pattern('pkg:npm/lodash@1.0.0')] },
  ];
  expect(blockOfPackage({ type: 'npm', name: 'left-pad' }, policy({ blocks }))?.reason).toBe(
    'left-pad is blocked by "whole"',
  );
  expect(blockOfPackage({ type: 'npm', name: 'lodash' }, policy({ blocks }))).toBeUndefined();
});

test('what is published here is refused by a block alone', () => {
  const rules = { ...WEEK, freezes: [freeze('2026-01-01T00:00:00Z')] };
  expect(decide(lodash({ firstParty: true }), rules, NOW)).toEqual({ allowed: true });
  const blocked = { ...rules, blocks: [{ name: 'bad', packages: [pattern('pkg:npm/lodash')] }] };
  expect(decide(lodash({ firstParty: true }), blocked, NOW).allowed).toBe(false);
});

test('a freeze admits nothing from its moment on', () => {
  const rules = policy({ freezes: [freeze('2026-11-20T00:00:00Z', { reason: 'an incident' })] });
  expect(decide(lodash(), rules, NOW)).toEqual({
    allowed: false,
    rule: 'freeze/may',
    kind: 'freeze',
    reason:
      'lodash 4.18.0 was published on 2026-11-23 12:00 UTC; the freeze "may" admits nothing from 2026-11-20 00:00 UTC on: an incident',
    evidence: { source: 'server', at: NOW - 2 * DAY },
  });
  const at = (time: string) => lodash({ evidence: { index: { at: Date.parse(time), by: 'server' } } });
  expect(decide(at('2026-11-19T23:59:59.999Z'), rules, NOW).allowed).toBe(true);
  expect(decide(at('2026-11-20T00:00:00Z'), rules, NOW).allowed).toBe(false);
  expect(decide(lodash({ evidence: {} }), rules, NOW).allowed).toBe(false);
});

test('a freeze ends, and is about the formats or repositories it names', () => {
  const rule = (rules: Partial<Freeze>) => policy({ freezes: [freeze('2026-11-20T00:00:00Z', rules)] });
  expect(decide(lodash(), rule({ expiresAt: NOW + DAY }), NOW)).toMatchObject({ allowed: false, until: NOW + DAY });
  expect(decide(lodash(), rule({ expiresAt: NOW }), NOW).allowed).toBe(true);
  expect(decide(lodash(), rule({ formats: ['pypi'] }), NOW).allowed).toBe(true);
  expect(decide(lodash(), rule({ formats: ['npm'] }), NOW).allowed).toBe(false);
  expect(decide(lodash(), rule({ repositories: ['pypi'] }), NOW).allowed).toBe(true);
  expect(decide(lodash(), rule({ repositories: ['npm'] }), NOW).allowed).toBe(false);
});

test('a freeze is about a format without evidence only where it is named', () => {
  const seen = (time: string) => image({ firstSeen: { at: Date.parse(time), baseline: true } });
  const rule = (rules: Partial<Freeze>) => policy({ freezes: [freeze('2026-11-20T00:00:00Z', rules)] });
  expect(decide(seen('2026-11-21T00:00:00Z'), rule({}), NOW).allowed).toBe(true);
  for (const rules of [rule({ formats: ['oci'] }), rule({ repositories: ['npm'] })]) {
    expect(decide(seen('2026-11-21T00:00:00Z'), rules, NOW).allowed).toBe(false);
    expect(decide(seen('2026-11-19T00:00:00Z'), rules, NOW).allowed).toBe(true);
  }
});

test('a freeze speaks before a cooldown, and the refusal lasts as long as either', () => {
  const rules = { ...WEEK, freezes: [freeze('2026-11-20T00:00:00Z', { expiresAt: NOW + DAY })] };
  expect(decide(lodash(), rules, NOW)).toMatchObject({ rule: 'freeze/may', until: NOW + 5 * DAY });
  expect(decide(lodash(), rules, NOW + DAY)).toMatchObject({ rule: 'cooldown/default', until: NOW + 5 * DAY });
});

test('an exemption lifts cooldowns and freezes until it ends, and is named', () => {
  const rules = {
    ...WEEK,
    freezes: [freeze('2026-11-20T00:00:00Z')],
    exemptions: [exemption(['pkg:npm/Lodash@v4.18.0'], { reason: 'CVE' })],
  };
  const decision = decide(lodash(), rules, NOW);
  expect(decision).toMatchObject({ allowed: true, until: NOW + DAY, because: { rule: 'exemption/hotfix' } });
  expect(reasonOf(decision)).toBe(
    'lodash 4.18.0 is admitted: the exemption "hotfix" lifts the freeze "may" until 2026-11-26 12:00 UTC: CVE',
  );
  expect(decide(lodash(), rules, NOW + DAY)).toMatchObject({ allowed: false, rule: 'freeze/may' });
});

test('an exemption that outlasts what it lifts changes nothing when it ends', () => {
  const rules = { ...WEEK, exemptions: [exemption(['pkg:npm/lodash'], { expiresAt: NOW + 30 * DAY })] };
  expect(decide(lodash(), rules, NOW)).not.toHaveProperty('until');
});

test('of several exemptions the one that ends last counts', () => {
  const exemptions = [
    exemption(['pkg:npm/lodash']),
    exemption(['pkg:npm/lo*'], { name: 'longer', expiresAt: NOW + 2 * DAY }),
  ];
  expect(decide(lodash(), { ...WEEK, exemptions }, NOW)).toMatchObject({
    until: NOW + 2 * DAY,
    because: { rule: 'exemption/longer' },
  });
});

test('an exemption from one cooldown leaves the others, and freezes', () => {
  const cooldowns = [cooldown({ name: 'long', otherwise: 30 * DAY }), cooldown({ name: 'short', otherwise: 7 * DAY })];
  const exemptions = [exemption(['pkg:npm/lodash'], { from: ['long'] })];
  expect(decide(lodash(), policy({ cooldowns, exemptions }), NOW)).toMatchObject({ rule: 'cooldown/short' });
  const [long] = cooldowns;
  const frozen = policy({ cooldowns: long ? [long] : [], exemptions, freezes: [freeze('2026-11-20T00:00:00Z')] });
  expect(decide(lodash(), frozen, NOW)).toMatchObject({ allowed: false, rule: 'freeze/may' });
});

test('an exemption of versions nobody can place lifts nothing', () => {
  const odd = lodash({ package: { type: 'npm', name: 'lodash', version: 'nonsense' } });
  const exemptions = [exemption(['pkg:npm/lodash?vers=vers:npm/>=1', 'pkg:npm/lodash@1.0.0'])];
  expect(decide(odd, { ...WEEK, exemptions }, NOW).allowed).toBe(false);
});

test('a cooldown that observes refuses nothing and says what it would have refused', () => {
  const observing = cooldown({ name: 'trial', otherwise: 7 * DAY, mode: 'observe' });
  const decision = decide(lodash(), policy({ cooldowns: [observing] }), NOW);
  expect(decision).toMatchObject({ allowed: true, observed: [{ rule: 'cooldown/trial', until: NOW + 5 * DAY }] });
  expect(decision).not.toHaveProperty('until');
  const both = policy({ cooldowns: [observing, cooldown({ otherwise: 3 * DAY })] });
  expect(decide(lodash(), both, NOW)).toMatchObject({
    allowed: false,
    rule: 'cooldown/default',
    until: NOW + DAY,
    observed: [{ rule: 'cooldown/trial' }],
  });
  const exempt = policy({ cooldowns: [observing], exemptions: [exemption(['pkg:npm/lodash'])] });
  expect(decide(lodash(), exempt, NOW)).toEqual({ allowed: true, evidence: { source: 'server', at: NOW - 2 * DAY } });
});

test('of several blocks the first by name speaks, and one that is certain before one that is not', () => {
  const whole = { name: 'b', packages: [pattern('pkg:npm/lodash')] };
  const other = { name: 'c', packages: [pattern('pkg:npm/lodash')] };
  const range = { name: 'a', packages: [pattern('pkg:npm/lodash?vers=vers:npm/<4')] };
  const odd = lodash({ package: { type: 'npm', name: 'lodash', version: 'nonsense' } });
  for (const blocks of [
    [whole, other, range],
    [range, other, whole],
  ]) {
    expect(decide(lodash(), policy({ blocks }), NOW)).toMatchObject({ rule: 'block/b' });
    expect(reasonOf(decide(odd, policy({ blocks }), NOW))).toBe('lodash nonsense is blocked by "b"');
  }
});

test('of several freezes each holds from its own moment on, whatever their order, and until the last of them ends', () => {
  const early = freeze('2026-11-20T00:00:00Z', { name: 'early' });
  const late = freeze('2026-11-24T00:00:00Z', { name: 'late' });
  for (const freezes of [
    [early, late],
    [late, early],
  ]) {
    expect(decide(lodash(), policy({ freezes }), NOW)).toMatchObject({ rule: 'freeze/early' });
    expect(decide(lodash({ evidence: server(30 * DAY) }), policy({ freezes }), NOW).allowed).toBe(true);
  }
  const ending = { ...early, expiresAt: NOW + DAY };
  const middle = freeze('2026-11-21T00:00:00Z', { name: 'middle' });
  expect(decide(lodash(), policy({ freezes: [ending, middle] }), NOW)).not.toHaveProperty('until');
  const both = policy({ freezes: [ending, { ...middle, expiresAt: NOW + 2 * DAY }] });
  expect(decide(lodash(), both, NOW)).toMatchObject({ rule: 'freeze/early', until: NOW + 2 * DAY });
});

test('a freeze takes an author’s word for what stood in the first listing', () => {
  const rules = policy({ freezes: [freeze('2026-11-20T00:00:00Z')] });
  const of = (baseline: boolean) => lodash({ evidence: author(30 * DAY, { at: NOW - DAY, baseline }) });
  expect(decide(of(true), rules, NOW).allowed).toBe(true);
  expect(decide(of(false), rules, NOW).allowed).toBe(false);
});

test('an exemption from a cooldown does not lift a freeze of the same name', () => {
  const rules = {
    freezes: [freeze('2026-11-20T00:00:00Z')],
    exemptions: [exemption(['pkg:npm/lodash'], { from: ['may'] })],
  };
  expect(decide(lodash(), policy(rules), NOW)).toMatchObject({ allowed: false, rule: 'freeze/may' });
});

test('an exemption that ends with what it lifts changes nothing when it ends', () => {
  const rules = { ...WEEK, exemptions: [exemption(['pkg:npm/lodash'], { expiresAt: NOW + 5 * DAY })] };
  const decision = decide(lodash(), rules, NOW);
  expect(decision).not.toHaveProperty('until');
  expect(decision.allowed && decision.because).toEqual({
    rule: 'exemption/hotfix',
    kind: 'exemption',
    reason: 'lodash 4.18.0 is admitted: the exemption "hotfix" lifts the cooldown "default" until 2026-11-30 12:00 UTC',
  });
});

test('every cooldown that only observes says what it would have refused, and until when', () => {
  const cooldowns = [
    cooldown({ name: 'long', otherwise: 30 * DAY, mode: 'observe' }),
    cooldown({ name: 'short', otherwise: 7 * DAY, mode: 'observe' }),
  ];
  const { observed } = decide(lodash(), policy({ cooldowns }), NOW);
  expect(observed?.map(({ rule, until }) => [rule, until])).toEqual([
    ['cooldown/long', NOW + 28 * DAY],
    ['cooldown/short', NOW + 5 * DAY],
  ]);
  const undated = decide(lodash({ evidence: {} }), policy({ cooldowns: cooldowns.slice(1) }), NOW);
  expect(undated.observed).toStrictEqual([
    {
      rule: 'cooldown/short',
      kind: 'cooldown',
      reason: 'lodash 4.18.0 has no known time of publication; the cooldown "short" withholds it',
      evidence: { source: 'none' },
    },
  ]);
});
