import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPostgresLedger } from '../../src/ledger/postgres.ts';
import { sha256 } from '../../src/space/fixtures.ts';
import { type PostgresServer, postgresMissing, startPostgres } from '../support/postgres.ts';

const PROCESS = fileURLToPath(new URL('./sweep-process.ts', import.meta.url));
const missing = postgresMissing();

describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(`on PostgreSQL ${missing ?? ''}`, () => {
  let server: PostgresServer;
  let folder: string;
  beforeAll(async () => {
    server = await startPostgres();
    folder = await mkdtemp(join(tmpdir(), 'entrepot-sweep-'));
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('processes that keep, evict and sweep the same bytes at once leave no row without its bytes', async () => {
    const url = await server.database();
    await (await openPostgresLedger(url)).close();
    const results = await Promise.all([1, 2].map((number) => run(url, folder, String(number), '12000')));
    for (const { objects, complaints } of results) {
      expect(complaints).toEqual([]);
      expect(objects).toBeGreaterThan(50);
    }
    expect(results.reduce((sum, { evicted }) => sum + evicted, 0)).toBeGreaterThan(0);

    const ledger = await openPostgresLedger(url);
    const rows = await ledger.objects({ repository: 'npm-public' }, { limit: 1000 });
    const blobs = new Map((await ledger.blobs({ limit: 1000 })).map((blob) => [blob.digest, blob]));
    expect(rows.length).toBeGreaterThan(0);
    for (const { digest, path } of rows) {
      expect(blobs.get(digest), path).toEqual({ digest, size: expect.any(Number) });
      const hex = digest.slice('sha256:'.length);
      const bytes = await readFile(join(folder, 'blobs', 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex));
      expect(sha256(bytes)).toBe(digest);
    }
    const found = await readdir(join(folder, 'blobs'), { recursive: true, withFileTypes: true });
    const strays = found.filter((entry) => entry.isFile() && !blobs.has(`sha256:${entry.name}`));
    expect(strays.map(({ name }) => name)).toEqual([]);
    await ledger.close();
  });
});

interface Result {
  readonly objects: number;
  readonly refused: number;
  readonly evicted: number;
  readonly complaints: readonly string[];
}

async function run(...given: readonly string[]): Promise<Result> {
  const args = ['--experimental-transform-types', '--no-warnings', PROCESS, ...given];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return JSON.parse(await text(child.stdout)) as Result;
}
