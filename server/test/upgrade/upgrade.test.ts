import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrations } from '../../src/ledger/database.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite.ts';
import { BUILT_SERVER, ServerProcess } from '../support/server-process.ts';
import { ADMIN_TOKEN, FIXTURES, manifestOf, type Served, sha256, unpack } from './fixture.ts';
import { openKilled } from './killed.ts';
import { missingRows, type Rows, rowsOf } from './rows.ts';

const states = globSync(`${FIXTURES}*.json`)
  .map((path) => basename(path, '.json'))
  .sort();
const DATABASE = 'entrepot.sqlite';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'entrepot-upgrade-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('there is a folder of every schema that a program of ours has written', async () => {
  const manifests = await Promise.all(states.map(manifestOf));
  expect(manifests.map(({ migrations: of }) => of.length)).toEqual(expect.arrayContaining([1, 2, 3, 7]));
  const names = migrations.map(({ name }) => name);
  for (const manifest of manifests) expect(names).toEqual(expect.arrayContaining([...manifest.migrations]));
});

describe.each(states)('a data folder of the state %s', (state) => {
  let data: string;
  beforeEach(async () => {
    data = join(root, 'data');
    await unpack(state, data);
  });

  test('is served by this program as it was: every file, every resource, every pull', async () => {
    const manifest = await manifestOf(state);
    const server = await ServerProcess.launch({ data, alone: true });
    try {
      expect(server.token).toBe(ADMIN_TOKEN);
      const wrong = (await Promise.all(manifest.served.map((one) => difference(server.url, one)))).filter(Boolean);
      expect(wrong).toEqual([]);
      const { resources } = await server.manage<{ resources: object[] }>('GET', '/config');
      expect(resources).toEqual(expect.arrayContaining(manifest.resources.map((one) => expect.objectContaining(one))));
      const lost = async () => {
        const there = new Set((await server.pulls()).map(({ client = '' }) => client));
        return manifest.clients.filter((client) => !there.has(client));
      };
      await expect.poll(lost).toEqual([]);
    } finally {
      await server.stop();
    }
  });

  test('keeps every row that it had', async () => {
    const before = await rowsBefore(data);
    await (await openSqliteLedger(join(data, DATABASE))).close();
    expect([...before.values()].flat().length).toBeGreaterThan(50);
    expect(missingRows(before, rowsOf(join(data, DATABASE)))).toEqual([]);
  });
});

test.each([...new Set([states[0], states.at(-1)])])(
  'a database of the state %s is whole after a migration that was killed between any two of its statements',
  async (state = '') => {
    const data = join(root, 'data');
    await unpack(state, data);
    const path = join(data, DATABASE);
    const before = await rowsBefore(data);
    const pristine = join(root, 'pristine');
    await cp(data, pristine, { recursive: true });
    const statements = Number(await openKilled(path));
    const missing = migrations.length - (await manifestOf(state)).migrations.length;
    expect(statements).toBeGreaterThanOrEqual(missing * 4);
    for (let at = 1; at <= statements; at += 1) {
      await rm(data, { recursive: true });
      await cp(pristine, data, { recursive: true });
      expect(await openKilled(path, at)).toBe('killed');
      await (await openSqliteLedger(path)).close();
      expect([at, migrationsIn(path), missingRows(before, rowsOf(path))]).toEqual([
        at,
        migrations.map(({ name }) => name).sort(),
        [],
      ]);
    }
  },
  240_000,
);

test('a data folder of a newer program is refused in one readable line, and stays as it is', async () => {
  const data = join(root, 'data');
  await unpack(states.at(-1) ?? '', data);
  const path = join(data, DATABASE);
  await (await openSqliteLedger(path)).close();
  const database = new Database(path);
  database.prepare(`INSERT INTO schema_migration (timestamp, name) VALUES (9999999999999, 'Later9999999999999')`).run();
  database.close();
  const bytes = await readFile(path);
  const child = spawn(process.execPath, [BUILT_SERVER, '--listen', '127.0.0.1:0', '--data', data], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [said] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect(said).toBe(
    `entrepot: database file ${path} was written by a newer Entrepot (it has "Later9999999999999"): run that version, or restore a backup made before the upgrade\n`,
  );
  expect(child.exitCode).toBe(1);
  expect((await readFile(path)).equals(bytes)).toBe(true);
});

async function difference(url: string, { path, accept, sha256: digest }: Served): Promise<string | undefined> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, ...(accept === undefined ? {} : { accept }) };
  const answer = await fetch(`${url}${path}`, { headers });
  const body = new Uint8Array(await answer.arrayBuffer());
  if (answer.status !== 200) return `${path}: ${answer.status} ${Buffer.from(body).toString().slice(0, 300)}`;
  return digest === undefined || sha256(body) === digest ? undefined : `${path} has other bytes`;
}

/** Looked at in a copy: whoever opens the file goes through its log. */
async function rowsBefore(data: string): Promise<Rows> {
  const copy = join(root, 'copy');
  await cp(data, copy, { recursive: true });
  return rowsOf(join(copy, DATABASE));
}

function migrationsIn(path: string): string[] {
  const database = new Database(path);
  const rows = database.prepare('SELECT name FROM schema_migration ORDER BY id').all() as { name: string }[];
  database.close();
  return rows.map(({ name }) => name).sort();
}
