import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type PostgresServer, postgresMissing, startPostgres, statement } from '../support/postgres.ts';
import { ServerProcess } from '../support/server-process.ts';

const missing = postgresMissing();
const KEY = 'a-secret-key-of-at-least-32-characters';
const OTHER = 'another-key-of-at-least-32-characters';

describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(`keys on PostgreSQL ${missing ?? ''}`, () => {
  let database: PostgresServer;
  let root: string;
  let url: string;
  beforeAll(async () => {
    database = await startPostgres();
  });
  afterAll(() => database?.stop());
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'entrepot-keys-'));
    url = await database.database();
  });
  afterEach(() => rm(root, { recursive: true }));

  /** Starts on a new data folder, as a replica does, and stops again: the token, and what is in the folder of it. */
  async function started(key: string, ...more: readonly string[]): Promise<{ token: string; short: string }> {
    const data = await mkdtemp(join(root, 'data-'));
    const settings = ['--defaults', 'false', '--database-url', url, '--secret-key', key, ...more];
    const server = await ServerProcess.launch({ data, alone: true }, ...settings);
    try {
      expect((await fetch(`${server.url}/api/v2/config`, bearer(server.token))).status).toBe(200);
      expect(await readFile(join(data, 'admin-token'), 'utf8')).toBe(`${server.token}\n`);
      const granted = await fetch(`${server.url}/v2/_token`, bearer(server.token));
      const { token: short } = (await granted.json()) as { token: string };
      return { token: server.token, short };
    } finally {
      await server.stop();
    }
  }

  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

  test('every replica has the token that the first made, whatever its data folder', async () => {
    const first = await started(KEY);
    expect((await started(KEY)).token).toBe(first.token);
  });

  test('what one has granted for a few minutes, the next recognises', async () => {
    const { short } = await started(KEY);
    const settings = ['--defaults', 'false', '--database-url', url, '--secret-key', KEY, '--anonymous', 'none'];
    const server = await ServerProcess.launch({ alone: true }, ...settings);
    expect((await fetch(`${server.url}/v2/`, bearer(short))).status).toBe(200);
    expect((await fetch(`${server.url}/v2/`, bearer(`${short}x`))).status).toBe(401);
    await server.stop();
  });

  test('with another secret key it does not start, and says so in one line', async () => {
    await started(KEY);
    await expect(started(OTHER)).rejects.toThrow(
      /entrepot: secret_key \(ENTREPOT_SECRET_KEY\) is not the one [^\n]*\n$/,
    );
  });

  test('the secret key is changed by a start with both, and no token is in the database to be read', async () => {
    const { token } = await started(KEY);
    expect((await started(OTHER, '--secret-key-previous', KEY)).token).toBe(token);
    expect((await started(OTHER)).token).toBe(token);
    await expect(started(KEY)).rejects.toThrow(/secret_key/);
    const facts = await statement<{ value: string }>(url, 'SELECT value FROM fact');
    expect(facts.filter(({ value }) => value.includes(token))).toEqual([]);
  });
});
