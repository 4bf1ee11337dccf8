import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { Plane } from '../support/plane.ts';

const DAY = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * DAY).toISOString();

let upstream: FakeUpstream;
let plane: Plane;

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

test('a refused index is read once, and again when a rule or the time says so', async () => {
  let opened = 0;
  upstream = await FakeUpstream.start();
  plane = await Plane.start({
    store: (store) =>
      new Proxy(store, {
        get(of, name) {
          if (name === 'open') opened += 1;
          const value = Reflect.get(of, name);
          return typeof value === 'function' ? value.bind(of) : value;
        },
      }),
  });
  plane.remote('npm-public', 'npm', upstream.url, { index_ttl: '30d' });
  publish(upstream, 'fresh', [{ version: '0.1.0', tarball: randomBytes(500), at: ago(2) }]);
  plane.rule('cooldown', { name: 'week', default: '7d' });
  const ask = async () => {
    const response = await plane.get('/npm-public/fresh');
    return { status: response.status, until: response.headers.get('x-entrepot-until'), text: await response.text() };
  };
  const first = await ask();
  expect(first).toMatchObject({ status: 403 });
  const before = opened;
  const again = await ask();
  expect({ status: again.status, until: again.until }).toEqual({ status: 403, until: first.until });
  expect(opened).toBe(before);
  plane.rule('cooldown', { name: 'week', default: '20d' });
  expect((await ask()).until).not.toBe(first.until);
  plane.ahead = 18.1 * DAY;
  expect((await ask()).status).toBe(200);
});
