import { expect, test } from 'vitest';
import { EXAMPLE_CERTIFICATE, EXAMPLE_KEY } from '../contract/example-pem.ts';
import { Fault } from '../engine/fault.ts';
import { formats } from '../formats/all.ts';
import { kind, kindOfCollection } from './kinds.ts';
import { canonical, effective, masked, validate, withSecrets } from './schema.ts';

const NPM = { name: 'acme', format: 'npm' };
/** Formats that a remote may have. */
const MIRRORED = formats.filter(({ traits }) => traits.kinds?.includes('remote') ?? true).map(({ id }) => id);

/** `path: message` of everything that is refused; empty: the body is accepted. */
function refusals(body: unknown, of = 'remote'): string[] {
  try {
    validate(of, body);
    return [];
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    expect(error.code).toBe('invalid');
    return (error.details.errors ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
  }
}

test('a spec is kept exactly as it was declared', () => {
  const body = { labels: { b: '1', a: '' }, index_ttl: '5m', format: 'npm', patterns: ['b', 'a'], name: 'acme' };
  expect(JSON.stringify(validate('remote', body))).toBe(JSON.stringify(body));
});

test('every wrong field is named at once, in order, with what is allowed', () => {
  const body = {
    name: 'A',
    format: 'nmp',
    index_ttl: 300,
    artifact_ttl: '5 minutes',
    index_tll: '1m',
    deletion_protection: 'yes',
  };
  expect(refusals(body)).toEqual([
    'index_tll: is not known: did you mean index_ttl?',
    'name: must be a name of 1 to 63 lower-case letters, digits, dots, dashes and underscores, letters or digits at both ends, not "A"',
    `format: must be one of ${MIRRORED.join(', ')}, not "nmp": did you mean npm?`,
    'deletion_protection: must be true or false, not a string',
    'index_ttl: must be a string, not the number 300',
    'artifact_ttl: "5 minutes" is not a duration such as 30s, 5m, 12h, 7d, or 0',
  ]);
});

test.each([
  ['a list', []],
  ['null', null],
  ['a string', 'x'],
  ['the number 3', 3],
])('a body that is %s is refused as a whole', (what, body) => {
  expect(refusals(body)).toEqual([expect.stringContaining(`: must be an object, not ${what}`)]);
});

test('what must be there is asked for', () => {
  expect(refusals({})).toEqual(['name: is required', 'format: is required']);
  expect(refusals({ name: 'v', format: 'npm' }, 'virtual')).toEqual(['members: is required']);
});

test('null is refused: a field is left out instead', () => {
  expect(refusals({ ...NPM, index_ttl: null, labels: null, timeouts: null })).toEqual([
    'labels: must be an object, not null (leave it out instead)',
    'index_ttl: must be a string, not null (leave it out instead)',
    'timeouts: must be an object, not null (leave it out instead)',
  ]);
});

test('a wrong item of a list is named by its position', () => {
  expect(refusals({ name: 'v', format: 'npm', members: ['ok', 5, 'NO'] }, 'virtual')).toEqual([
    'members.1: must be a string, not the number 5',
    expect.stringMatching(/^members\.2: must be a name .*, not "NO"$/),
  ]);
  expect(refusals({ ...NPM, patterns: ['ok', '('] })).toEqual([
    expect.stringMatching(/^patterns\.1: "\(" is not a regular expression of RE2 syntax: .*missing/),
  ]);
});

test('lookahead is refused with the reason', () => {
  expect(refusals({ ...NPM, blocklist: ['(?!a)b'] })[0]).toContain('RE2 has no lookahead');
});

test('members are in order and each once', () => {
  expect(refusals({ name: 'v', format: 'npm', members: [] }, 'virtual')).toEqual([
    'members: must have at least one item',
  ]);
  expect(refusals({ name: 'v', format: 'npm', members: ['a', 'b', 'a'] }, 'virtual')).toEqual([
    'members: must not repeat an item: "a" is there twice',
  ]);
});

test('labels and headers are refused by key', () => {
  expect(refusals({ ...NPM, labels: { Team: 'x' } })).toEqual([expect.stringContaining('labels: key "Team" must be')]);
  expect(refusals({ ...NPM, labels: { team: 5 } })).toEqual(['labels.team: must be a string, not the number 5']);
  expect(refusals({ ...NPM, headers: { Authorization: 'Bearer x' } })).toEqual([
    'headers: key "Authorization" is not allowed: credentials belong in auth, where they are kept secret',
  ]);
  expect(refusals({ ...NPM, headers: { 'X-A': 'a\r\nX-B: b' } })).toEqual([
    expect.stringContaining('headers.X-A: must be visible'),
  ]);
  expect(refusals({ ...NPM, headers: { 'X-A': '1', 'x-a': '2' } })[0]).toContain('twice, in different case');
});

test('prototype keys are fields like any other that is not known', () => {
  const body = JSON.parse(
    '{"name":"a","format":"npm","__proto__":{"index_ttl":"1m"},"constructor":1,"labels":{"__proto__":"x"}}',
  );
  const refused = refusals(body);
  expect(refused).toHaveLength(3);
  expect(refused[0]).toMatch(/^__proto__: is not known/);
  expect(refused[1]).toMatch(/^constructor: is not known/);
  expect(refused[2]).toMatch(/^labels: key "__proto__" must be/);
});

test('an address must be plain http, and never takes credentials', () => {
  const refused = (url: unknown): string => refusals({ ...NPM, url })[0] ?? '';
  expect(refused('ftp://upstream.test')).toContain('url: must be an address that starts with https:// or http://');
  const credentials = refused('https://user:hunter2@upstream.test');
  expect(credentials).toContain('must not hold a user name or a password');
  expect(credentials).not.toContain('hunter2');
  expect(refused('https://upstream.test/x?y=1')).toContain('query');
  expect(refused('https://')).toContain('must be');
  expect(refused('https://upstream.test/npm/')).toBe('');
});

test('options belong to the format of the remote, and are held to its declaration', () => {
  expect(refusals({ ...NPM, pypi: { json_api: false } })).toEqual([
    'pypi: does not belong to a remote of format npm: these are options of format pypi',
  ]);
  expect(refusals({ name: 'p', format: 'pypi', pypi: { json_api: 'no', indexpath: 'x' } })).toEqual([
    'pypi.indexpath: is not known: did you mean index_path?',
    'pypi.json_api: must be true or false, not a string',
  ]);
  expect(refusals({ name: 'v', format: 'npm', members: ['a'], pypi: {} }, 'virtual')[0]).toMatch(/^pypi: is not known/);
});

test('a format without a public registry needs a url', () => {
  expect(refusals({ name: 'files', format: 'generic' })).toEqual([
    'url: is required: format generic has no public registry to fetch from',
  ]);
  expect(refusals({ name: 'files', format: 'generic', url: 'https://upstream.test' })).toEqual([]);
});

test('a name that Entrepot answers itself is refused', () => {
  expect(refusals({ ...NPM, name: 'api' })).toEqual(['name: must not be "api": Entrepot answers that address itself']);
});

test('a credential has the fields of its type, no others', () => {
  expect(refusals({ ...NPM, auth: { type: 'basic', username: 'u' } })).toEqual([
    'auth.password: is required when type is basic',
  ]);
  expect(refusals({ ...NPM, auth: { type: 'bearer', token: 't', username: 'u' } })).toEqual([
    'auth.username: does not belong to type bearer, which takes token',
  ]);
  expect(refusals({ ...NPM, auth: {} })).toEqual(['auth.type: is required']);
  expect(refusals({ ...NPM, proxy_auth: { username: 'u', password: 'p' } })[0]).toContain('needs proxy_url');
});

test('certificates are read, and a key must belong to its certificate', () => {
  expect(refusals({ ...NPM, ca_pem: 'nonsense' })[0]).toContain('ca_pem: must be PEM');
  const damaged = EXAMPLE_CERTIFICATE.replace('MIIB', 'AAAA');
  expect(refusals({ ...NPM, ca_pem: EXAMPLE_CERTIFICATE + damaged })).toEqual([
    'ca_pem: certificate 2 of 2 cannot be read',
  ]);
  const other = EXAMPLE_KEY.replace('EXbR', 'EXbS');
  const refused = refusals({ ...NPM, client_cert: { cert_pem: EXAMPLE_CERTIFICATE, key_pem: other } });
  expect(refused).toEqual([
    'client_cert.key_pem: must be the key of the certificate in cert_pem: it is of another one',
  ]);
});

test('huge texts are refused without being repeated', () => {
  const refused = refusals({
    ...NPM,
    name: 'x'.repeat(100_000),
    description: 'y'.repeat(100_000),
    ['z'.repeat(100_000)]: 1,
  });
  expect(refused).toHaveLength(3);
  for (const line of refused) expect(line.replace(/^z+/, '').length).toBeLessThan(800);
});

test('timeouts have limits', () => {
  expect(refusals({ ...NPM, timeouts: { connect: '1ms', idle: '2d' } })).toEqual([
    'timeouts.connect: must be at least 100ms, not 1ms',
    'timeouts.idle: must be at most 30m, not 2d',
  ]);
});

test.each(formats.map(({ id, traits }) => [id, traits.signedIndexes]))(
  'an index made of several is refused where indexes are signed: %s',
  (format, signed) => {
    const merge = { name: 'v', format, members: ['a', 'b'], merge: 'union' };
    const problem = `merge: must be first: indexes of format ${format} are signed, and what is made of several would have no signature`;
    expect(refusals(merge, 'virtual')).toEqual(signed ? [problem] : []);
    expect(refusals({ ...merge, merge: 'first' }, 'virtual')).toEqual([]);
  },
);

test('the effective spec has every default, those of objects and options too', () => {
  expect(effective('remote', { name: 'p', format: 'pypi', timeouts: { idle: '5s' }, index_ttl: '1m' })).toEqual({
    name: 'p',
    format: 'pypi',
    deletion_protection: false,
    index_ttl: '1m',
    artifact_ttl: '0',
    negative_ttl: '30s',
    stale_if_error: '7d',
    allow_private_network: false,
    timeouts: { connect: '10s', headers: '30s', idle: '5s' },
    max_index_size: '150MB',
    on_mutation: 'refuse',
    pypi: { index_path: 'simple', json_api: true },
  });
});

test('secrets never leave', () => {
  const spec = {
    ...NPM,
    auth: { type: 'basic', username: 'u', password: 'hunter2' },
    client_cert: { cert_pem: 'c', key_pem: 'k' },
  };
  expect(masked('remote', spec)).toEqual({
    ...NPM,
    auth: { type: 'basic', username: 'u' },
    client_cert: { cert_pem: 'c' },
  });
});

test('a secret that is left out is kept while its object and the origin stay', () => {
  const stored = {
    ...NPM,
    url: 'https://upstream.test/a',
    auth: { type: 'basic', username: 'u', password: 'hunter2' },
  };
  const sent = { ...NPM, url: 'https://upstream.test/b', auth: { type: 'basic', username: 'u' } };
  expect(withSecrets('remote', sent, stored)).toEqual({ ...sent, auth: stored.auth });
  const renamed = { ...sent, auth: { type: 'basic', username: 'other' } };
  expect(withSecrets('remote', renamed, stored)).toEqual(renamed);
  const moved = { ...sent, url: 'https://elsewhere.test/a' };
  expect(withSecrets('remote', moved, stored)).toEqual(moved);
  expect(withSecrets('remote', { ...NPM, url: stored.url }, stored)).toEqual({ ...NPM, url: stored.url });
  expect(withSecrets('remote', 'nonsense', stored)).toBe('nonsense');
});

test('specs that mean the same compare equal, others do not', () => {
  const same = (one: object, other: object): boolean =>
    canonical('remote', { ...NPM, ...one }) === canonical('remote', { ...other, ...NPM });
  expect(same({ index_ttl: '5m' }, {})).toBe(true);
  expect(same({ patterns: ['b', 'a'] }, { patterns: ['a', 'b'] })).toBe(true);
  expect(same({ labels: { a: '1', b: '2' } }, { labels: { b: '2', a: '1' } })).toBe(true);
  expect(same({ timeouts: { connect: '10s' } }, { timeouts: {} })).toBe(true);
  expect(same({ timeouts: {} }, {})).toBe(false);
  expect(same({ labels: {} }, {})).toBe(false);
  expect(same({ index_ttl: '6m' }, {})).toBe(false);
  const members = (...names: string[]): string => canonical('virtual', { name: 'v', format: 'npm', members: names });
  expect(members('a', 'b')).not.toBe(members('b', 'a'));
});

test('kinds are found by name and by collection', () => {
  expect(kindOfCollection('virtuals')?.kind).toBe('virtual');
  expect(kindOfCollection('cooldowns')?.kind).toBe('cooldown');
  expect(kindOfCollection('cooldown')).toBeUndefined();
  expect(() => kind('remotes')).toThrow(
    'there is no kind of resource called "remotes"; known are remote, hosted, virtual, cooldown, block, exemption, freeze',
  );
});
