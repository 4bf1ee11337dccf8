import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteLedger } from '../../src/ledger/sqlite.ts';
import { copyTables, fingerprint } from '../../src/ledger/transfer/copy.ts';
import { makeSqliteDatabase } from '../../src/ledger/transfer/sqlite-database.ts';
import { openSqliteTables } from '../../src/ledger/transfer/sqlite-tables.ts';
import type { Table, TableWriter } from '../../src/ledger/transfer/table.ts';
import { finish, openTarget } from '../../src/ledger/transfer/target.ts';
import { filledTables } from '../support/filled-tables.ts';

let folder: string;
let tables: readonly Table[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrepot-copy-'));
  tables = await filledTables(join(folder, 'source.sqlite'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const target = (name: string, move = 'one') =>
  openTarget({ kind: 'sqlite', path: at(name) }, move, () => makeSqliteDatabase(at(name)));

async function expectSame(name: string): Promise<void> {
  const [source, copy] = [openSqliteTables(at('source.sqlite')), openSqliteTables(at(name))];
  for (const table of tables) expect(await fingerprint(copy, table)).toEqual(await fingerprint(source, table));
  for (const table of tables.filter(({ numbered }) => numbered)) expect(await copy.counter(table)).toBe(25_000);
  await source.close();
  await copy.close();
}

/** Stops after so many batches, as a process that is killed does. */
function stopping(writer: TableWriter, batches: number): TableWriter {
  let left = batches;
  return new Proxy(writer, {
    get: (object, name) => {
      const found = Reflect.get(object, name, object) as unknown;
      if (typeof found !== 'function') return found;
      return (...args: unknown[]) => {
        if (name === 'insert') {
          left -= 1;
          if (left < 0) throw new Error('killed');
        }
        return Reflect.apply(found, object, args);
      };
    },
  });
}

test('every table there is comes over with all of its rows and its counter', async () => {
  expect(tables.length).toBeGreaterThan(15);
  const [source, copy] = [openSqliteTables(at('source.sqlite')), await target('copy.sqlite')];
  const copied = await copyTables(source, copy);
  await finish({ kind: 'sqlite', path: at('copy.sqlite') }, 'one');
  expect(copied.map(({ name, rows }) => [name, rows])).toEqual(tables.map(({ name }) => [name, 2500]));
  await source.close();
  await copy.close();
  await expectSame('copy.sqlite');
});

test('broken off anywhere it goes on where it was, and no program starts on it before its end', async () => {
  for (const batches of [0, 3, 1, 8, 2, 13]) {
    const [source, copy] = [openSqliteTables(at('source.sqlite')), await target('copy.sqlite')];
    await expect(copyTables(source, stopping(copy, batches))).rejects.toThrow('killed');
    await source.close();
    await copy.close();
    await expect(openSqliteLedger(at('copy.sqlite'))).rejects.toThrow(/is the target of a move that is not through/);
  }
  const [source, copy] = [openSqliteTables(at('source.sqlite')), await target('copy.sqlite')];
  await copyTables(source, copy);
  await finish({ kind: 'sqlite', path: at('copy.sqlite') }, 'one');
  await source.close();
  await copy.close();
  await expectSame('copy.sqlite');
  await (await openSqliteLedger(at('copy.sqlite'))).close();
});

test('rows that changed while a copy was broken off are noticed, and copied anew', async () => {
  const first = [openSqliteTables(at('source.sqlite')), await target('copy.sqlite')] as const;
  await expect(copyTables(first[0], stopping(first[1], 30))).rejects.toThrow('killed');
  for (const each of first) await each.close();
  const changed = openSqliteTables(at('source.sqlite'), { readonly: false });
  const [alert] = tables as [Table];
  const rows = [];
  for await (const batch of changed.rows(alert)) rows.push(...batch);
  await changed.clear(alert);
  await changed.insert(alert, rows.slice(10));
  await changed.setCounter(alert, 25_000);
  await changed.close();
  const [source, copy] = [openSqliteTables(at('source.sqlite')), await target('copy.sqlite')];
  await copyTables(source, copy);
  await source.close();
  await copy.close();
  await expectSame('copy.sqlite');
});

test('a database with anything in it is no target, nor one of another move', async () => {
  await copyFile(at('source.sqlite'), at('used.sqlite'));
  await expect(target('used.sqlite')).rejects.toThrow(
    /used\.sqlite is not empty, it has a table "alert": give an empty/,
  );
  await (await target('begun.sqlite')).close();
  await expect(target('begun.sqlite', 'two')).rejects.toThrow(/target of another move that is not through/);
});

test('tables that only one side has are told, not left out', async () => {
  const { default: Database } = await import('better-sqlite3');
  const more = new Database(at('source.sqlite'));
  more.exec('CREATE TABLE "zebra" ("id" text NOT NULL PRIMARY KEY)');
  const [source, copy] = [openSqliteTables(at('source.sqlite')), await target('copy.sqlite')];
  await expect(copyTables(source, copy)).rejects.toThrow(/has no table "zebra", which .*source\.sqlite has/);
  await expect(copyTables(copy, source as TableWriter)).rejects.toThrow(
    /has a table "zebra" that .*copy\.sqlite has not/,
  );
  await source.close();
  more.exec('DROP TABLE "zebra"; ALTER TABLE "alert" ADD COLUMN "stripes" text');
  const again = openSqliteTables(at('source.sqlite'));
  await expect(copyTables(again, copy)).rejects.toThrow(/table "alert" of .* has another shape/);
  await again.close();
  more.exec('ALTER TABLE "alert" ADD COLUMN "weight" real');
  const last = openSqliteTables(at('source.sqlite'));
  await expect(last.tables()).rejects.toThrow(/alert\.weight has type REAL, which no copy/);
  more.close();
  await last.close();
  await copy.close();
});
