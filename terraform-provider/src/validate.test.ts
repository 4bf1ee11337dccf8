import { expect, test } from 'vitest';
import { sample } from '../test/support/sample.ts';
import { diagnostic } from './diagnostics.ts';
import { validate } from './validate.ts';
import { conformFields, type Fields, UNKNOWN } from './value.ts';

const problems = (values: Fields) =>
  validate(sample.fields, conformFields(sample.fields, { name: 'a', format: 'npm', ...values }));

test('the example of every field is valid', () => {
  for (const { name, example } of sample.fields) {
    const format = name === 'pypi' ? { format: 'pypi' } : {};
    expect(problems({ ...format, [name]: example as never }), name).toEqual([]);
  }
});

const wrong: readonly (readonly [Fields, readonly (string | number)[], string])[] = [
  [{ format: 'nmp' }, ['format'], 'Must be one of npm, pypi; it is "nmp".'],
  [{ name: 'Not A Name' }, ['name'], 'Must be lower-case letters, digits and dashes; it is "Not A Name".'],
  [
    { url: 'ftp://upstream.test' },
    ['url'],
    'Must be a URL such as https://upstream.test/path; it is "ftp://upstream.test".',
  ],
  [{ url: 'https://' }, ['url'], 'Must be a URL such as https://upstream.test/path; it is "https://".'],
  [{ index_ttl: '7 days' }, ['index_ttl'], 'Must be a duration such as 30s, 5m, 7d; it is "7 days".'],
  [{ count: 0 }, ['count'], 'Must be at least 1; it is 0.'],
  [{ count: 11 }, ['count'], 'Must be at most 10; it is 11.'],
  [{ count: 1.5 }, ['count'], 'Must be a whole number; it is 1.5.'],
  [{ ratio: '0.10000000000000000001' }, ['ratio'], 'Has more digits than the server keeps: 0.10000000000000000001.'],
  [{ comment: 'x' }, ['comment'], 'Must have at least 2 characters.'],
  [{ comment: 'x'.repeat(21) }, ['comment'], 'Must have at most 20 characters; it has 21.'],
  [
    { ca_pem: 'ca.pem' },
    ['ca_pem'],
    'Must be PEM text, with its -----BEGIN …----- line: file("ca.pem") reads it from a file.',
  ],
  [{ patterns: ['a', ''] }, ['patterns', 1], 'Must not be empty.'],
  [{ patterns: ['a', 'b', 'c', 'd'] }, ['patterns'], 'Must have at most 3 elements; it has 4.'],
  [{ members: [] }, ['members'], 'Must have at least 1 element; it has 0.'],
  [{ members: ['a', null] }, ['members', 1], 'Must not be null: leave the element out.'],
  [{ labels: { 'No Good': 'x' } }, ['labels', 'No Good'], 'Its key must be lower-case letters.'],
  [{ labels: { a: null } }, ['labels', 'a'], 'Must not be null: leave the key out.'],
  [{ labels: { a: 'x'.repeat(11) } }, ['labels', 'a'], 'Must have at most 10 characters; it has 11.'],
  [{ auth: { type: 'none' } }, ['auth', 'type'], 'Must be one of bearer, basic; it is "none".'],
  [
    { rules: [{ action: 'allow' }, { action: 'maybe' }] },
    ['rules', 1, 'action'],
    'Must be one of allow, deny; it is "maybe".',
  ],
  [{ routes: { x: { action: 'maybe' } } }, ['routes', 'x', 'action'], 'Must be one of allow, deny; it is "maybe".'],
  [{ pypi: {} }, ['pypi'], 'Holds options of the format pypi, but the format here is "npm": remove it.'],
];

test.each(wrong)('%j', (values, path, detail) => {
  expect(problems(values)).toEqual([{ summary: `Invalid ${path[0]}`, detail, path }]);
});

test('all that is wrong is said at once', () => {
  expect(problems({ index_ttl: 'x', count: 0, auth: { type: 'none', timeout: 'x' } })).toHaveLength(4);
});

test('what is not known yet is taken to be right', () => {
  const values = {
    name: UNKNOWN,
    format: UNKNOWN,
    url: UNKNOWN,
    count: UNKNOWN,
    members: UNKNOWN,
    labels: { a: UNKNOWN },
    pypi: {},
    auth: { type: UNKNOWN },
  };
  expect(problems(values)).toEqual([]);
  expect(problems({ patterns: ['a', 'b', 'c', UNKNOWN] })).toEqual([]);
});

test('a long wrong value is cut short, a secret one is not shown', () => {
  expect(problems({ index_ttl: 'x'.repeat(5000) })[0]?.detail.length).toBeLessThan(200);
});

test('a diagnostic points at the attribute or its element, and spells the rest of the path', () => {
  const at = (path: readonly (string | number)[]) => diagnostic(sample.fields, { summary: 's', detail: 'd', path });
  expect(at(['members', 1])).toMatchObject({
    attribute: { steps: [{ attributeName: 'members' }, { elementKeyInt: 1 }] },
    detail: 'd',
  });
  expect(at(['labels', 'a'])).toMatchObject({
    attribute: { steps: [{ attributeName: 'labels' }, { elementKeyString: 'a' }] },
    detail: 'd',
  });
  expect(at(['rules', 1, 'action'])).toMatchObject({
    attribute: { steps: [{ attributeName: 'rules' }, { elementKeyInt: 1 }] },
    detail: 'rules[1].action: d',
  });
  expect(at(['auth', 'token'])).toMatchObject({
    attribute: { steps: [{ attributeName: 'auth' }] },
    detail: 'auth.token: d',
  });
  expect(at(['patterns', 1])).toMatchObject({
    attribute: { steps: [{ attributeName: 'patterns' }] },
    detail: 'patterns[1]: d',
  });
  expect(at(['of_a_newer_server'])).toEqual({ severity: 1, summary: 's', detail: 'd' });
});
