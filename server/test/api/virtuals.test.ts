import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { HostedClient } from '../support/hosted-client.ts';
import { publish } from '../support/npm-package.ts';
import { TestServer } from '../support/test-server.ts';

const DAY = 86_400_000;
const URL = 'https://upstream.test';

let server: TestServer;
let upstream: FakeUpstream;
let ahead = 0;

beforeEach(async () => {
  ahead = 0;
  upstream = await FakeUpstream.start();
  server = await TestServer.start({ now: () => Date.now() + ahead });
});
afterEach(async () => {
  await server.stop();
  await upstream.stop();
});

const virtual = (name: string, spec: object) => server.put(`/api/v2/virtuals/${name}`, { format: 'npm', ...spec });

describe('what is declared', () => {
  beforeEach(async () => {
    await server.put('/api/v2/remotes/a', { format: 'npm', url: URL });
    await server.put('/api/v2/remotes/p', { format: 'pypi', url: URL });
  });

  test.each([
    ['nobody', { members: [] }, 'members', 'must have at least one item'],
    ['itself', { members: ['v'] }, 'members.0', 'names the virtual itself'],
    [
      'one of another format',
      { members: ['p'] },
      'members.0',
      'which is of format pypi; this virtual is of format npm',
    ],
    ['nobody that there is', { members: ['b'] }, 'members.0', 'names "b", which does not exist'],
    ['somebody twice', { members: ['a', 'a'] }, 'members', 'twice'],
  ])('a virtual has no member that is %s', async (_, spec, path, says) => {
    const { status, body } = await virtual('v', spec);
    expect([status, body.errors[0].path.join('.'), body.errors[0].message]).toEqual([
      status === 409 ? 409 : 400,
      path,
      expect.stringContaining(says),
    ]);
  });

  test('a circle of virtuals is refused with the way round it', async () => {
    await virtual('inner', { members: ['a'] });
    await virtual('middle', { members: ['inner'] });
    await virtual('outer', { members: ['middle'] });
    const { status, body } = await virtual('inner', { members: ['a', 'outer'] });
    expect([status, body.errors]).toEqual([
      400,
      [{ path: ['members', 1], message: 'closes a circle: inner → outer → middle → inner' }],
    ]);
  });

  test('a member is not deleted while a virtual has it, and the answer says which', async () => {
    await virtual('inner', { members: ['a'] });
    await virtual('outer', { members: ['inner'] });
    for (const [path, by] of [
      ['remotes/a', 'inner'],
      ['virtuals/inner', 'outer'],
    ]) {
      const { status, body } = await server.delete(`/api/v2/${path}`);
      expect(status).toBe(409);
      expect(JSON.stringify(body)).toContain(by);
    }
  });

  test.each([
    ['a blank', '@acme /x', 'blanks'],
    ['a package URL', 'pkg:npm/%40acme/x', 'a package URL'],
    ['percent encoding', '%40acme/*', 'percent-encoded'],
    ['nothing but stars', '*', 'every name would be claimed'],
    ['two stars', '@acme/**', 'one * stands for any run'],
    ['a scope without a slash', '@acme', 'is a scope: all that is in it is "@acme/*"'],
    ['a regular expression', '^@acme/.*', 'nothing else has a meaning'],
    ['a slash at its end', '@acme/', 'end with a slash'],
    ['folders that lead out', '@acme/../x', '.. parts'],
    ['no scope before its slash', 'acme/*', 'a scope begins with @'],
    ['a megabyte', 'a'.repeat(1_000_000), 'at most 300 characters'],
  ])('a claim that has %s is refused with its place', async (_, claim, says) => {
    const wrong = { members: ['a'], claims: ['@fine/*', claim] };
    for (const answer of [
      await virtual('v', wrong),
      await server.put('/api/v2/remotes/r', { format: 'npm', url: URL, claims: ['@fine/*', claim] }),
    ]) {
      expect([answer.status, answer.body.errors]).toEqual([
        400,
        [{ path: ['claims', 1], message: expect.stringContaining(says) }],
      ]);
    }
  });

  test.each([
    ['maven', 'com.acme:*'],
    ['maven', 'com.acme.*'],
    ['pypi', 'acme-*'],
    ['go', 'git.acme.test/*'],
    ['oci', 'acme/*'],
    ['cargo', 'acme_*'],
    ['debian', 'acme-*'],
    ['generic', 'releases/acme/*'],
  ])('a claim of %s is written %s', async (format, claim) => {
    const { status, body } = await server.put('/api/v2/remotes/r', { format, url: URL, claims: [claim] });
    expect([status, body.spec?.claims]).toEqual([201, [claim]]);
  });

  test('a group of Maven without its artifacts is refused with how it is written', async () => {
    const { body } = await server.put('/api/v2/remotes/r', { format: 'maven', url: URL, claims: ['com.acme'] });
    expect(body.errors).toEqual([{ path: ['claims', 0], message: 'is a group: all that is in it is "com.acme:*"' }]);
  });
});

describe('names that are published here', () => {
  let own: HostedClient;
  const tarball = (whose: string) => Buffer.from(`the bytes of ${whose}`);
  const alerts = async (query = '') => (await server.get(`/api/v2/alerts${query}`)).body.items;

  beforeEach(async () => {
    upstream.quirk('*', { kind: 'status', status: 404 });
    for (const name of ['@acme/app', 'acme-tool']) {
      publish(upstream, name, [{ version: '999.0.0', tarball: tarball('public') }]);
      upstream.quirk(`/${name.replace('/', '%2f')}`, { kind: 'says', headers: {} });
    }
    await server.put('/api/v2/hosted/own', { format: 'npm' });
    await server.remote('public', 'npm', upstream.url);
    own = new HostedClient(server, 'own');
  });

  const release = (name: string) => own.publish({ name, version: '1.0.0', tarball: tarball('own') });
  const versions = async (path: string) => {
    const answer = await fetch(`${server.url}${path}`);
    return answer.status === 200
      ? Object.keys(((await answer.json()) as { versions: object }).versions)
      : answer.status;
  };

  test.each(['first', 'union'])('are not completed by a public package of version 999: %s', async (merge) => {
    await virtual('all', { members: ['public', 'own'], merge, claims: ['@acme/*'] });
    expect(await versions('/all/@acme/app')).toBe(404);
    expect((await release('@acme/app')).status).toBe(201);
    expect(await versions('/all/@acme/app')).toEqual(['1.0.0']);
    expect((await fetch(`${server.url}/all/@acme/app/-/app-999.0.0.tgz`)).status).toBe(404);
    expect(await versions('/public/@acme/app')).toBe(403);
    expect(upstream.requests).toEqual([]);
  });

  test('cannot be published where another member claims them, and the reason says who', async () => {
    await server.remote('mirror', 'npm', upstream.url, { claims: ['@acme/*'] });
    await virtual('all', { members: ['own', 'mirror'] });
    const answer = await release('@acme/app');
    expect(answer.status).toBe(409);
    expect(await answer.text()).toContain(
      '@acme/app cannot be published to \\"own\\": the claims of the remote \\"mirror\\" (@acme/*) give it to \\"mirror\\"',
    );
    expect((await release('acme-tool')).status).toBe(201);
    expect((await own.send('GET', '@acme%2fapp')).status).toBe(403);
  });

  test('raise an alert when a claim meets what a public member already had on record', async () => {
    await virtual('all', { members: ['own', 'public'] });
    expect(await versions('/public/@acme/app')).toEqual(['999.0.0']);
    await server.put('/api/v2/virtuals/all', { format: 'npm', members: ['own', 'public'], claims: ['@ACME/*'] });
    const [alert, ...others] = await alerts();
    expect(others).toEqual([]);
    expect(alert).toMatchObject({ kind: 'claimed_name', repository: 'all', member: 'public', name: '@acme/app' });
    expect(alert.details).toMatchObject({ rule: 'virtual/all.claims', owners: ['own'], seen: 'on record' });
    expect((await server.get('/metrics')).text).toContain('entrepot_alerts_total{kind="claimed_name"} 1');
  });

  test('raise an alert when one is published that a public member has on record, claimed or not', async () => {
    await virtual('all', { members: ['public', 'own'], watch: false });
    await versions('/all/acme-tool');
    const asked = upstream.requests.length;
    await release('acme-tool');
    ahead = 2 * DAY;
    await virtual('other', { members: ['own'] });
    expect(await alerts('?kind=hosted_name')).toMatchObject([
      { repository: 'all', member: 'public', name: 'acme-tool', details: { seen: 'on record' } },
    ]);
    expect(upstream.requests).toHaveLength(asked);
  });

  test('are looked for at remote members soon after, unless they are claimed, and an alert ends with its reason', async () => {
    await virtual('all', { members: ['own', 'public'], claims: ['@acme/*'] });
    await release('acme-tool');
    await release('@acme/app');
    await release('acme-only-here');
    expect(upstream.requests).toEqual([]);
    ahead = 2 * 60_000;
    await virtual('other', { members: ['own'] });
    const [alert, ...others] = await alerts();
    expect([alert, others]).toMatchObject([{ kind: 'hosted_name', member: 'public', name: 'acme-tool' }, []]);
    expect(upstream.requests.map(({ path }) => path).toSorted()).toEqual(['/acme-only-here', '/acme-tool']);
    upstream.calm('/acme-tool');
    ahead = 2 * DAY;
    await server.delete('/api/v2/virtuals/other');
    expect(await alerts('?state=current')).toEqual([]);
    expect(await alerts('?state=ended')).toMatchObject([{ id: alert.id, ended_at: expect.any(String) }]);
    expect(upstream.requests.some(({ path }) => path.includes('@acme'))).toBe(false);
  });

  test('are not looked for where that is switched off', async () => {
    await virtual('all', { members: ['own', 'public'], watch: false });
    await release('acme-tool');
    ahead = 2 * DAY;
    await virtual('other', { members: ['own'] });
    expect(await alerts()).toEqual([]);
    expect(upstream.requests).toEqual([]);
  });

  test('one version with two contents is served from the first member, and is on record with both', async () => {
    publish(upstream, 'acme-tool', [{ version: '1.0.0', tarball: tarball('public') }]);
    await virtual('all', { members: ['own', 'public'], merge: 'union' });
    await release('acme-tool');
    for (let twice = 0; twice < 2; twice++) {
      expect(await versions('/all/acme-tool')).toEqual(['1.0.0']);
      const file = await fetch(`${server.url}/all/acme-tool/-/acme-tool-1.0.0.tgz`);
      expect(await file.text()).toBe('the bytes of own');
    }
    expect(await alerts('?kind=hosted_name')).toMatchObject([{ member: 'public', name: 'acme-tool' }]);
    const [alert, ...others] = await alerts('?kind=version_conflict&repository=all');
    expect(others).toEqual([]);
    expect(alert).toMatchObject({
      member: 'public',
      name: 'acme-tool',
      details: {
        served: 'own',
        versions: [{ version: '1.0.0', digests: [/^sha512:/, /^sha512:/].map((re) => expect.stringMatching(re)) }],
      },
    });
  });

  test('alerts come in pages, and the call is strict', async () => {
    await virtual('all', { members: ['own', 'public'], watch: false });
    for (const name of ['@acme/app', 'acme-tool']) await versions(`/public/${name}`);
    await server.put('/api/v2/virtuals/all', {
      format: 'npm',
      members: ['own', 'public'],
      claims: ['@acme/*', 'acme-*'],
    });
    const { body } = await server.get('/api/v2/alerts?limit=1');
    const rest = await server.get(`/api/v2/alerts?limit=1&after=${body.next}`);
    expect([...body.items, ...rest.body.items].map(({ name }: { name: string }) => name).toSorted()).toEqual([
      '@acme/app',
      'acme-tool',
    ]);
    expect(rest.body).not.toHaveProperty('next');
    expect((await server.get('/api/v2/alerts?after=x')).status).toBe(400);
    expect((await server.get('/api/v2/alerts?kind=other')).status).toBe(400);
    expect((await server.get('/api/v2/alerts', { token: null })).status).toBe(401);
  });
});
