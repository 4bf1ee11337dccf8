import { globSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MIGRATIONS_TABLE, migrations } from '../../src/ledger/database.ts';
import { openDatabase } from '../../src/ledger/plans/open-database.ts';
import { openPostgresLedger } from '../../src/ledger/postgres.ts';
import { type PostgresServer, postgresMissing, startPostgres, statement } from '../support/postgres.ts';
import { FIXTURES, manifestOf, unpack } from '../upgrade/fixture.ts';
import { openKilled } from '../upgrade/killed.ts';
import { missingRows, type Row, type Rows, rowsOf } from '../upgrade/rows.ts';

const missing = postgresMissing();
const states = globSync(`${FIXTURES}*.json`)
  .map((path) => basename(path, '.json'))
  .sort();

describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(`on PostgreSQL ${missing ?? ''}`, () => {
  let server: PostgresServer;
  let root: string;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'entrepot-upgrade-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  test.each(states)('a database of the state %s keeps every row', async (state) => {
    const before = await rowsIn(state);
    const url = await databaseOf(state, before);
    await (await openPostgresLedger(url)).close();
    expect(missingRows(before, await rowsThere(url))).toEqual([]);
  });

  test('a database of the first state is whole after a migration that was killed between any two of its statements', async () => {
    const [state = ''] = states;
    const before = await rowsIn(state);
    const statements = Number(await openKilled(await databaseOf(state, before)));
    const names = migrations.map(({ name }) => name).sort();
    expect(statements).toBeGreaterThan(names.length * 4);
    for (let at = 1; at <= statements; at += 1) {
      const url = await databaseOf(state, before);
      expect(await openKilled(url, at)).toBe('killed');
      await (await openPostgresLedger(url)).close();
      const applied = await statement<{ name: string }>(
        url,
        `SELECT name FROM ${MIGRATIONS_TABLE} ORDER BY name COLLATE "C"`,
      );
      expect([at, applied.map(({ name }) => name), missingRows(before, await rowsThere(url))]).toEqual([at, names, []]);
    }
  }, 300_000);

  async function rowsIn(state: string): Promise<Rows> {
    await unpack(state, join(root, state));
    return rowsOf(join(root, state, 'entrepot.sqlite'));
  }

  /** As a program of that state would have left it. */
  async function databaseOf(state: string, rows: Rows): Promise<string> {
    const url = await server.database();
    const { migrations: through } = await manifestOf(state);
    await (await openDatabase({ where: url, through })).destroy();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    for (const [table, all] of rows) for (const row of all) await insert(client, table, row);
    await client.end();
    return url;
  }
});

async function insert(client: pg.Client, table: string, row: Row): Promise<void> {
  const columns = Object.keys(row);
  const names = columns.map((column) => `"${column}"`).join(', ');
  const markers = columns.map((_, at) => `$${at + 1}`).join(', ');
  await client.query(
    `INSERT INTO "${table}" (${names}) OVERRIDING SYSTEM VALUE VALUES (${markers})`,
    columns.map((column) => row[column]),
  );
}

async function rowsThere(url: string): Promise<Rows> {
  const tables = await statement<{ name: string }>(
    url,
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
  );
  const found = new Map<string, readonly Row[]>();
  for (const { name } of tables) found.set(name, await statement<Row>(url, `SELECT * FROM "${name}"`));
  return found;
}
