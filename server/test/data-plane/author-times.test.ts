import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { moduleZip, publishModule } from '../support/go-module.ts';
import { Plane } from '../support/plane.ts';

const DAY = 86_400_000;
const MODULE = 'example.test/widget';
const COMMIT = 'v0.0.0-20240101000000-0123456789ab';

let upstream: FakeUpstream;
let plane: Plane;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
  plane.remote('modules', 'go', upstream.url, { index_ttl: '1s' }).virtual('go', 'go', ['modules']);
  plane.rule('cooldown', { name: 'week', default: '7d' });
});

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

/** Versions with the age in days that their author gives them; in no list where that is negative. */
async function publish(versions: Readonly<Record<string, number>>): Promise<void> {
  const published = Object.entries(versions).map(async ([version, age]) => ({
    version,
    zip: await moduleZip(MODULE, version, { 'go.mod': `module ${MODULE}\n` }),
    time: new Date(Date.now() - Math.abs(age) * DAY).toISOString(),
    unlisted: age < 0,
  }));
  publishModule(upstream, MODULE, await Promise.all(published));
}

const status = async (version: string, file = 'mod') => {
  const answer = await plane.get(`/go/${MODULE}/@v/${version}.${file}`);
  await answer.arrayBuffer();
  return answer.status;
};
const explained = (version: string) =>
  plane.engine.explain({ type: 'golang', namespace: 'example.test', name: 'widget', version }, 'go', {
    now: Date.now() + plane.ahead,
    requestId: '1',
    principal: 'admin',
  });

test('a file that a build names before anybody asked for the list is judged as it is after', async () => {
  await publish({ 'v1.0.0': 100, 'v1.1.0': 2 });
  expect(await status('v1.0.0')).toBe(200);
  expect(await status('v1.1.0')).toBe(403);
  expect(await (await plane.get(`/go/${MODULE}/@v/list`)).text()).toBe('v1.0.0\n');
  expect(await status('v1.0.0', 'zip')).toBe(200);
  expect(upstream.count(`/${MODULE}/@v/list`)).toBe(1);
});

test('what an author dates back after the first listing counts from when it was first seen', async () => {
  await publish({ 'v1.0.0': 100 });
  expect(await status('v1.0.0')).toBe(200);
  await publish({ 'v1.0.0': 100, 'v1.0.1': 99 });
  plane.ahead += 2000;
  expect(await status('v1.0.1')).toBe(403);
  expect(await explained('v1.0.1')).toMatchObject({ allowed: false, evidence: { source: 'first-seen' } });
  plane.ahead += 7 * DAY;
  expect(await status('v1.0.1')).toBe(200);
});

test('a version of a commit, which no list has, is explained as it is served', async () => {
  await publish({ 'v1.0.0': 100, [COMMIT]: -500 });
  upstream.respond(`/${MODULE}/@v/v9.9.9.info`, { status: 404, body: 'not found' });
  expect(await status(COMMIT)).toBe(403);
  expect(await explained(COMMIT)).toMatchObject({ allowed: false, rule: 'cooldown/week' });
  plane.ahead += 7 * DAY + 5000;
  expect(await status(COMMIT)).toBe(200);
  expect(await explained(COMMIT)).toMatchObject({ allowed: true });
  expect(await explained('v9.9.9')).toMatchObject({ allowed: false, reason: 'the repository lists no such version' });
});
