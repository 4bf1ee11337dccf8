import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { Plane } from '../support/plane.ts';

const DAY = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * DAY).toISOString();
const bytes = (whose: string) => Buffer.from(`${whose} 1.0.0`);

let inner: FakeUpstream;
let outer: FakeUpstream;
let plane: Plane;

const upstreamWith = async (whose: string, ...names: string[]) => {
  const upstream = await FakeUpstream.start();
  upstream.quirk('*', { kind: 'status', status: 404 });
  for (const name of names) {
    publish(upstream, name, [{ version: '1.0.0', tarball: bytes(whose), at: ago(2) }]);
    const base = name.slice(name.indexOf('/') + 1);
    for (const path of [`/${name.replace('/', '%2f')}`, `/${name}/-/${base}-1.0.0.tgz`])
      upstream.quirk(path, AS_RECORDED);
  }
  return upstream;
};
/** Stands before what is said to every other path. */
const AS_RECORDED = { kind: 'says', headers: {} } as const;

beforeEach(async () => {
  inner = await upstreamWith('inner', 'lodash', '@acme/app');
  outer = await upstreamWith('outer', 'lodash', 'react', '@acme/app');
  plane = await Plane.start();
  plane.remote('deep', 'npm', inner.url).remote('public', 'npm', outer.url);
});

afterEach(async () => {
  await plane.stop();
  for (const upstream of [inner, outer]) await upstream.stop();
});

const asked = (upstream: FakeUpstream) => upstream.requests.map(({ path }) => path);
async function got(path: string): Promise<[number, string]> {
  const answer = await plane.get(path);
  return [answer.status, await answer.text()];
}
const file = (name: string) => `${name}/-/${name.slice(name.indexOf('/') + 1)}-1.0.0.tgz`;

test('a member may be a virtual, also one that is declared after it: the first that has a name owns it', async () => {
  plane.virtual('all', 'npm', ['team', 'public']).virtual('team', 'npm', ['deep']);
  expect(await got(`/all/${file('lodash')}`)).toEqual([200, 'inner 1.0.0']);
  expect(await got(`/all/${file('react')}`)).toEqual([200, 'outer 1.0.0']);
  expect(asked(outer)).not.toContain('/lodash');
  expect(plane.pulls).toMatchObject([{ member: 'deep' }, { member: 'public' }]);
});

test('what is in a virtual inside a virtual is judged by the rules of the whole way', async () => {
  plane.virtual('team', 'npm', ['deep']).virtual('all', 'npm', ['team', 'public']);
  plane.rule('cooldown', { name: 'week', default: '7d', repositories: ['all'] });
  expect((await got(`/all/${file('lodash')}`))[0]).toBe(403);
  expect((await got('/all/lodash'))[0]).toBe(403);
  // A member answers at its own address by the strictest of all that it is in.
  for (const name of ['team', 'deep', 'public'])
    expect([name, (await got(`/${name}/${file('lodash')}`))[0]]).toEqual([name, 403]);
  plane.lift('cooldown', 'week');
  plane.rule('cooldown', { name: 'week', default: '7d', repositories: ['deep'] });
  expect((await got(`/all/${file('lodash')}`))[0]).toBe(403);
  expect((await got(`/all/${file('react')}`))[0]).toBe(200);
  plane.lift('cooldown', 'week');
  plane.rule('cooldown', { name: 'week', default: '7d', repositories: ['team'] });
  expect((await got(`/all/${file('lodash')}`))[0]).toBe(403);
  expect((await got(`/public/${file('react')}`))[0]).toBe(200);
});

test('claims of the outer hold in the inner, and at the address of the inner', async () => {
  plane.virtual('team', 'npm', ['public']).remote('mine', 'npm', inner.url, { claims: ['@acme/*'] });
  plane.virtual('all', 'npm', ['team', 'mine'], { claims: ['@acme/*'] });
  expect(await got(`/all/${file('@acme/app')}`)).toEqual([200, 'inner 1.0.0']);
  const [status, said] = await got(`/team/${file('@acme/app')}`);
  expect([status, said]).toEqual([403, expect.stringContaining('the claims of the virtual \\"all\\"')]);
  expect(asked(outer)).toEqual([]);
});

test('claims of the inner hold in the outer: what only a member claims is that member’s', async () => {
  plane.remote('mine', 'npm', inner.url, { claims: ['@acme/*'] });
  plane.virtual('team', 'npm', ['mine']).virtual('all', 'npm', ['public', 'team']);
  expect(await got(`/all/${file('@acme/app')}`)).toEqual([200, 'inner 1.0.0']);
  expect((await got(`/public/${file('@acme/app')}`))[0]).toBe(403);
  // Names that nobody claims go by order.
  expect(await got(`/all/${file('lodash')}`)).toEqual([200, 'outer 1.0.0']);
  expect(asked(outer)).not.toContain('/@acme%2fapp');
});

test('another virtual over a public member does not ask it for what is claimed either', async () => {
  plane.remote('mine', 'npm', inner.url, { claims: ['@acme/*'] });
  plane.virtual('all', 'npm', ['mine', 'public'], { claims: ['@acme/*'] }).virtual('loose', 'npm', ['public']);
  expect((await got('/loose/@acme/app'))[0]).toBe(403);
  expect((await got(`/loose/${file('react')}`))[0]).toBe(200);
  expect(asked(outer)).not.toContain('/@acme%2fapp');
});

test('who asks why a claimed name is not given is told whose it is', async () => {
  plane.virtual('all', 'npm', ['deep', 'public'], { claims: ['@acme/*'] });
  const asked = { type: 'npm', namespace: '@acme', name: 'app', version: '1.0.0' };
  const ask = { now: Date.now(), requestId: 'r', principal: 'admin' };
  expect(await plane.engine.explain(asked, 'public', ask)).toMatchObject({
    repository: 'public',
    allowed: false,
    rule: 'virtual/all.claims',
    reason: expect.stringContaining('give it to none of its members'),
  });
});

test('claims hold from the next answer on, and no longer than they are declared', async () => {
  plane.virtual('all', 'npm', ['public']);
  for (let warm = 0; warm < 3; warm++) expect((await got('/all/@acme/app'))[0]).toBe(200);
  expect((await got(`/all/${file('@acme/app')}`))[0]).toBe(200);
  plane.virtual('all', 'npm', ['public'], { claims: ['@ACME/*'] });
  for (const path of [
    '@acme/app',
    '@acme%2Fapp',
    file('@acme/app'),
    '@acme/app/latest',
    '-/package/@acme%2fapp/dist-tags',
  ])
    expect([path, (await got(`/all/${path}`))[0]]).toEqual([path, 404]);
  expect((await got(`/public/${file('@acme/app')}`))[0]).toBe(403);
  plane.virtual('all', 'npm', ['public']);
  expect((await got('/all/@acme/app'))[0]).toBe(200);
});

test('what comes from the owner of a claimed name is never held back, and is blocked like anything else', async () => {
  plane.remote('mine', 'npm', inner.url, { claims: ['@acme/*'] });
  plane.virtual('all', 'npm', ['mine', 'public'], { claims: ['@acme/*'] });
  plane.rule('cooldown', { name: 'week', default: '7d' });
  for (const at of ['all', 'mine']) {
    expect((await got(`/${at}/${file('@acme/app')}`))[0]).toBe(200);
    expect(Object.keys(JSON.parse((await got(`/${at}/@acme/app`))[1]).versions)).toEqual(['1.0.0']);
  }
  expect((await got(`/all/${file('react')}`))[0]).toBe(403);
  plane.rule('block', { name: 'bad', packages: ['pkg:npm/%40acme/app'] });
  expect((await got(`/all/${file('@acme/app')}`))[0]).toBe(403);
});

test('an outage deep inside stops the search, and says where it is', async () => {
  plane.virtual('team', 'npm', ['deep', 'public']).virtual('all', 'npm', ['team', 'public']);
  await inner.down();
  const answer = await plane.get('/all/react');
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(answer.headers.get('x-entrepot-reason')).toContain('"deep", a member of "team", cannot say');
  expect(await answer.text()).toContain('\\"deep\\"');
});

test('what is declared and cannot be served stops the search like an outage', async () => {
  plane.virtual('all', 'npm', ['deep', 'public']).withdraw('deep');
  const answer = await plane.get('/all/react');
  expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('deep')]);
  expect(asked(outer)).toEqual([]);
});

test('a dead member answers at once when its breaker is open, and what it has goes on being served', async () => {
  plane.remote('deep', 'npm', inner.url, { timeouts: { headers: '300ms' }, index_ttl: '1s', negative_ttl: '0' });
  plane.virtual('all', 'npm', ['deep', 'public']);
  expect((await got('/all/lodash'))[0]).toBe(200);
  inner.hold('*');
  plane.ahead = 3_600_000;
  for (let tries = 0; tries < 12; tries++) expect((await got(`/all/p${tries}`))[0]).toBe(503);
  const sent = inner.requests.length;
  for (let tries = 0; tries < 20; tries++) expect((await got(`/all/q${tries}`))[0]).toBe(503);
  expect(inner.requests.length - sent).toBeLessThan(3);
  const kept = await plane.get('/all/lodash');
  expect([kept.status, kept.headers.get('x-cache')]).toEqual([200, 'stale']);
});
