import Database from 'better-sqlite3';
import { codeOf, ledgerFailure } from './failure.ts';
import { LedgerError } from './ledger.ts';

export interface Prepared {
  /** What only the secret key opens, by name. */
  readonly sealed: Readonly<Record<string, string>>;
}

/**
 * A database file from a backup, made ready to be used: looked at by SQLite itself, without places in segments that are not
 * there any more. `newKeys`: also without what is sealed. Throws `LedgerError`.
 */
export async function prepareRestored(path: string, { newKeys }: { readonly newKeys: boolean }): Promise<Prepared> {
  const database = new Database(path, { fileMustExist: true });
  try {
    const [found] = database.pragma('quick_check(1)') as { quick_check: string }[];
    if (found?.quick_check !== 'ok') throw new Error(found?.quick_check ?? 'it says nothing');
    database.exec('DELETE FROM "journal_position"');
    if (newKeys) database.exec(`DELETE FROM "fact" WHERE "key" LIKE 'sealed.%'`);
    const rows = database.prepare(`SELECT "key", "value" FROM "fact" WHERE "key" LIKE 'sealed.%'`).raw().all();
    return { sealed: Object.fromEntries(rows as [string, string][]) };
  } catch (error) {
    if (/^SQLITE_(FULL|IOERR|READONLY)/.test(codeOf(error))) throw ledgerFailure(error, { name: path, kind: 'sqlite' });
    const why = error instanceof Error ? error.message : String(error);
    throw new LedgerError(`the database in the backup is damaged (${why})`, { cause: error });
  } finally {
    database.close();
  }
}
