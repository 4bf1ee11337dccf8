import { stat } from 'node:fs/promises';
import { UNFINISHED } from '../database.ts';
import { LedgerError } from '../ledger.ts';
import { openPostgresTables } from './postgres-tables.ts';
import { openSqliteTables } from './sqlite-tables.ts';
import type { Table, TableReader, TableWriter } from './table.ts';

/** As the settings say it. */
export type DatabaseAt =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string };

export function openSource(at: DatabaseAt): Promise<TableReader> {
  return openTables(at, true);
}

/**
 * A database that rows are copied into: an empty one, or one that an earlier try of the same `move` began to fill. `make`
 * makes the tables. Until `finish` is called, no program starts on it. Throws `LedgerError` for any other.
 */
export async function openTarget(at: DatabaseAt, move: string, make: () => Promise<void>): Promise<TableWriter> {
  if (at.kind === 'sqlite' && !(await isThere(at.path))) await make();
  const mark = `${UNFINISHED}${move}`;
  const found = await openTables(at, false);
  try {
    const names = await found.migrations();
    if (names.includes(mark)) return found;
    if (names.some((name) => name.startsWith(UNFINISHED))) {
      throw new LedgerError(`${found.name} is the target of another move that is not through: give an empty database`);
    }
    await requireEmpty(found, names.length > 0);
  } catch (error) {
    await found.close();
    throw error;
  }
  await found.close();
  await make();
  const made = await openTables(at, false);
  try {
    await made.mark(mark);
    // What migrations put there is in the source too.
    for (const table of await made.tables()) await made.clear(table);
    return made;
  } catch (error) {
    await made.close();
    throw error;
  }
}

/** Programs may start on it from now on. */
export async function finish(at: DatabaseAt, move: string): Promise<void> {
  const target = await openTables(at, false);
  try {
    await target.unmark(`${UNFINISHED}${move}`);
  } finally {
    await target.close();
  }
}

/** A process that was killed may have left tables, with nothing in them but what migrations say. */
async function requireEmpty(target: TableReader, ours: boolean): Promise<void> {
  const tables = await target.tables();
  const used = async (table: Table): Promise<boolean> =>
    !ours || (table.name !== 'fact' && (await target.count(table)) > 0);
  for (const table of tables) {
    if (await used(table)) {
      throw new LedgerError(`${target.name} is not empty, it has a table "${table.name}": give an empty database`);
    }
  }
}

async function openTables(at: DatabaseAt, readonly: boolean): Promise<TableWriter> {
  return at.kind === 'sqlite' ? openSqliteTables(at.path, { readonly }) : openPostgresTables(at.url, { readonly });
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
