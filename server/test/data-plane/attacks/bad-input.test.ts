import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../../support/fake-upstream.ts';
import { publish } from '../../support/npm-package.ts';
import { TestServer } from '../../support/test-server.ts';

const DAY = 86_400_000;
const MEGABYTE = 'a'.repeat(1_000_000);
const FAR = '2126-01-01T00:00:00Z';
const soon = () => new Date(Date.now() + DAY).toISOString();

let server: TestServer;
let upstream: FakeUpstream;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  server = await TestServer.start();
  await server.remote('public', 'npm', upstream.url);
  await server.virtual('npm', 'npm', ['public']);
  for (const name of ['good', 'bad', 'worse'])
    publish(upstream, name, [{ version: '1.0.0', tarball: Buffer.from(`this is ${name}`) }]);
});
afterAll(async () => {
  await server.stop();
  await upstream.stop();
});

const statusOf = async (name: string) => {
  const answer = await fetch(`${server.url}/npm/${name}/-/${name}-1.0.0.tgz`);
  await answer.arrayBuffer();
  return answer.status;
};
const revision = async () => (await server.get('/api/v2/config')).body.revision;

type Spec = Readonly<Record<string, unknown>>;
type Case = readonly [what: string, collection: string, spec: Spec, path: readonly (string | number)[], says: RegExp];

const BAD: readonly Case[] = [
  [
    'a duration without a unit',
    'cooldowns',
    { default: '7' },
    ['default'],
    /"7" is not a duration such as .* its unit is missing/,
  ],
  [
    'a duration of a format without a unit',
    'cooldowns',
    { formats: { npm: '7' } },
    ['formats', 'npm'],
    /its unit is missing/,
  ],
  ['a duration that is none', 'cooldowns', { default: '-3d' }, ['default'], /is not a duration such as/],
  ['a cooldown of nothing', 'cooldowns', {}, ['default'], /is required where/],
  ['a format that there is not', 'cooldowns', { formats: { nmp: '7d' } }, ['formats', 'nmp'], /did you mean npm/],
  [
    'a purl of an unknown type',
    'blocks',
    { packages: ['pkg:npm/bad', 'pkg:nmp/bad'] },
    ['packages', 1],
    /is of type "nmp", which is not known; known are .*npm/,
  ],
  [
    'a purl that is none',
    'blocks',
    { packages: ['bad'] },
    ['packages', 0],
    /must be a package URL such as pkg:npm\/lodash/,
  ],
  [
    'a purl of a megabyte',
    'blocks',
    { packages: [`pkg:npm/${MEGABYTE}`] },
    ['packages', 0],
    /must have at most 1000 characters, not 1000008/,
  ],
  [
    'a purl with a broken escape',
    'blocks',
    { packages: ['pkg:npm/%zz'] },
    ['packages', 0],
    /percent encoding is broken/,
  ],
  [
    'a range that selects nothing',
    'blocks',
    { packages: ['pkg:npm/bad?vers=vers:npm/>=2|<1'] },
    ['packages', 0],
    /selects nothing/,
  ],
  [
    'a range of another ecosystem',
    'blocks',
    { packages: ['pkg:npm/bad?vers=vers:pypi/>=2'] },
    ['packages', 0],
    /must be of scheme npm/,
  ],
  ['no packages', 'blocks', { packages: [] }, ['packages'], /must have at least one item/],
  ['an exemption without an end', 'exemptions', { packages: ['pkg:npm/bad'] }, ['expires_at'], /is required/],
  [
    'an exemption that has ended',
    'exemptions',
    { packages: ['pkg:npm/bad'], expires_at: '2020-01-01T00:00:00Z' },
    ['expires_at'],
    /must be in the future/,
  ],
  [
    'an exemption without a zone',
    'exemptions',
    { packages: ['pkg:npm/bad'], expires_at: '2126-01-01T00:00:00' },
    ['expires_at'],
    /is not a time of RFC 3339/,
  ],
  [
    'an exemption from a cooldown that is not there',
    'exemptions',
    { packages: ['pkg:npm/bad'], from: ['gone'], expires_at: FAR },
    ['from', 0],
    /names "gone", which does not exist/,
  ],
  ['a freeze in the future', 'freezes', { before: soon() }, ['before'], /must not be in the future/],
  [
    'a freeze that has ended',
    'freezes',
    { before: '2020-01-01T00:00:00Z', expires_at: '2020-02-01T00:00:00Z' },
    ['expires_at'],
    /must be in the future/,
  ],
  [
    'a freeze of a repository that is not there',
    'freezes',
    { before: '2020-01-01T00:00:00Z', repositories: ['nmp'] },
    ['repositories', 0],
    /names "nmp", which does not exist: did you mean npm/,
  ],
  [
    'a freeze of both',
    'freezes',
    { before: '2020-01-01T00:00:00Z', formats: ['npm'], repositories: ['npm'] },
    ['repositories'],
    /must not stand beside formats/,
  ],
  [
    'a field that there is not',
    'blocks',
    { packages: ['pkg:npm/bad'], reasons: 'x' },
    ['reasons'],
    /is not known: did you mean reason/,
  ],
  [
    'a pattern that does not compile',
    'remotes',
    { format: 'npm', url: 'https://upstream.test', blocklist: ['ok', '('] },
    ['blocklist', 1],
    /"\(" is not a regular expression of RE2 syntax/,
  ],
  [
    'a pattern of a megabyte',
    'remotes',
    { format: 'npm', url: 'https://upstream.test', patterns: [MEGABYTE] },
    ['patterns', 0],
    /must have at most 1000 characters, not 1000000/,
  ],
  [
    'a pattern that would take for ever',
    'remotes',
    { format: 'npm', url: 'https://upstream.test', ban_tags: ['((a{100}){100}){100}'] },
    ['ban_tags', 0],
    /is not a regular expression of RE2 syntax/,
  ],
  [
    'a virtual of itself',
    'virtuals',
    { format: 'npm', members: ['public', 'wrong'] },
    ['members', 1],
    /names the virtual itself/,
  ],
];

describe('what is wrong', () => {
  beforeAll(async () => {
    for (const [collection, spec] of [
      ['blocks', { packages: ['pkg:npm/bad'] }],
      ['cooldowns', { default: '1d' }],
      ['exemptions', { packages: ['pkg:npm/good'], expires_at: FAR }],
      ['freezes', { before: '2020-01-01T00:00:00Z', formats: ['pypi'] }],
    ] as const)
      expect((await server.put(`/api/v2/${collection}/wrong`, spec)).status).toBe(201);
  });

  test.each(BAD)(
    '(%s) is named with its place and what is allowed, and changes nothing',
    async (_what, collection, spec, path, says) => {
      const before = await revision();
      const error = { path, message: expect.stringMatching(says) };
      const { status, body } = await server.put(`/api/v2/${collection}/wrong`, spec);
      expect([status, body.code, body.errors]).toEqual([400, 'invalid', [error]]);
      // With a good change before it and after it: none of the three is made.
      const kind = collection.replace(/s$/, '');
      const other = (name: string) => ({ op: 'put', kind: 'block', name, spec: { name, packages: ['pkg:npm/good'] } });
      const changes = [
        other('before'),
        { op: 'put', kind, name: 'wrong', spec: { name: 'wrong', ...spec } },
        other('after'),
      ];
      const set = await server.post('/api/v2/config', changes);
      expect([set.status, set.body.errors]).toEqual([400, [{ ...error, path: [1, 'spec', ...path] }]]);
      expect(await revision()).toBe(before);
      expect([await statusOf('good'), await statusOf('bad')]).toEqual([200, 403]);
    },
  );

  test('is what an exemption names and is deleted before it', async () => {
    await server.put('/api/v2/cooldowns/short', { default: '1d' });
    await server.put('/api/v2/exemptions/lifts', { packages: ['pkg:npm/good'], from: ['short'], expires_at: FAR });
    const before = await revision();
    const { status, body } = await server.delete('/api/v2/cooldowns/short');
    expect([status, body.detail]).toEqual([409, expect.stringContaining('exemption "lifts"')]);
    expect(await revision()).toBe(before);
    const both = ['exemption lifts', 'cooldown short'].map((one) => one.split(' '));
    const set = await server.post(
      '/api/v2/config',
      both.map(([kind, name]) => ({ op: 'delete', kind, name })),
    );
    expect(set.status).toBe(200);
  });
});

describe('10,000 rules', () => {
  const SETS = 10;
  /** The most that one set may have. */
  const EACH = 1000;
  const evil = (at: number) => `pkg:npm/evil-${at}@1.0.${at}`;
  const set = (which: number, packages = evil) =>
    Array.from({ length: EACH }, (_, within) => {
      const at = which * EACH + within;
      const name = `many-${at}`;
      return { op: 'put', kind: 'block', name, spec: { name, packages: [packages(at)] } };
    });

  test('are declared a thousand at a time, hold like one, and are lifted', async () => {
    const before = await revision();
    const tooMany = await server.post('/api/v2/config', [...set(0), ...set(1).slice(0, 1)]);
    expect([tooMany.status, tooMany.body.errors]).toEqual([
      400,
      [{ path: [], message: 'the body must have at most 1000 changes, not 1001' }],
    ]);
    const wrong = await server.post(
      '/api/v2/config',
      set(9, (at) => (at === 9876 ? 'pkg:npm/acme/x' : evil(at))),
    );
    expect([wrong.status, wrong.body.errors]).toEqual([
      400,
      [{ path: [876, 'spec', 'packages', 0], message: expect.stringContaining('does not name a package') }],
    ]);
    expect([await revision(), await statusOf('worse')]).toEqual([before, 200]);
    const packages = (at: number) => (at === 7777 ? 'pkg:npm/worse' : evil(at));
    for (let which = 0; which < SETS; which++)
      expect((await server.post('/api/v2/config', set(which, packages))).status).toBe(200);
    for (let again = 0; again < 5; again++) {
      expect([await statusOf('good'), await statusOf('worse')]).toEqual([200, 403]);
      const listed = await fetch(`${server.url}/npm/worse`);
      const reason = expect.stringContaining('"many-7777"');
      expect([listed.status, listed.headers.get('x-entrepot-reason')]).toEqual([403, reason]);
    }
    for (let which = 0; which < SETS; which++) {
      const lifted = set(which).map(({ kind, name }) => ({ op: 'delete', kind, name }));
      expect((await server.post('/api/v2/config', lifted)).status).toBe(200);
    }
    expect([await statusOf('good'), await statusOf('worse')]).toEqual([200, 200]);
  });
});
