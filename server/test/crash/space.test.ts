import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HOUR, install, sha256 } from '../../src/space/fixtures.ts';

const STEPS = fileURLToPath(new URL('./space-steps.ts', import.meta.url));

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'entrepot-killed-'));
});
afterEach(() => rm(data, { recursive: true, force: true }));

/** The signal that ended it; null: it came to its end. */
async function run(...given: readonly string[]): Promise<NodeJS.Signals | null> {
  const args = ['--experimental-transform-types', '--no-warnings', STEPS, data, ...given];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal;
}

/** Names of all files that are kept as blobs. */
async function files(): Promise<string[]> {
  const found = await readdir(join(data, 'blobs'), { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map(({ name }) => `sha256:${name}`);
}

test.each([
  ['while a blob is on its way to its name', 'store', 'begin', 12, 'after'],
  ['before a stored blob is on record', 'ledger', 'recordObject', 12, 'before'],
  ['right after an object is on record', 'ledger', 'recordObject', 12, 'after'],
  ['before rows are evicted', 'ledger', 'evict', 1, 'before'],
  ['after rows are evicted, before their blobs are', 'ledger', 'evict', 1, 'after'],
  ['between the blobs of one eviction', 'store', 'delete', 4, 'before'],
  ['after a blob is deleted, before that is on record', 'ledger', 'buried', 1, 'before'],
  ['right after the deletion is on record', 'ledger', 'buried', 1, 'after'],
  ['before the least recently used are evicted', 'ledger', 'evictUnused', 1, 'before'],
  ['after the least recently used are evicted, before their blobs are', 'ledger', 'evictUnused', 1, 'after'],
  ['after orphans are condemned, before they are deleted', 'ledger', 'condemn', 1, 'after'],
] as const)(
  'killed %s it leaves no row without its bytes, and what is left over goes',
  async (_, part, method, times, when) => {
    expect(await run(part, method, String(times), when)).toBe('SIGKILL');
    const installed = await install({ data });
    try {
      installed.clock.now += 48 * HOUR;
      await installed.space.look();
      const rows = await installed.ledger.objects({ repository: 'npm-public' }, { limit: 100 });
      const there = await files();
      expect([...new Set(there)].sort()).toEqual([...new Set(rows.map(({ digest }) => digest))].sort());
      for (const { digest } of rows) expect(sha256(await readFile(installed.fileOf(digest)))).toBe(digest);
      expect(await readdir(join(data, 'tmp'))).toEqual([]);
      expect(await installed.ledger.dying(Number.MAX_SAFE_INTEGER, 100)).toEqual([]);
      await installed.keep('again', Buffer.from('it goes on'));
      expect(await installed.objects.get('npm-public', 'again')).toBeDefined();
    } finally {
      await installed.close();
    }
  },
);

test('the same steps come to their end when nobody interferes', async () => {
  expect(await run('nothing', 'nothing', '1', 'before')).toBe(null);
});
