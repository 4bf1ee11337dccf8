import { expect, test } from 'vitest';
import { Fault } from '../engine/fault.ts';
import { formats } from '../formats/all.ts';
import type { ManagedBy, ResourceRow } from '../ledger/ledger.ts';
import { decide } from '../policy/decide.ts';
import { type Change, keyOf } from './change.ts';
import { inOrder } from './order.ts';
import { plan } from './plan.ts';
import { policyOf } from './policy.ts';

const NOW = Date.UTC(2026, 10, 25, 12);
const DAY = 86_400_000;
const SPECS: Readonly<Record<string, Record<string, unknown>>> = {
  'remote/npm-public': { format: 'npm', url: 'https://upstream.test' },
  'cooldown/default': { default: '7d' },
  'cooldown/strict': { default: '30d', repositories: ['npm-public'] },
  'exemption/hotfix': { packages: ['pkg:npm/lodash'], from: ['strict'], expires_at: '2026-11-26T12:00:00Z' },
};

function put(key: string, spec: Record<string, unknown> | undefined = SPECS[key]): Change {
  const [kind = '', name = ''] = key.split('/');
  return { op: 'put', kind, name, spec: { name, ...spec } };
}

const gone = (key: string, inUse: 'refuse' | 'retire' = 'refuse'): Change => {
  const [kind = '', name = ''] = key.split('/');
  return { op: 'delete', kind, name, inUse };
};

function declared(...keys: readonly string[]): ReadonlyMap<string, ResourceRow> {
  return after(
    keys.map((key) => put(key)),
    new Map(),
  );
}

function after(changes: readonly Change[], before: ReadonlyMap<string, ResourceRow>, now = NOW, by: ManagedBy = 'api') {
  return plan(before, changes, by, now).resources;
}

function refusal(changes: readonly Change[], before: ReadonlyMap<string, ResourceRow>, now = NOW): Fault {
  try {
    after(changes, before, now);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const problems = ({ details }: Fault): readonly string[] =>
  (details.errors ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);

const ALL = Object.keys(SPECS);

test('an exemption names cooldowns that there are', () => {
  const exemption = (from: readonly string[]) => put('exemption/hotfix', { ...SPECS['exemption/hotfix'], from });
  expect(problems(refusal([exemption(['strict', 'defualt'])], declared('cooldown/default')))).toEqual([
    'from.0: names "strict", which does not exist',
    'from.1: names "defualt", which does not exist: did you mean default?',
  ]);
  const namesake = put('block/default', { packages: ['pkg:npm/x'] });
  expect(problems(refusal([exemption(['default'])], after([namesake], new Map())))).toEqual([
    'from.0: names "default", which does not exist',
  ]);
  expect(after([exemption(['default']), put('cooldown/default')], new Map()).size).toBe(2);
});

test('a cooldown or a freeze names repositories that there are', () => {
  const before = declared('remote/npm-public');
  for (const [key, spec] of [
    ['cooldown/c', { default: '7d' }],
    ['freeze/f', { before: '2026-11-01T00:00:00Z' }],
  ] as const) {
    expect(problems(refusal([put(key, { ...spec, repositories: ['npm-publik'] })], before))).toEqual([
      'repositories.0: names "npm-publik", which does not exist: did you mean npm-public?',
    ]);
    expect(after([put(key, { ...spec, repositories: ['npm-public'] })], before).has(key)).toBe(true);
  }
});

test('what a rule names is in use: it is not deleted, or serves until the rule goes', () => {
  const before = declared(...ALL);
  const cooldown = refusal([gone('cooldown/strict')], before);
  expect(cooldown.code).toBe('conflict');
  expect(cooldown.message).toContain('cooldown "strict" is in use by exemption "hotfix"');
  expect(refusal([gone('remote/npm-public')], before).message).toContain('in use by cooldown "strict"');
  const retiring = after([gone('cooldown/strict', 'retire'), gone('remote/npm-public', 'retire')], before);
  expect(retiring.get('cooldown/strict')?.retiring).toBe(true);
  expect(policyOf(retiring.values()).cooldowns.map(({ name }) => name)).toContain('strict');
  expect([...after([gone('exemption/hotfix')], retiring).keys()]).toEqual(['cooldown/default']);
});

test('a repository that a rule names may change, whatever its format', () => {
  const before = after([gone('remote/npm-public', 'retire')], declared(...ALL));
  const revived = after([put('remote/npm-public', { format: 'pypi', url: 'https://upstream.test' })], before);
  expect(revived.get('remote/npm-public')?.retiring).toBe(false);
});

test('a rule may have the name of a repository, or of a rule of another kind', () => {
  const spec = { packages: ['pkg:npm/x'], expires_at: '2126-01-01T00:00:00Z' };
  expect(after([put('exemption/npm-public', spec)], declared(...ALL)).size).toBe(ALL.length + 1);
  const block = put('block/default', { packages: ['pkg:npm/x'] });
  expect(after([block], declared(...ALL)).size).toBe(ALL.length + 1);
});

test('changes that stand for themselves are made in an order in which they can succeed', () => {
  const puts = inOrder(
    ALL.toReversed().map((key) => put(key)),
    new Map(),
  );
  const place = (key: string) => puts.findIndex((change) => keyOf(change) === key);
  expect(place('remote/npm-public')).toBeLessThan(place('cooldown/strict'));
  expect(place('cooldown/strict')).toBeLessThan(place('exemption/hotfix'));
  const deletes = inOrder(
    ALL.map((key) => gone(key)),
    declared(...ALL),
  ).map(keyOf);
  expect(deletes.indexOf('exemption/hotfix')).toBeLessThan(deletes.indexOf('cooldown/strict'));
  expect(deletes.indexOf('cooldown/strict')).toBeLessThan(deletes.indexOf('remote/npm-public'));
});

test('an exemption ends after it is declared; one that has ended may stay as it is', () => {
  const exemption = (end: string, more = {}) =>
    put('exemption/e', { packages: ['pkg:npm/x'], expires_at: end, ...more });
  const end = '2026-11-26T12:00:00Z';
  expect(problems(refusal([exemption('2026-11-25T12:00:00Z')], new Map()))).toEqual([
    'expires_at: must be in the future: it is 2026-11-25T12:00:00.000Z now',
  ]);
  const before = after([exemption(end)], new Map());
  expect(after([exemption(end)], before, NOW + 9 * DAY).get('exemption/e')).toBe(before.get('exemption/e'));
  expect(problems(refusal([exemption(end, { reason: 'more' })], before, NOW + 9 * DAY))).toHaveLength(1);
});

test('a freeze is not of the future', () => {
  const freeze = (spec: Record<string, unknown>) => put('freeze/f', { before: '2026-11-01T00:00:00Z', ...spec });
  expect(problems(refusal([freeze({ before: '2026-11-25T14:00:01+02:00' })], new Map()))).toEqual([
    'before: must not be in the future: it is 2026-11-25T12:00:00.000Z now',
  ]);
  expect(problems(refusal([freeze({ expires_at: '2026-11-02T00:00:00Z' })], new Map()))).toHaveLength(1);
  expect(after([freeze({ before: '2026-11-25T14:00:00+02:00' })], new Map()).size).toBe(1);
});

test('what was declared is what is decided', () => {
  const rules = after(
    [
      ...ALL.map((key) => put(key)),
      put('block/wallets', { packages: ['pkg:npm/event-stream?vers=vers:npm/>=3.3|<4'], reason: 'It steals.' }),
      put('freeze/old', { before: '2020-01-01T00:00:00Z', formats: ['pypi'], expires_at: '2126-01-01T00:00:00Z' }),
      put('cooldown/free', { packages: { 'pkg:npm/Left-Pad': '0' }, formats: { npm: '90d' }, mode: 'observe' }),
    ],
    new Map(),
  );
  const policy = structuredClone(policyOf(rules.values()));
  const npm = formats.find(({ id }) => id === 'npm')?.versions;
  const asked = (name: string, version: string) =>
    decide(
      {
        format: 'npm',
        dated: 'index',
        repositories: ['npm-public'],
        package: { type: 'npm', name, version },
        ...(npm && { versions: npm }),
        path: `${name}.tgz`,
        evidence: { index: { at: NOW - 8 * DAY, by: 'server' } },
      },
      policy,
      NOW,
    );
  expect(asked('event-stream', '3.3.6')).toMatchObject({ allowed: false, rule: 'block/wallets' });
  expect(asked('event-stream', '4.0.0')).toMatchObject({ allowed: false, rule: 'cooldown/strict' });
  expect(asked('lodash', '1.0.0')).toMatchObject({ allowed: true, until: Date.UTC(2026, 10, 26, 12) });
  expect(asked('lodash', '1.0.0').observed).toMatchObject([{ rule: 'cooldown/free' }]);
  expect(asked('left-pad', '1.0.0')).not.toHaveProperty('observed');
});
