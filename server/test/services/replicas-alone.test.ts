import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { holdDatabase, type Presence } from '../../src/ledger/postgres-presence.ts';
import { type PostgresServer, postgresMissing, startPostgres, statement } from '../support/postgres.ts';
import { RedisServer, redisMissing } from '../support/redis.ts';
import { TestServer } from '../support/test-server.ts';

const missing = postgresMissing() ?? redisMissing();

describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(`a PostgreSQL ${missing ?? ''}`, () => {
  let postgres: PostgresServer;
  let redis: RedisServer;
  let folder: string;
  const opened: { stop(): Promise<void> }[] = [];
  beforeAll(async () => {
    [postgres, redis] = [await startPostgres(), await RedisServer.start()];
    folder = await mkdtemp(join(tmpdir(), 'entrepot-alone-'));
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.stop();
  });
  afterAll(async () => {
    await redis?.stop();
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (database: string, name: string, withRedis: boolean): Promise<TestServer> => {
    const settings = {
      database_url: database,
      secret_key: 'the-secret-key-of-this-installation',
      storage_url: `file:${join(folder, 'blobs')}`,
      ...(withRedis ? { redis_url: redis.url } : {}),
    };
    const server = await TestServer.start({ data: join(folder, name), settings });
    opened.push(server);
    return server;
  };

  test('has one process without Redis, and says so to a second one', async () => {
    const database = await postgres.database();
    const first = await start(database, 'a', false);
    const words = `${database} is in use by another Entrepot: set redis_url (ENTREPOT_REDIS_URL)`;
    await expect(start(database, 'b', false)).rejects.toThrow(words);
    await expect(start(database, 'c', true)).rejects.toThrow('the other one runs without redis_url');
    await opened.splice(opened.indexOf(first), 1)[0]?.stop();
    await start(database, 'd', true);
    await start(database, 'e', true);
    await expect(start(database, 'f', false)).rejects.toThrow('in use by another Entrepot');
  });

  const hold = async (url: string, failures: string[], shared = false): Promise<Presence> => {
    const presence = await holdDatabase({ url, shared, onFailure: ({ message }) => failures.push(message) });
    opened.push({ stop: () => presence.release() });
    return presence;
  };
  const locks = (url: string) =>
    statement<{ count: string }>(url, `SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory'`);

  test('that was restarted has its process again', async () => {
    const [url, failures] = [await postgres.database(), [] as string[]];
    const presence = await hold(url, failures);
    await postgres.down();
    await postgres.up();
    await expect.poll(() => locks(url)).toEqual([{ count: '1' }]);
    await presence.check();
    await expect(hold(url, [])).rejects.toThrow('in use by another Entrepot');
    expect(failures).toEqual([]);
  });

  test('that another process took meanwhile is left to it: the first is out of service until that is gone', async () => {
    const [url, failures] = [await postgres.database(), [] as string[]];
    const presence = await hold(url, failures);
    await postgres.down();
    await postgres.up();
    // Faster than the second that the first lets pass.
    const second = await hold(url, []);
    await expect.poll(() => failures).toEqual([expect.stringContaining('is in use by another Entrepot')]);
    await expect(presence.check()).rejects.toThrow('in use by another Entrepot');
    await second.release();
    await expect
      .poll(() =>
        presence.check().then(
          () => 'ok',
          () => 'taken',
        ),
      )
      .toBe('ok');
    expect(failures).toHaveLength(1);
  });

  test('that does not answer is named', async () => {
    const held = holdDatabase({ url: 'postgres://me:secret@127.0.0.1:1/x', shared: false, onFailure: () => {} });
    await expect(held).rejects.toMatchObject({
      name: 'LedgerError',
      message: expect.stringMatching(/does not answer/),
    });
    await expect(held).rejects.toMatchObject({ message: expect.not.stringContaining('secret') });
  });
});
