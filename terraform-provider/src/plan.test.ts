import { expect, test } from 'vitest';
import { sample } from '../test/support/sample.ts';
import { plan, settle } from './plan.ts';
import { attributesOf } from './schema.ts';
import { conformFields, type Fields, UNKNOWN } from './value.ts';

const attributes = attributesOf(sample);
const config = (values: Fields): Fields => conformFields(attributes, { name: 'a', format: 'npm', ...values });
const created = { repository_url: 'http://x/a', revision: 1, created_at: 'then' };
const state = (values: Fields = {}): Fields => ({
  ...config({ index_ttl: '5m', enabled: false, ...values }),
  ...created,
});

test('a new resource: what is configured, defaults, and the server’s own words not known yet', () => {
  const { planned, changed, replace } = plan(attributes, null, config({ index_ttl: '1h' }));
  expect(planned).toMatchObject({
    index_ttl: '1h',
    enabled: false,
    url: null,
    repository_url: UNKNOWN,
    revision: UNKNOWN,
  });
  expect([changed, replace]).toEqual([true, []]);
});

test('nothing changed: nothing is planned, volatile attributes stay', () => {
  expect(plan(attributes, state(), config({}))).toEqual({ planned: state(), changed: false, replace: [] });
});

test('a default that is spelled out, a set in another order: nothing changed', () => {
  const prior = state({ patterns: ['a', 'b'] });
  expect(plan(attributes, prior, config({ index_ttl: '5m', patterns: ['b', 'a'] })).changed).toBe(false);
});

test('a list in another order, empty instead of unset: changed', () => {
  expect(plan(attributes, state({ members: ['a', 'b'] }), config({ members: ['b', 'a'] })).changed).toBe(true);
  expect(plan(attributes, state(), config({ patterns: [] })).changed).toBe(true);
  expect(plan(attributes, state({ labels: {} }), config({})).changed).toBe(true);
});

test('a change makes volatile attributes unknown and keeps stable ones', () => {
  const { planned, replace } = plan(attributes, state(), config({ comment: 'new' }));
  expect(planned).toMatchObject({
    comment: 'new',
    revision: UNKNOWN,
    repository_url: 'http://x/a',
    created_at: 'then',
  });
  expect(replace).toEqual([]);
});

test('unset again: the default, or nothing', () => {
  const { planned } = plan(attributes, state({ index_ttl: '1h', url: 'https://upstream.test' }), config({}));
  expect(planned).toMatchObject({ index_ttl: '5m', url: null });
});

test('an immutable attribute that changes, or may change, asks for another resource', () => {
  expect(plan(attributes, state(), config({ format: 'pypi' })).replace).toEqual([['format']]);
  expect(plan(attributes, state(), config({ name: UNKNOWN })).replace).toEqual([['name']]);
});

test('defaults inside objects, lists, sets and maps', () => {
  const { planned } = plan(
    attributes,
    null,
    config({
      auth: { type: 'bearer' },
      rules: [{ action: 'allow' }],
      grants: [{ action: 'deny', weight: 5 }],
      routes: { a: { action: 'allow' } },
    }),
  );
  expect(planned).toMatchObject({
    auth: { type: 'bearer', token: null, timeout: '30s' },
    rules: [{ action: 'allow', weight: 1, key: null }],
    grants: [{ action: 'deny', weight: 5 }],
    routes: { a: { weight: 1 } },
    pypi: null,
  });
});

test('what is not known in the configuration is not known in the plan', () => {
  const { planned } = plan(
    attributes,
    state(),
    config({ index_ttl: UNKNOWN, patterns: ['a', UNKNOWN], auth: { type: UNKNOWN } }),
  );
  expect(planned).toMatchObject({
    index_ttl: UNKNOWN,
    patterns: ['a', UNKNOWN],
    auth: { type: UNKNOWN, timeout: '30s' },
  });
});

test('settled: what was planned stays, what was unknown is as the server says', () => {
  const planned = { a: 'planned', b: UNKNOWN, c: { d: UNKNOWN, e: 1 }, f: ['x', UNKNOWN], g: UNKNOWN };
  const actual = { a: 'other', b: 2, c: { d: 3, e: 4 }, f: ['y', 'z'] };
  expect(settle(planned, actual)).toEqual({ a: 'planned', b: 2, c: { d: 3, e: 1 }, f: ['x', 'z'], g: null });
});
