import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ledgerContract } from './ledger.contract.ts';
import { objectRow, pullRow } from './samples.ts';
import { openSqliteLedger } from './sqlite.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'entrepot-ledger-'));
});
afterAll(() => rm(root, { recursive: true }));

const file = async (): Promise<string> => join(await mkdtemp(join(root, 'data-')), 'entrepot.db');

ledgerContract('SQLite', async () => {
  const path = await file();
  const ledger = await openSqliteLedger(path);
  return {
    ledger,
    rows: async <Row>(statement: string) => {
      const database = new Database(path, { readonly: true });
      const rows = database.prepare(statement).all() as Row[];
      database.close();
      return rows;
    },
    again: () => openSqliteLedger(path),
    close: () => ledger.close(),
  };
});

describe('the file', () => {
  test('is made with its folder, and alone again when the ledger is closed', async () => {
    const path = join(root, 'new', 'folder', 'entrepot.db');
    const ledger = await openSqliteLedger(path);
    await ledger.check();
    await ledger.close();
    expect(await readdir(join(root, 'new', 'folder'))).toEqual(['entrepot.db']);
  });

  test.each([
    ['rubbish', async (path: string) => writeFile(path, 'rubbish'.repeat(1000)), /damaged.*restore a backup/],
    ['of a newer program', newer, /newer Entrepot .*"Later2".*run that version/],
    ['under a path that is no folder', async () => {}, /cannot be opened: check that its folder exists/],
  ] as const)('%s is refused in one line that names it', async (what, make, message) => {
    const path = what.includes('no folder') ? '/dev/null/entrepot.db' : await file();
    await make(path);
    const refused = openSqliteLedger(path);
    await expect(refused).rejects.toMatchObject({ name: 'LedgerError', message: expect.stringMatching(message) });
    await expect(refused).rejects.toMatchObject({ message: expect.stringContaining(path) });
    await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining('\n') });
  });

  test('damaged in the middle says so when it is read, and the ledger can still be closed', async () => {
    const path = await file();
    const first = await openSqliteLedger(path);
    await first.loadPulls(
      Array.from({ length: 2000 }, (_, n) => pullRow(n)),
      { segment: 's', offset: 1 },
    );
    await first.close();
    const handle = await open(path, 'r+');
    const { size } = await handle.stat();
    await handle.write(Buffer.alloc(size - 40_000, 0xff), 0, size - 40_000, 20_000);
    await handle.close();
    await expect(useAll(path)).rejects.toMatchObject({
      name: 'LedgerError',
      message: expect.stringMatching(/database file .*entrepot\.db is damaged/),
    });
  });

  test('locked by another process says so', async () => {
    const path = await file();
    const ledger = await openSqliteLedger(path, { busyTimeout: 20 });
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(ledger.recordObject(objectRow())).rejects.toMatchObject({
      name: 'LedgerError',
      message: expect.stringMatching(/is locked by another process: is another Entrepot/),
    });
    other.exec('ROLLBACK');
    other.close();
    await ledger.recordObject(objectRow());
    await ledger.close();
  });

  test('a closed ledger refuses and does not hang', async () => {
    const path = await file();
    const ledger = await openSqliteLedger(path);
    await ledger.close();
    await expect(ledger.stats()).rejects.toMatchObject({ name: 'LedgerError' });
    await ledger.close();
  });
});

async function useAll(path: string): Promise<void> {
  const ledger = await openSqliteLedger(path);
  try {
    await ledger.pulls({}, { limit: 5000 });
    await ledger.stats();
    await ledger.recordObject(objectRow());
  } finally {
    await ledger.close();
  }
}

async function newer(path: string): Promise<void> {
  await (await openSqliteLedger(path)).close();
  const database = new Database(path);
  database.prepare(`INSERT INTO schema_migration (timestamp, name) VALUES (2, 'Later2')`).run();
  database.close();
}
