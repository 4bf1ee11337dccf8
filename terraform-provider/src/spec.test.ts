import { expect, test } from 'vitest';
import { sample } from '../test/support/sample.ts';
import type { Envelope } from './client.ts';
import type { Json } from './schema.ts';
import { toSpec, toState } from './spec.ts';
import { conformFields, type Fields } from './value.ts';

const config = (values: Fields): Fields => conformFields(sample.fields, { name: 'a', format: 'npm', ...values });
const envelope = (spec: Readonly<Record<string, Json>>): Envelope => ({
  name: 'a',
  spec: { name: 'a', format: 'npm', ...spec },
  status: { repository_url: 'http://x/a' },
  revision: 7,
  managed_by: 'api',
  created_at: 'then',
  updated_at: 'now',
});

test('the spec is what is configured: nothing for null, empty things kept, no defaults', () => {
  const spec = toSpec(
    sample,
    config({ patterns: [], labels: {}, auth: { type: 'basic' }, rules: [{ action: 'deny' }], enabled: false }),
  );
  expect(spec).toEqual({
    name: 'a',
    format: 'npm',
    patterns: [],
    labels: {},
    auth: { type: 'basic' },
    rules: [{ action: 'deny' }],
    enabled: false,
  });
});

test('the state has defaults where nothing is declared, also inside, and what the server says of it', () => {
  expect(toState(sample, envelope({ auth: { type: 'basic' }, rules: [{ action: 'deny' }] }), null)).toMatchObject({
    index_ttl: '5m',
    enabled: false,
    url: null,
    patterns: null,
    auth: { type: 'basic', token: null, timeout: '30s' },
    rules: [{ action: 'deny', weight: 1, key: null }],
    pypi: null,
    repository_url: 'http://x/a',
    revision: 7,
    created_at: 'then',
  });
});

test('secrets are those of before, wherever they stand', () => {
  const prior = config({
    auth: { type: 'bearer', token: 'kept', timeout: '30s' },
    rules: [
      { action: 'allow', weight: 1, key: 'first' },
      { action: 'deny', weight: 1, key: 'second' },
    ],
    grants: [
      { action: 'allow', weight: 1, key: 'of allow' },
      { action: 'deny', weight: 2, key: 'of deny' },
    ],
    routes: { a: { action: 'allow', weight: 1, key: 'of a' } },
  });
  const found = envelope({
    auth: { type: 'bearer' },
    rules: [{ action: 'allow' }, { action: 'deny' }],
    grants: [{ action: 'deny', weight: 2 }, { action: 'allow' }],
    routes: { b: { action: 'deny' }, a: { action: 'allow' } },
  });
  expect(toState(sample, found, prior)).toMatchObject({
    auth: { token: 'kept' },
    rules: [{ key: 'first' }, { key: 'second' }],
    grants: [
      { action: 'deny', key: 'of deny' },
      { action: 'allow', key: 'of allow' },
    ],
    routes: { a: { key: 'of a' }, b: { key: null } },
  });
});

test('an object that is gone takes its secret with it', () => {
  expect(
    toState(sample, envelope({}), config({ auth: { type: 'bearer', token: 'kept', timeout: '30s' } })).auth,
  ).toBeNull();
});

test('fields of a newer server are passed over', () => {
  expect(toState(sample, envelope({ of_tomorrow: 1 }), null)).not.toHaveProperty('of_tomorrow');
});
