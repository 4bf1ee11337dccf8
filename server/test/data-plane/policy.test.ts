import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { Plane } from '../support/plane.ts';

const DAY = 86_400_000;
const old = randomBytes(2000);
const young = randomBytes(2000);
const OLD = 'lodash/-/lodash-1.0.0.tgz';
const YOUNG = 'lodash/-/lodash-1.1.0.tgz';
const ago = (days: number) => new Date(Date.now() - days * DAY).toISOString();

let upstream: FakeUpstream;
let plane: Plane;
let published: string;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
  published = ago(2);
  plane.remote('npm-public', 'npm', upstream.url, { index_ttl: '30d' }).virtual('npm', 'npm', ['npm-public']);
  publish(upstream, 'lodash', [
    { version: '1.0.0', tarball: old, at: ago(100) },
    { version: '1.1.0', tarball: young, at: published },
  ]);
});

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

interface Packument {
  readonly 'dist-tags': Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, unknown>>;
}

const packument = async (repository = 'npm') => (await (await plane.get(`/${repository}/lodash`)).json()) as Packument;
const versions = async (repository = 'npm') => Object.keys((await packument(repository)).versions);
const status = async (path: string, headers = {}, method = 'GET') => {
  const response = await plane.get(path, headers, method);
  await response.arrayBuffer();
  return response.status;
};

describe('a cooldown', () => {
  beforeEach(() => plane.rule('cooldown', { name: 'week', default: '7d' }));

  test('hides a young release from every view, and names what is older as the latest', async () => {
    expect(await versions()).toEqual(['1.0.0']);
    expect((await packument())['dist-tags']).toEqual({ latest: '1.0.0' });
    const abbreviated = await plane.get('/npm/lodash', { accept: 'application/vnd.npm.install-v1+json' });
    expect(Object.keys(((await abbreviated.json()) as Packument).versions)).toEqual(['1.0.0']);
    expect(await status('/npm/lodash/1.1.0')).toBe(403);
    expect(await status('/npm/lodash/latest')).toBe(200);
  });

  test.each([
    `/npm/${YOUNG}`,
    `/npm-public/${YOUNG}`,
    `/api/v1/virtual/npm/${YOUNG}`,
    `/api/v1/remote/npm-public/${YOUNG}`,
    '/npm/lodash/-/lodash-1%2E1%2e0.tgz',
    '/npm/./lodash/-/lodash-1.1.0.tgz',
    `/npm/${YOUNG}?x=1`,
  ])('refuses its file at %s, whatever the method', async (path) => {
    expect(await status(path)).toBe(403);
    expect(await status(path, {}, 'HEAD')).toBe(403);
    expect(await status(path, { range: 'bytes=0-10' })).toBe(403);
    expect(await status(path, { 'if-none-match': '*' })).toBe(403);
  });

  test('says why, until when, and by which rule, and the refusal is on record', async () => {
    const response = await plane.get(`/npm/${YOUNG}`);
    const { error } = (await response.json()) as { error: string };
    expect(error).toMatch(/^pkg:npm\/lodash@1\.1\.0|^lodash/);
    expect(error).toContain('"week"');
    const until = new Date(Date.parse(published) + 7 * DAY).toISOString();
    expect(response.headers.get('x-entrepot-until')).toBe(until);
    expect(plane.pulls.at(-1)).toMatchObject({ decision: 'refused', rule: 'cooldown/week', version: '1.1.0' });
    expect(upstream.count(`/${YOUNG}`)).toBe(0);
  });

  test('ends by itself, though nothing changed upstream', async () => {
    const before = await plane.get('/npm/lodash');
    await before.arrayBuffer();
    for (let warm = 0; warm < 3; warm++) await status('/npm/lodash');
    plane.ahead += 4.9 * DAY;
    expect(await versions()).toEqual(['1.0.0']);
    expect(await status(`/npm/${YOUNG}`)).toBe(403);
    plane.ahead += 0.2 * DAY;
    const after = await plane.get('/npm/lodash');
    expect(Object.keys(((await after.json()) as Packument).versions)).toEqual(['1.0.0', '1.1.0']);
    expect(after.headers.get('etag')).not.toBe(before.headers.get('etag'));
    expect(await status(`/npm/${YOUNG}`)).toBe(200);
    expect(upstream.count('/lodash')).toBe(1);
  });

  test('is lifted by an exemption, and comes back when that ends', async () => {
    plane.rule('exemption', {
      name: 'hotfix',
      packages: ['pkg:npm/lodash@1.1.0'],
      reason: 'needed',
      expires_at: new Date(Date.now() + DAY).toISOString(),
    });
    expect(await versions()).toEqual(['1.0.0', '1.1.0']);
    for (let warm = 0; warm < 4; warm++) expect(await status(`/npm/${YOUNG}`)).toBe(200);
    plane.ahead += 2 * DAY;
    expect(await versions()).toEqual(['1.0.0']);
    expect(await status(`/npm/${YOUNG}`)).toBe(403);
  });

  test('that leaves nothing refuses the package with the reason', async () => {
    publish(upstream, 'fresh', [{ version: '0.1.0', tarball: young, at: ago(1) }]);
    const response = await plane.get('/npm/fresh');
    expect(response.status).toBe(403);
    expect(((await response.json()) as { error: string }).error).toContain('"week"');
  });

  test('of observe refuses nothing', async () => {
    plane.rule('cooldown', { name: 'week', default: '7d', mode: 'observe' });
    expect(await versions()).toEqual(['1.0.0', '1.1.0']);
    expect(await status(`/npm/${YOUNG}`)).toBe(200);
  });

  test('for a virtual holds at its members’ own addresses too, and nowhere else', async () => {
    plane.rule('cooldown', { name: 'week', default: '7d', repositories: ['npm'] });
    plane.remote('other', 'npm', upstream.url);
    expect(await status(`/npm-public/${YOUNG}`)).toBe(403);
    expect(await status(`/npm/${YOUNG}`)).toBe(403);
    expect(await status(`/other/${YOUNG}`)).toBe(200);
  });

  test.each([
    ['in the future', new Date(Date.now() + DAY).toISOString()],
    ['at the epoch', '1970-01-01T00:00:00.000Z'],
    ['nonsense', 'yesterday'],
  ])('withholds a release whose time is %s', async (_what, at) => {
    publish(upstream, 'odd', [
      { version: '1.0.0', tarball: old, at: ago(100) },
      { version: '2.0.0', tarball: young, at },
    ]);
    expect(Object.keys(((await (await plane.get('/npm/odd')).json()) as Packument).versions)).toEqual(['1.0.0']);
    expect(await status('/npm/odd/-/odd-2.0.0.tgz')).toBe(403);
  });
});

test('a rule that comes is obeyed by what was served a moment before, and one that goes by the next answer', async () => {
  for (let warm = 0; warm < 4; warm++) expect(await status(`/npm/${YOUNG}`)).toBe(200);
  for (let warm = 0; warm < 4; warm++) expect(await versions()).toEqual(['1.0.0', '1.1.0']);
  plane.rule('block', { name: 'bad', packages: ['pkg:npm/lodash?vers=vers:npm/>=1.1.0'], reason: 'it steals' });
  const refused = await plane.get(`/npm/${YOUNG}`);
  expect(refused.status).toBe(403);
  expect(((await refused.json()) as { error: string }).error).toContain('it steals');
  expect(await versions()).toEqual(['1.0.0']);
  expect(await status(`/npm/${OLD}`)).toBe(200);
  plane.lift('block', 'bad');
  expect(await status(`/npm/${YOUNG}`)).toBe(200);
  expect(await versions()).toEqual(['1.0.0', '1.1.0']);
});

test('a freeze admits what was there before it', async () => {
  plane.rule('freeze', { name: 'incident', before: ago(3) });
  expect(await versions()).toEqual(['1.0.0']);
  expect(await status(`/npm/${YOUNG}`)).toBe(403);
  expect(await status(`/npm/${OLD}`)).toBe(200);
});
