import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { TestServer } from '../support/test-server.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of started.splice(0).reverse()) await each.stop();
});

test('a clock that jumps an hour on and two back: everything is served, every pull is on record, no rule is got round', async () => {
  let now = Date.UTC(2026, 5, 1);
  const upstream = await FakeUpstream.start();
  started.push(upstream);
  const server = await TestServer.start({ now: () => now });
  started.push(server);
  const releases = ['1.0.0', '2.0.0', '3.0.0', '4.0.0'].map((version) => ({ version, tarball: randomBytes(1000) }));
  const at = (time: number) => new Date(time).toISOString();
  const dated = releases.map((release, n) => ({ ...release, at: at(now - (n === 3 ? DAY : 30 * DAY)) }));
  publish(upstream, 'parcel', dated, '3.0.0');
  await server.remote('public', 'npm', upstream.url);
  expect((await server.put('/api/v2/cooldowns/week', { name: 'week', default: '7d' })).status).toBe(201);

  let pulls = 0;
  const pulled = async (version: string) => {
    const answer = await fetch(`${server.url}/public/parcel/-/parcel-${version}.tgz`);
    const body = Buffer.from(await answer.arrayBuffer());
    expect([version, answer.status]).toEqual([version, 200]);
    expect(body.equals(releases.find((one) => one.version === version)?.tarball ?? Buffer.alloc(0))).toBe(true);
    pulls += 1;
  };
  const refused = async () => {
    const [index, file] = await Promise.all([
      fetch(`${server.url}/public/parcel`),
      fetch(`${server.url}/public/parcel/-/parcel-4.0.0.tgz`),
    ]);
    expect([index.status, Object.keys(((await index.json()) as { versions: object }).versions)]).toEqual([
      200,
      ['1.0.0', '2.0.0', '3.0.0'],
    ]);
    expect(file.status).toBe(403);
    pulls += 1;
  };
  const works = async (fresh: string) => {
    await pulled('1.0.0');
    await pulled(fresh);
    await refused();
    expect((await server.get('/health')).status).toBe(200);
    expect((await server.get('/ready')).status).toBe(200);
  };
  await works('1.0.0');
  now += HOUR;
  await works('2.0.0');
  now -= 2 * HOUR;
  await works('3.0.0');
  // A change made while the clock stands before the last one counts as the later all the same.
  const before = (await server.get('/api/v2/config')).body.revision;
  expect((await server.delete('/api/v2/cooldowns/week')).status).toBe(204);
  expect((await server.get('/api/v2/config')).body.revision).not.toBe(before);
  await pulled('4.0.0');
  now += HOUR;
  await pulled('4.0.0');

  await expect.poll(async () => (await server.get('/api/v2/pulls?limit=100')).body.items.length).toBe(pulls);
});
