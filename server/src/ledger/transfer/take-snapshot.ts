import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import Database from 'better-sqlite3';
import { ledgerFailure } from '../failure.ts';
import type { SnapshotRequest, SnapshotTaken } from '../snapshot.ts';
import { copyTables } from './copy.ts';
import { openPostgresTables } from './postgres-tables.ts';
import { makeSqliteDatabase } from './sqlite-database.ts';
import { openSqliteTables } from './sqlite-tables.ts';

/** A megabyte at a time, and a moment for the others in between. */
const PAGES = 256;
const PAUSE_MS = 1;
const LINES = 1_000_000;

/** Writes the database file and the list of blobs, both of one moment. Throws `LedgerError`. */
export async function takeSnapshot({ from, database, blobs }: SnapshotRequest): Promise<SnapshotTaken> {
  if (from.kind === 'sqlite') await copyFile(from.path, database);
  else await copyServer(from.url, database);
  const tables = openSqliteTables(database);
  try {
    const counts: Record<string, number> = {};
    for (const table of await tables.tables()) counts[table.name] = await tables.count(table);
    return { tables: counts, migrations: await tables.migrations(), ...(await listed(database, blobs)) };
  } finally {
    await tables.close();
  }
}

/**
 * The pages as they are, by SQLite's online backup. The transaction that is open meanwhile keeps them at one moment: writers
 * go on, and never make it begin anew.
 */
async function copyFile(path: string, to: string): Promise<void> {
  let source: Database.Database | undefined;
  try {
    source = new Database(path, { fileMustExist: true, readonly: true, timeout: 5000 });
    source.exec('BEGIN');
    source.prepare('SELECT COUNT(*) FROM sqlite_schema').get();
    const clock = new Int32Array(new SharedArrayBuffer(4));
    await source.backup(to, {
      progress: () => {
        Atomics.wait(clock, 0, 0, PAUSE_MS);
        return PAGES;
      },
    });
  } catch (error) {
    throw ledgerFailure(error, { name: path, kind: 'sqlite' });
  } finally {
    source?.close();
  }
}

/** Row by row, read in one transaction: the copy is a file whatever the database is. */
async function copyServer(url: string, to: string): Promise<void> {
  await makeSqliteDatabase(to);
  const [from, into] = [await openPostgresTables(url), openSqliteTables(to, { readonly: false })];
  try {
    for (const table of await into.tables()) await into.clear(table);
    await copyTables(from, into);
  } finally {
    await into.close();
    await from.close();
  }
}

/** One line a blob that an object means, in order of digest. */
async function listed(
  path: string,
  to: string,
): Promise<Pick<SnapshotTaken, 'blobs' | 'resources' | 'positions' | 'facts'>> {
  const database = new Database(path, { readonly: true });
  const file = await open(to, 'wx', 0o600);
  try {
    const columns = database.prepare("SELECT name FROM pragma_table_info('object')").pluck().all() as string[];
    // A database of the first release says of no object that its upstream took it back.
    const gone = columns.includes('retracted_at') ? ' OR "retracted_at" IS NOT NULL' : '';
    const statement = database.prepare(
      `SELECT "digest", MAX("size") AS "size", MAX("upstream" = ''${gone}) AS "only" FROM "object" GROUP BY "digest" ORDER BY "digest"`,
    );
    const hash = createHash('sha256');
    const totals = { count: 0, bytes: 0, only: 0, onlyBytes: 0 };
    let lines = '';
    const flush = async (): Promise<void> => {
      hash.update(lines);
      await file.writeFile(lines);
      lines = '';
    };
    for (const row of statement.iterate() as IterableIterator<{ digest: string; size: number; only: number }>) {
      totals.count += 1;
      totals.bytes += row.size;
      if (row.only) {
        totals.only += 1;
        totals.onlyBytes += row.size;
      }
      lines += `${JSON.stringify({ digest: row.digest, size: row.size, fetchable: row.only === 0 })}\n`;
      if (lines.length >= LINES) await flush();
    }
    await flush();
    const resources = database
      .prepare('SELECT "kind", "name", "spec" FROM "resource" WHERE NOT "retiring" ORDER BY "kind", "name"')
      .all() as { kind: string; name: string; spec: string }[];
    const pairs = (text: string): object => Object.fromEntries(database.prepare(text).raw().all() as [string, never][]);
    return {
      blobs: totals,
      resources,
      positions: pairs('SELECT "segment", "loaded" FROM "journal_position"') as Record<string, number>,
      facts: pairs('SELECT "key", "value" FROM "fact"') as Record<string, string>,
    };
  } finally {
    await file.close();
    database.close();
  }
}
