import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { Plane } from '../support/plane.ts';

const MINUTE = 60_000;
const one = { version: '1.0.0', tarball: Buffer.from('one') };
const two = { version: '2.0.0', tarball: Buffer.from('two') };

let upstream: FakeUpstream;
let plane: Plane;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
  plane
    .remote('npm-public', 'npm', upstream.url, { index_ttl: '5m', stale_if_error: '1d', negative_ttl: '30s' })
    .virtual('npm', 'npm', ['npm-public']);
  publish(upstream, 'express', [one]);
});

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

async function versions(): Promise<{ cache: string | null; versions: string[] }> {
  const response = await plane.get('/npm/express');
  expect(response.status).toBe(200);
  const { versions: listed } = (await response.json()) as { versions: object };
  return { cache: response.headers.get('x-cache'), versions: Object.keys(listed) };
}

describe('an index', () => {
  test('is asked for once within its time, however it is asked for', async () => {
    expect((await versions()).cache).toBe('miss');
    expect((await versions()).cache).toBe('hit');
    const abbreviated = await plane.get('/npm/express', { accept: 'application/vnd.npm.install-v1+json' });
    expect(abbreviated.headers.get('content-type')).toContain('vnd.npm.install-v1');
    expect((await plane.get('/npm/express/1.0.0')).status).toBe(200);
    expect((await plane.get('/npm-public/express')).status).toBe(200);
    expect((await plane.get('/api/v1/virtual/npm/express')).status).toBe(200);
    expect(upstream.count('/express')).toBe(1);
  });

  test('answers at once after its time while the upstream is asked behind', async () => {
    await versions();
    publish(upstream, 'express', [one, two]);
    plane.ahead = 6 * MINUTE;
    expect(await versions()).toEqual({ cache: 'stale', versions: ['1.0.0'] });
    await expect.poll(() => versions()).toMatchObject({ versions: ['1.0.0', '2.0.0'] });
    expect(upstream.count('/express')).toBe(2);
  });

  test('is revalidated by its ETag, without a body', async () => {
    await versions();
    plane.ahead = 60 * MINUTE;
    expect(await versions()).toEqual({ cache: 'revalidated', versions: ['1.0.0'] });
    expect(upstream.requests.at(-1)?.headers['if-none-match']).toBeDefined();
    expect((await versions()).cache).toBe('hit');
  });

  test('is asked for anew when the upstream has no validators', async () => {
    upstream.quirk('*', { kind: 'no_validators' });
    await versions();
    publish(upstream, 'express', [one, two]);
    plane.ahead = 60 * MINUTE;
    expect(await versions()).toEqual({ cache: 'miss', versions: ['1.0.0', '2.0.0'] });
    expect(upstream.requests.at(-1)?.headers['if-none-match']).toBeUndefined();
  });

  test.each([
    ['is down', (fake: FakeUpstream) => fake.down()],
    ['answers 500', (fake: FakeUpstream) => fake.quirk('*', { kind: 'status', status: 500 })],
    ['answers 403', (fake: FakeUpstream) => fake.quirk('*', { kind: 'status', status: 403 })],
    ['shows a login page', (fake: FakeUpstream) => fake.quirk('*', { kind: 'login_page' })],
    [
      'breaks off',
      (fake: FakeUpstream) => {
        publish(fake, 'express', [one, two]);
        fake.quirk('*', { kind: 'truncated', after: 20 });
      },
    ],
  ])('goes on from its copy when the upstream %s, and ends when that is too old', async (_what, breakIt) => {
    await versions();
    await breakIt(upstream);
    plane.ahead = 12 * 60 * MINUTE;
    expect(await versions()).toEqual({ cache: 'stale', versions: ['1.0.0'] });
    plane.ahead = 30 * 60 * MINUTE;
    const late = await plane.get('/npm/express');
    expect(late.status).toBe(502);
    expect(((await late.json()) as { error: string }).error).toContain('npm-public');
  });

  test('of another upstream is not answered from the copy of the first', async () => {
    await versions();
    const second = await FakeUpstream.start();
    publish(second, 'express', [two]);
    plane.remote('npm-public', 'npm', second.url);
    expect((await versions()).versions).toEqual(['2.0.0']);
    expect(second.requests[0]?.headers['if-none-match']).toBeUndefined();
    await second.stop();
  });
});

describe('an absence', () => {
  test('is remembered for its time, and only the upstream’s own', async () => {
    upstream.respond('/left-pad', { status: 404, body: '{}' });
    expect((await plane.get('/npm/left-pad')).status).toBe(404);
    expect((await plane.get('/npm/left-pad')).status).toBe(404);
    expect(upstream.count('/left-pad')).toBe(1);
    publish(upstream, 'left-pad', [one]);
    plane.ahead = MINUTE;
    expect((await plane.get('/npm/left-pad')).status).toBe(200);
  });

  test('never comes of an outage', async () => {
    await upstream.down();
    expect((await plane.get('/npm/express')).status).toBe(502);
    await upstream.up();
    plane.ahead = MINUTE;
    expect((await plane.get('/npm/express')).status).toBe(200);
  });

  test('drops the copy: a package that is gone is not served for ever', async () => {
    await versions();
    upstream.respond('/express', { status: 404, body: '{}' });
    plane.ahead = 60 * MINUTE;
    expect((await plane.get('/npm/express')).status).toBe(404);
    await upstream.down();
    plane.ahead = 70 * MINUTE;
    expect((await plane.get('/npm/express')).status).toBe(502);
  });
});

describe('a plain file', () => {
  const file = async () => {
    const response = await plane.get('/raw/tools/x-1.0.zip');
    return { status: response.status, cache: response.headers.get('x-cache'), text: await response.text() };
  };

  beforeEach(() => {
    upstream.respond('/tools/x-1.0.zip', { body: 'first', lastModified: 'Wed, 01 Jul 2026 10:00:00 GMT' });
    plane.remote('raw', 'generic', upstream.url);
  });

  test('whose name says that it never changes is kept for ever', async () => {
    expect(await file()).toEqual({ status: 200, cache: 'miss', text: 'first' });
    plane.ahead = 400 * 24 * 60 * MINUTE;
    expect(await file()).toEqual({ status: 200, cache: 'hit', text: 'first' });
    expect(upstream.count('/tools/x-1.0.zip')).toBe(1);
  });

  test('that a pattern says may change is revalidated by its date', async () => {
    plane.remote('raw', 'generic', upstream.url, { mutable_patterns: ['^tools/'] });
    await file();
    plane.ahead = 60 * MINUTE;
    expect(await file()).toEqual({ status: 200, cache: 'revalidated', text: 'first' });
    expect(upstream.requests.at(-1)?.headers['if-modified-since']).toBe('Wed, 01 Jul 2026 10:00:00 GMT');
    upstream.respond('/tools/x-1.0.zip', { body: 'second' });
    plane.ahead = 120 * MINUTE;
    expect(await file()).toEqual({ status: 200, cache: 'miss', text: 'second' });
    await upstream.down();
    plane.ahead = 180 * MINUTE;
    expect(await file()).toEqual({ status: 200, cache: 'stale', text: 'second' });
  });

  test('of another upstream is not taken for this one’s', async () => {
    await file();
    const second = await FakeUpstream.start();
    second.respond('/tools/x-1.0.zip', { body: 'theirs' });
    plane.remote('raw', 'generic', second.url);
    expect((await file()).text).toBe('theirs');
    await second.stop();
  });

  test('goes with its remote', async () => {
    await file();
    plane.withdraw('raw');
    expect((await file()).status).toBe(404);
    await expect.poll(() => plane.ledger.object('raw', 'tools/x-1.0.zip')).toBeUndefined();
    await upstream.down();
    plane.remote('raw', 'generic', upstream.url);
    expect((await file()).status).toBe(502);
  });
});

test('a file that is newer than the index here is not said to be absent while the upstream is away', async () => {
  await versions();
  publish(upstream, 'express', [one, two]);
  await upstream.down();
  const file = () => plane.get('/npm-public/express/-/express-2.0.0.tgz');
  const away = await file();
  expect(away.status).toBe(502);
  expect(await away.text()).toContain('could not be asked whether it has');
  await upstream.up();
  const back = await file();
  expect([back.status, await back.text()]).toEqual([200, 'two']);
});
