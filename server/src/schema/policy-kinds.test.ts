import { expect, test } from 'vitest';
import { Fault } from '../engine/fault.ts';
import { kind } from './kinds.ts';
import { canonical, effective, validate } from './schema.ts';

/** `path: message` of everything that is refused; empty: the body is accepted. */
function refusals(of: string, spec: Record<string, unknown>): string[] {
  try {
    validate(of, { name: 'rule', ...spec });
    return [];
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return (error.details.errors ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
  }
}

const LODASH = ['pkg:npm/lodash'];
const END = '2126-01-01T00:00:00Z';

test.each<[string, Record<string, unknown>]>([
  [
    'cooldown',
    { default: '3d', formats: { npm: '7d', oci: '0' }, packages: { 'pkg:npm/lodash': '0' }, mode: 'observe' },
  ],
  ['cooldown', { packages: { 'pkg:maven/com.Acme/*': '1d', 'pkg:maven/com.acme/*': '2d' }, repositories: ['maven'] }],
  ['cooldown', { default: '0', unknown_age: 'allow', author_times: 'never', labels: { team: 'x' }, description: '' }],
  ['block', { packages: ['pkg:npm/event-stream@3.3.6', 'pkg:pypi/x?vers=vers:pypi/>=1.0|<1.4'] }],
  ['block', { packages: LODASH, reason: 'bad', url: 'https://security.test/1' }],
  ['exemption', { packages: LODASH, expires_at: END }],
  ['exemption', { packages: LODASH, from: ['default'], reason: 'urgent', expires_at: '2126-01-01T02:00:00+02:00' }],
  ['freeze', { before: '2026-05-11T00:00:00Z' }],
  ['freeze', { before: '2026-05-11T00:00:00Z', formats: ['npm', 'pypi'], expires_at: END }],
  ['freeze', { before: '2026-05-11T00:00:00Z', repositories: ['npm'], reason: 'incident' }],
])('a %s takes %j', (of, spec) => {
  expect(refusals(of, spec)).toEqual([]);
});

test.each<[string, Record<string, unknown>, string]>([
  ['cooldown', {}, 'default: is required where formats and packages say nothing'],
  ['cooldown', { formats: {}, packages: {} }, 'default: is required where formats and packages say nothing'],
  ['cooldown', { default: '7' }, 'default: "7" is not a duration such as 30s, 5m, 12h, 7d, or 0: its unit is missing'],
  ['cooldown', { default: 7 }, 'default: must be a string, not the number 7'],
  ['cooldown', { formats: { npm: '7' } }, 'formats.npm: "7" is not a duration'],
  ['cooldown', { formats: { nmp: '7d' } }, 'formats.nmp: names "nmp", which is no format: did you mean npm?'],
  [
    'cooldown',
    { formats: { 'gradle-cache': '7d' } },
    'formats.gradle-cache: names gradle-cache, which only holds what is published here',
  ],
  ['cooldown', { packages: { 'pkg:npm/lodash': 'soon' } }, 'packages.pkg:npm/lodash: "soon" is not a duration'],
  ['cooldown', { packages: { lodash: '7d' } }, 'packages: key "lodash" must be a package URL such as'],
  ['cooldown', { packages: { 'pkg:nmp/x': '7d' } }, 'packages.pkg:nmp/x: is of type "nmp", which is not known'],
  [
    'cooldown',
    { packages: { 'pkg:npm/Lodash': '0', 'pkg:npm/lodash': '7d' } },
    'packages.pkg:npm/lodash: means the same packages as "pkg:npm/Lodash"',
  ],
  [
    'cooldown',
    { default: '7d', mode: 'enforced' },
    'mode: must be one of enforce, observe, not "enforced": did you mean enforce?',
  ],
  ['cooldown', { default: '7d', unknown_age: 'deny' }, 'unknown_age: must be one of withhold, allow'],
  ['cooldown', { default: '7d', author_times: true }, 'author_times: must be a string, not the boolean true'],
  ['cooldown', { default: '7d', repositories: [] }, 'repositories: must have at least one item'],
  ['cooldown', { defaults: '7d' }, 'defaults: is not known: did you mean default?'],
  ['block', {}, 'packages: is required'],
  ['block', { packages: [] }, 'packages: must have at least one item'],
  ['block', { packages: ['lodash'] }, 'packages.0: must be a package URL such as'],
  [
    'block',
    { packages: ['pkg:npm/a', 'pkg:nmp/b'] },
    'packages.1: is of type "nmp", which is not known; known are npm',
  ],
  ['block', { packages: ['pkg:pypi/x?vers=vers:pypi/>=2|<1'] }, 'packages.0: its range selects nothing'],
  ['block', { packages: ['pkg:pypi/x?vers=vers:npm/>=2'] }, 'packages.0: its range must be of scheme pypi'],
  [
    'block',
    { packages: ['pkg:generic/x?vers=vers:generic/>=2'] },
    'packages.0: versions of type generic have no order',
  ],
  [
    'block',
    { packages: [`pkg:npm/${'a'.repeat(1_000_000)}`] },
    'packages.0: must have at most 1000 characters, not 1000008',
  ],
  ['exemption', { packages: LODASH }, 'expires_at: is required'],
  ['exemption', { packages: LODASH, expires_at: '2126-01-01' }, 'expires_at: "2126-01-01" is not a time of RFC 3339'],
  [
    'exemption',
    { packages: LODASH, expires_at: '2126-02-30T00:00:00Z' },
    'expires_at: "2126-02-30T00:00:00Z" is a time that does not exist',
  ],
  ['exemption', { packages: LODASH, expires_at: END, from: ['Default'] }, 'from.0: must be a name'],
  ['freeze', {}, 'before: is required'],
  [
    'freeze',
    { before: '2026-05-11T00:00:00Z', formats: ['np'] },
    'formats.0: names "np", which is no format: did you mean npm?',
  ],
  [
    'freeze',
    { before: '2026-05-11T00:00:00Z', formats: ['npm'], repositories: ['npm'] },
    'repositories: must not stand beside formats',
  ],
])('a %s refuses %.80j', (of, spec, problem) => {
  expect(refusals(of, spec)).toEqual([expect.stringContaining(problem)]);
});

test('10,000 packages are taken, and the one that is wrong is found among them', () => {
  const packages = Array.from({ length: 10_000 }, (_, at) => `pkg:npm/evil-${at}@1.0.${at}`);
  expect(refusals('block', { packages })).toEqual([]);
  expect(refusals('block', { packages: packages.with(9876, 'pkg:npm/acme/x') })).toEqual([
    expect.stringMatching(/^packages\.9876: does not name a package/),
  ]);
  expect(refusals('block', { packages: packages.with(9876, 'pkg:npm/evil-0@1.0.0') })).toEqual([
    'packages: must not repeat an item: "pkg:npm/evil-0@1.0.0" is there twice',
  ]);
});

test('nothing of a rule is set for good but its name', () => {
  for (const name of ['cooldown', 'block', 'exemption', 'freeze']) {
    const immutable = kind(name).fields.filter((field) => field.immutable);
    expect(immutable.map((field) => field.name)).toEqual(['name']);
    expect(kind(name).status.map((field) => field.name)).not.toContain('repository_url');
  }
});

test('a cooldown enforces, withholds what nobody can date, and believes authors about what was there first', () => {
  expect(effective('cooldown', { name: 'c', default: '7d' })).toEqual({
    name: 'c',
    default: '7d',
    mode: 'enforce',
    unknown_age: 'withhold',
    author_times: 'baseline',
  });
});

test('sets and maps written in another order are the same rule', () => {
  const block = (...packages: string[]) => canonical('block', { name: 'b', packages });
  expect(block('pkg:npm/a', 'pkg:npm/b')).toBe(block('pkg:npm/b', 'pkg:npm/a'));
  const cooldown = (formats: Record<string, string>) => canonical('cooldown', { name: 'c', formats });
  expect(cooldown({ npm: '1d', pypi: '2d' })).toBe(cooldown({ pypi: '2d', npm: '1d' }));
});
