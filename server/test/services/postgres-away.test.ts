import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { type PostgresServer, postgresMissing, startPostgres } from '../support/postgres.ts';
import { ServerProcess } from '../support/server-process.ts';

const missing = postgresMissing();

describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(`without PostgreSQL ${missing ?? ''}`, () => {
  let database: PostgresServer;
  let upstream: FakeUpstream;
  let server: ServerProcess;
  beforeAll(async () => {
    database = await startPostgres();
  });
  afterAll(() => database?.stop());
  beforeEach(async () => {
    upstream = await FakeUpstream.start();
    const url = await database.database();
    const key = 'a-key-of-at-least-32-characters-for-tests';
    server = await ServerProcess.start('--defaults', 'false', '--database-url', url, '--secret-key', key);
    const remote = { name: 'public', format: 'npm', url: upstream.url, allow_private_network: true };
    await server.manage('POST', '/remotes', remote);
  });
  afterEach(async () => {
    await server.stop();
    await upstream.stop();
  });

  const tarball = randomBytes(50_000);
  const get = (version: string, client = 'test/1') =>
    fetch(`${server.url}/public/parcel/-/parcel-${version}.tgz`, { headers: { 'user-agent': client } });
  const ask = async (path: string, token = server.token) => {
    const answer = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return { status: answer.status, retry: answer.headers.get('retry-after'), body: await answer.json() };
  };

  test('what is in memory goes on being served, the rest says when to ask again, and no pull is lost', async () => {
    publish(upstream, 'parcel', [
      { version: '1.0.0', tarball },
      { version: '2.0.0', tarball: randomBytes(1000) },
    ]);
    expect((await get('1.0.0')).status).toBe(200);
    expect((await fetch(`${server.url}/public/parcel`)).status).toBe(200);
    await database.down();

    for (let n = 0; n < 30; n += 1) {
      const hit = await get('1.0.0', `away/${n}`);
      expect([hit.status, hit.headers.get('x-cache')]).toEqual([200, 'hit']);
      expect(Buffer.from(await hit.arrayBuffer()).equals(tarball)).toBe(true);
    }
    expect((await fetch(`${server.url}/public/parcel`)).status).toBe(200);
    const miss = await get('2.0.0');
    expect([miss.status, miss.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
    expect(await ask('/api/v2/pulls')).toMatchObject({ status: 503, retry: '5', body: { code: 'unavailable' } });
    const change = fetch(`${server.url}/api/v2/remotes/other`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'other', format: 'npm', url: 'https://upstream.test' }),
    });
    expect((await change).status).toBe(503);
    await expect.poll(() => ask('/ready')).toMatchObject({ status: 503, body: { ready: false } });
    expect((await ask('/health')).body).toMatchObject({
      status: 'failing',
      checks: {
        database: { status: 'failing', message: expect.stringMatching(/does not answer.*ECONNREFUSED/) },
        store: { status: 'ok' },
      },
    });

    await database.up();
    await expect.poll(async () => (await ask('/ready')).status).toBe(200);
    expect((await get('2.0.0')).status).toBe(200);
    const clients = async () =>
      (await server.pulls()).map(({ client }) => client).filter((one) => one?.startsWith('away/'));
    await expect.poll(async () => (await clients()).length).toBe(30);
    expect(new Set(await clients()).size).toBe(30);
    expect((await ask('/health')).status).toBe(200);
  });

  test('a server that is killed while it is away has every pull when both are back', async () => {
    publish(upstream, 'parcel', [{ version: '1.0.0', tarball }]);
    await (await get('1.0.0', 'before')).arrayBuffer();
    await database.down();
    for (let n = 0; n < 20; n += 1) await (await get('1.0.0', `away/${n}`)).arrayBuffer();
    await server.kill('SIGKILL');
    await database.up();
    await server.restart();
    await expect.poll(async () => (await server.pulls()).length).toBe(21);
  });

  test('it does not start, and says why in one line', async () => {
    await database.down();
    await expect(server.restart()).rejects.toThrow(
      /entrepot: database postgres:\/\/entrepot@127[^\n]* does not answer: [^\n]*\n$/,
    );
    await database.up();
    await server.restart();
    expect((await ask('/ready')).status).toBe(200);
  });
});
