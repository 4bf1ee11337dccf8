import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { npmDocument } from '../support/hosted-client.ts';
import { publish } from '../support/npm-package.ts';
import { type PostgresServer, postgresMissing, startPostgres } from '../support/postgres.ts';
import { type Radosgw, radosgwMissing, startRadosgw } from '../support/radosgw.ts';
import { RedisServer, redisMissing } from '../support/redis.ts';
import { ServerProcess } from '../support/server-process.ts';
import { diskMissing, fillDisk, freeDisk, mountDisk, unmountDisk } from '../support/small-disk.ts';

const missing = [postgresMissing(), radosgwMissing(), redisMissing()].filter((one) => one !== undefined).join('; ');
/** Long enough for every connection to be given up and tried again; milliseconds. */
const AWAY = 8000;

describe.skipIf(missing !== '' && process.env['CI'] !== 'true')(`without anything ${missing}`, () => {
  let opened: AsyncDisposableStack;
  let postgres: PostgresServer;
  let s3: Radosgw;
  let redis: RedisServer;
  let upstream: FakeUpstream;
  let servers: readonly ServerProcess[];
  let flags: readonly string[];
  const tarball = randomBytes(50_000);

  beforeAll(async () => {
    opened = new AsyncDisposableStack();
    [postgres, s3, redis] = await Promise.all([startPostgres(), startRadosgw(), RedisServer.start()]);
    for (const started of [postgres, s3, redis]) opened.defer(() => started.stop());
    upstream = await FakeUpstream.start();
    opened.defer(() => upstream.stop());
    const settings = {
      defaults: 'false',
      'database-url': await postgres.database(),
      'storage-url': s3.url(await s3.bucket()),
      'redis-url': redis.url,
      'secret-key': 'a-key-of-at-least-32-characters-for-tests',
    };
    flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    const first = await ServerProcess.start(...flags);
    opened.defer(() => first.stop());
    const second = await ServerProcess.start(...flags);
    opened.defer(() => second.stop());
    servers = [first, second];
    await first.manage('POST', '/remotes', {
      name: 'public',
      format: 'npm',
      url: upstream.url,
      allow_private_network: true,
    });
    await first.manage('POST', '/hosted', { name: 'own', format: 'npm' });
  });
  afterAll(() => opened?.disposeAsync());

  const get = async ({ url }: ServerProcess, version: string, client = 'test') => {
    const answer = await fetch(`${url}/public/parcel/-/parcel-${version}.tgz`, { headers: { 'user-agent': client } });
    const body = Buffer.from(await answer.arrayBuffer());
    if (answer.status === 200) expect(body.equals(tarball)).toBe(true);
    const { status, headers } = answer;
    return { status, cache: headers.get('x-cache'), retry: headers.get('retry-after') };
  };
  const ask = async ({ url, token }: ServerProcess, path: string) => {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return { status: answer.status, body: await answer.json() };
  };
  const release = async ({ url, token }: ServerProcess, version: string) => {
    const answer = await fetch(`${url}/own/box`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(npmDocument({ name: 'box', version, tarball: randomBytes(5000) })),
    });
    return { status: answer.status, retry: answer.headers.get('retry-after') };
  };
  const AGAIN = expect.stringMatching(/^\d+$/);

  test('database, bucket and Redis at once: replicas serve what is in memory, the rest waits, and all comes back by itself', async () => {
    const versions = ['1.0.0', '2.0.0'];
    publish(
      upstream,
      'parcel',
      versions.map((version) => ({ version, tarball })),
    );
    for (const server of servers) {
      for (const _ of [1, 2, 3]) await get(server, '1.0.0', 'before');
      expect(await get(server, '1.0.0', 'before')).toMatchObject({ status: 200, cache: 'hit' });
    }
    await Promise.all([postgres.down(), s3.down(), redis.down()]);

    let hits = 0;
    for (const end = Date.now() + AWAY; Date.now() < end; await sleep(100)) {
      for (const server of servers) {
        expect(await get(server, '1.0.0', `away/${hits}`)).toMatchObject({ status: 200, cache: 'hit' });
        hits += 1;
      }
    }
    for (const server of servers) {
      expect(await get(server, '2.0.0')).toMatchObject({ status: 503, retry: AGAIN });
      expect(await release(server, '1.0.0')).toMatchObject({ status: 503, retry: AGAIN });
      const failing = { status: 'failing', message: expect.any(String) };
      const coordination = { status: 'degraded', message: expect.stringMatching(/acts alone/) };
      await expect
        .poll(() => ask(server, '/health'))
        .toMatchObject({ status: 503, body: { checks: { database: failing, store: failing, coordination } } });
      expect((await ask(server, '/ready')).status).toBe(503);
    }

    await Promise.all([postgres.up(), s3.up(), redis.restart()]);
    for (const server of servers) {
      const ok = { status: 'ok' };
      await expect
        .poll(() => ask(server, '/health'), { timeout: 30_000 })
        .toMatchObject({ status: 200, body: { checks: { database: ok, store: ok, coordination: ok } } });
      await expect.poll(() => ask(server, '/ready')).toMatchObject({ status: 200 });
      expect(await get(server, '2.0.0')).toMatchObject({ status: 200 });
    }
    expect(await release(servers[0] as ServerProcess, '1.0.0')).toMatchObject({ status: 201 });
    expect(await release(servers[1] as ServerProcess, '2.0.0')).toMatchObject({ status: 201 });
    const away = async () =>
      (await (servers[0] as ServerProcess).pulls()).filter(({ client }) => client?.startsWith('away/'));
    await expect.poll(async () => (await away()).length).toBe(hits);
    expect(new Set((await away()).map(({ client }) => client)).size).toBe(hits);
  });

  const noDisk = diskMissing();

  test.skipIf(noDisk !== undefined && process.env['CI'] !== 'true')(
    `a replica whose own disk is full says so, the other one goes on ${noDisk ?? ''}`,
    async () => {
      const data = await mkdtemp(join(tmpdir(), 'entrepot-full-'));
      await mountDisk(data);
      const third = await ServerProcess.launch({ data }, ...flags);
      try {
        await fillDisk(data);
        const store = { status: 'failing', message: expect.stringMatching(/no space/i) };
        await expect.poll(() => ask(third, '/health')).toMatchObject({ status: 503, body: { checks: { store } } });
        expect(await release(third, '3.0.0')).toMatchObject({ status: 503, retry: AGAIN });
        expect((await ask(servers[0] as ServerProcess, '/health')).status).toBe(200);
        await freeDisk(data);
        await expect.poll(() => ask(third, '/health')).toMatchObject({ status: 200 });
        expect(await release(third, '3.0.0')).toMatchObject({ status: 201 });
      } finally {
        await third.kill('SIGTERM');
        await unmountDisk(data);
        await rm(data, { recursive: true });
      }
    },
  );
});
