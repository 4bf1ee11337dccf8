import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, globSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { commandLine } from '../support/command-line.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { type PostgresServer, postgresMissing, startPostgres } from '../support/postgres.ts';
import { shellBlocks } from '../support/shell-blocks.ts';
import { TestServer } from '../support/test-server.ts';

const PAGE = fileURLToPath(new URL('../../../docs/backup.md', import.meta.url));
const SECRET_KEY = 'a-secret-key-of-forty-characters-or-more';
const PATH = [process.env['PATH'] ?? '', ...globSync('/usr/lib/postgresql/*/bin').sort().reverse()].join(delimiter);
const run = promisify(execFile);

const missing =
  postgresMissing() ??
  (PATH.split(delimiter).some((folder) => existsSync(join(folder, 'pg_dump'))) ? undefined : 'pg_dump is not there');

/** Where continuous integration runs, a missing program is a failure; elsewhere the suite says why it did not run. */
describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(
  `a backup of PostgreSQL ${missing ?? ''}`,
  () => {
    let postgres: PostgresServer;
    let upstream: FakeUpstream;
    let folder: string;
    let server: TestServer;
    let url: string;
    const served = new Map<string, Buffer>();
    beforeAll(async () => {
      postgres = await startPostgres();
    });
    afterAll(() => postgres?.stop());

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'entrepot-dump-'));
      upstream = await FakeUpstream.start();
      url = await postgres.database();
      const settings = { database_url: url, secret_key: SECRET_KEY };
      server = await TestServer.start({ data: join(folder, 'data'), settings });
      served.clear();
      await server.remote('files', 'generic', upstream.url);
      await server.put('/api/v2/hosted/own', { format: 'generic' });
      await server.virtual('all', 'generic', ['own', 'files']);
      for (let count = 0; count < 10; count += 1) {
        const [path, bytes] = [`tool-1.0.${count}.zip`, randomBytes(20_000)];
        upstream.respond(`/${path}`, { body: bytes });
        served.set(`all/${path}`, bytes);
        await (await fetch(`${server.url}/all/${path}`)).arrayBuffer();
      }
      served.set('all/box-1.0.tar.gz', randomBytes(30_000));
      const headers = { authorization: `Bearer ${server.token}` };
      const body = new Uint8Array(served.get('all/box-1.0.tar.gz') as Buffer);
      await fetch(`${server.url}/own/box-1.0.tar.gz`, { method: 'PUT', headers, body });
      return async () => {
        await server.stop();
        await upstream.stop();
        await rm(folder, { recursive: true, force: true });
      };
    });

    test('by the recipe of docs/backup.md it comes back into an empty database', async () => {
      const pulls = await pullsOf(server);
      expect(pulls).toHaveLength(10);
      const [dump = '', restore = ''] = shellBlocks(await readFile(PAGE, 'utf8'), 'PostgreSQL');
      await shell(dump, url);
      const other = await postgres.database();
      await shell(restore, other);
      await server.stop();
      await upstream.down();
      const again = await TestServer.start({
        data: join(folder, 'other'),
        settings: { database_url: other, secret_key: SECRET_KEY, storage_url: `file:${join(folder, 'data')}` },
      });
      try {
        await expectSame(again, pulls);
        const { body } = await again.get('/api/v2/config');
        expect(body.resources).toHaveLength(3);
      } finally {
        await again.stop();
      }
    });

    test('by entrepot backup it becomes a file, and goes back to PostgreSQL by a move', async () => {
      const pulls = await pullsOf(server);
      const made = await commandLine(['backup', 'b.tar.zst', '--with-blobs', 'all'], {
        cwd: folder,
        env: { ENTREPOT_URL: server.url, ENTREPOT_TOKEN: server.token },
      });
      expect(made).toMatchObject({ code: 0, err: '' });
      await server.stop();
      await upstream.down();
      const env = { ENTREPOT_SECRET_KEY: SECRET_KEY };
      const restored = await commandLine(['restore', 'b.tar.zst', '--data', 'restored'], { cwd: folder, env });
      expect(restored).toMatchObject({ code: 0, err: '' });
      const refused = await commandLine(
        ['restore', 'b.tar.zst', '--data', 'restored', '--database-url', await postgres.database()],
        { cwd: folder, env },
      );
      expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('is restored into a data folder') });
      const other = await postgres.database();
      const moved = await commandLine(['move', '--data', 'restored', '--to-database', other], { cwd: folder, env });
      expect(moved).toMatchObject({ code: 0, err: '' });
      const settings = { database_url: other, secret_key: SECRET_KEY };
      const again = await TestServer.start({ data: join(folder, 'restored'), settings });
      try {
        await expectSame(again, pulls);
      } finally {
        await again.stop();
      }
    });

    async function expectSame(again: TestServer, pulls: readonly string[]): Promise<void> {
      expect(again.token).toBe(server.token);
      expect(await pullsOf(again)).toEqual(pulls);
      for (const [path, bytes] of served) {
        const answer = await fetch(`${again.url}/${path}`);
        expect(Buffer.from(await answer.arrayBuffer()).equals(bytes), path).toBe(true);
      }
    }

    async function shell(script: string, url: string): Promise<void> {
      await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env: { PATH, ENTREPOT_DATABASE_URL: url } });
    }
  },
);

async function pullsOf(server: TestServer): Promise<string[]> {
  const { body } = await server.get('/api/v2/pulls?limit=1000');
  return body.items.map(({ id }: { id: string }) => id);
}
