import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openPostgresLedger } from '../../src/ledger/postgres.ts';
import { copyTables, fingerprint } from '../../src/ledger/transfer/copy.ts';
import { openPostgresTables } from '../../src/ledger/transfer/postgres-tables.ts';
import { makeSqliteDatabase } from '../../src/ledger/transfer/sqlite-database.ts';
import { openSqliteTables } from '../../src/ledger/transfer/sqlite-tables.ts';
import { finish, openTarget } from '../../src/ledger/transfer/target.ts';
import { commandLine, type Ended } from '../support/command-line.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { filledTables } from '../support/filled-tables.ts';
import { type PostgresServer, postgresMissing, startPostgres, statement, statementNow } from '../support/postgres.ts';
import { type Radosgw, radosgwMissing, startRadosgw } from '../support/radosgw.ts';
import { TestServer } from '../support/test-server.ts';

const missing = postgresMissing() ?? radosgwMissing();
const SECRET_KEY = 'a-secret-key-of-forty-characters-or-more';

/** Where continuous integration runs, a missing server is a failure; elsewhere the suite says why it did not run. */
describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(
  `moving to PostgreSQL and S3 ${missing ?? ''}`,
  () => {
    let postgres: PostgresServer;
    let s3: Radosgw;
    beforeAll(async () => {
      [postgres, s3] = await Promise.all([startPostgres(), startRadosgw()]);
    });
    afterAll(async () => {
      await postgres?.stop();
      await s3?.stop();
    });

    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'entrepot-move-'));
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));

    test('every table that either database has comes over and back, with its rows and its counter', async () => {
      const tables = await filledTables(join(folder, 'source.sqlite'), 1700);
      const at = { kind: 'postgres', url: await postgres.database() } as const;
      const source = openSqliteTables(join(folder, 'source.sqlite'));
      const middle = await openTarget(at, 'one', async () => (await openPostgresLedger(at.url)).close());
      expect(await middle.tables()).toEqual(tables);
      await copyTables(source, middle);
      await middle.close();
      await finish(at, 'one');
      const back = { kind: 'sqlite', path: join(folder, 'back.sqlite') } as const;
      const [again, target] = [
        await openPostgresTables(at.url),
        await openTarget(back, 'two', () => makeSqliteDatabase(back.path)),
      ];
      await copyTables(again, target);
      for (const table of tables) expect(await fingerprint(target, table)).toEqual(await fingerprint(source, table));
      for (const table of tables.filter(({ numbered }) => numbered)) {
        expect([await again.counter(table), await target.counter(table)]).toEqual([17_000, 17_000]);
      }
      for (const each of [source, again, target]) await each.close();
      const [row] = await statement<{ id: number }>(
        at.url,
        `INSERT INTO event (kind, at, repository, details) VALUES ('k', 1, 'r', '{}') RETURNING id`,
      );
      expect(Number(row?.id)).toBe(17_001);
    });

    test('a copy that a lost connection broke off goes on, and no server starts on it before its end', async () => {
      await filledTables(join(folder, 'source.sqlite'));
      const at = { kind: 'postgres', url: await postgres.database() } as const;
      const make = async () => (await openPostgresLedger(at.url)).close();
      const source = openSqliteTables(join(folder, 'source.sqlite'));
      const first = await openTarget(at, 'one', make);
      const broken = copyTables(source, first, ({ table }) => {
        if (table === 'object') statementNow(at.url, CUT);
      });
      await expect(broken).rejects.toMatchObject({ name: 'LedgerError' });
      await first.close();
      await expect(openPostgresLedger(at.url)).rejects.toThrow(/is the target of a move that is not through/);
      const second = await openTarget(at, 'one', make);
      const copied = await copyTables(source, second);
      expect(copied.find(({ name }) => name === 'pull')?.rows).toBe(2500);
      await finish(at, 'one');
      await second.close();
      await source.close();
      await make();
    });

    test('a database with other tables, that is not there, or a bucket that is not, is refused with one line', async () => {
      const server = await TestServer.start({ data: join(folder, 'data') });
      await server.stop();
      const used = await postgres.database();
      await statement(used, 'CREATE TABLE cars (id integer PRIMARY KEY)');
      const refused = async (...to: string[]): Promise<string> => {
        const { code, out, err } = await move(...to);
        expect([code, out]).toEqual([1, '']);
        expect(err).toMatch(/^entrepot: [^\n]+\n$/);
        expect(err).not.toContain('secret-word');
        return err;
      };
      const withPassword = (url: string) => url.replace('entrepot@', 'entrepot:secret-word@');
      expect(await refused('--to-database', withPassword(used))).toMatch(
        /is not empty, it has a table "cars": give an empty/,
      );
      expect(await refused('--to-database', withPassword(`${used}x`))).toMatch(
        /does not exist on that server: create it/,
      );
      expect(await refused('--to-storage', s3.url('no-such-bucket'))).toMatch(/no-such-bucket/);
      const filled = await postgres.database();
      await (await openPostgresLedger(filled)).close();
      await statement(filled, `INSERT INTO resource VALUES ('k', 'n', '{}', 1, 'api', false, 1, 1)`);
      expect(await refused('--to-database', filled)).toMatch(/is not empty, it has a table "resource"/);
      const keyless = await move('--to-database', used, '--no-key');
      expect(keyless.err).toMatch(/set secret_key/);
    });

    test('there and back it serves the same bytes, with the same token, pulls, decisions, alerts and packages', async () => {
      const upstream = await FakeUpstream.start();
      const served = new Map<string, Buffer>();
      const before = await TestServer.start({ data: join(folder, 'data') });
      await before.remote('files', 'generic', upstream.url);
      await before.put('/api/v2/hosted/own', { format: 'generic' });
      await before.virtual('all', 'generic', ['own', 'files']);
      await before.put('/api/v2/blocks/bad', { packages: ['pkg:generic/evil'], reason: 'it is evil' });
      for (let count = 0; count < 12; count += 1) {
        const [path, bytes] = [`tool-1.0.${count}.zip`, randomBytes(count === 3 ? 9_000_000 : 30_000)];
        upstream.respond(`/${path}`, { body: bytes });
        served.set(`all/${path}`, bytes);
        await (await fetch(`${before.url}/all/${path}`)).arrayBuffer();
      }
      const headers = { authorization: `Bearer ${before.token}` };
      served.set('all/box-1.0.tar.gz', randomBytes(50_000));
      const body = new Uint8Array(served.get('all/box-1.0.tar.gz') as Buffer);
      await fetch(`${before.url}/own/box-1.0.tar.gz`, { method: 'PUT', headers, body });
      const kept = await shownBy(before);
      await before.stop();
      await upstream.down();

      const database = await postgres.database();
      const bucket = s3.url(await s3.bucket());
      const moved = await move('--to-database', database, '--to-storage', bucket);
      expect(moved).toMatchObject({ code: 0, err: '' });
      expect(moved.out).toContain('13 blobs copied, 9.4 MB; 0 were there');
      expect(moved.out).not.toContain(s3.secretKey);
      await rm(join(folder, 'data'), { recursive: true });

      // On another machine: nothing of the data folder is there.
      const settings = { database_url: database, storage_url: bucket, secret_key: SECRET_KEY };
      const there = await TestServer.start({ data: join(folder, 'other'), settings });
      expect(there.token).toBe(before.token);
      expect(await shownBy(there)).toEqual(kept);
      await expectServed(there, served);
      const later = await shownBy(there);
      await there.stop();

      const back = await commandLine(
        [
          ...['move', '--data', join(folder, 'other'), '--database-url', database, '--storage-url', bucket],
          ...['--to-database', 'sqlite:', '--to-storage', 'file:'],
        ],
        { cwd: folder, env: { ENTREPOT_SECRET_KEY: SECRET_KEY } },
      );
      expect(back).toMatchObject({ code: 0, err: '' });
      const home = await TestServer.start({ data: join(folder, 'other'), settings: { secret_key: SECRET_KEY } });
      expect(home.token).toBe(before.token);
      expect(await shownBy(home)).toEqual(later);
      await expectServed(home, served);
      await home.stop();
      await upstream.stop();
    });

    function move(...flags: readonly string[]): Promise<Ended> {
      const key = flags.includes('--no-key') ? {} : { ENTREPOT_SECRET_KEY: SECRET_KEY };
      const given = flags.filter((flag) => flag !== '--no-key');
      return commandLine(['move', '--data', join(folder, 'data'), ...given], { cwd: folder, env: key });
    }
  },
);

const CUT = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;

/** What an administrator sees of an installation. */
async function shownBy(server: TestServer): Promise<unknown> {
  const paths = ['pulls?limit=1000', 'decisions', 'alerts', 'config', 'remotes/files/objects', 'hosted/own/objects'];
  const found: Record<string, unknown> = {};
  for (const path of paths) found[path] = (await server.get(`/api/v2/${path}`)).body;
  return JSON.parse(JSON.stringify(found).replaceAll(server.url, 'http://server'));
}

async function expectServed(server: TestServer, served: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [path, bytes] of served) {
    const answer = await fetch(`${server.url}/${path}`);
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes), path).toBe(true);
  }
}
