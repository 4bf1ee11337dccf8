import { makeSqliteDatabase } from '../../src/ledger/transfer/sqlite-database.ts';
import { openSqliteTables } from '../../src/ledger/transfer/sqlite-tables.ts';
import type { Cells, Column, Table, TableWriter } from '../../src/ledger/transfer/table.ts';

const ROWS = 2500;

/** A database file in which every table there is has rows, whatever tables there are. */
export async function filledTables(path: string, rows = ROWS): Promise<readonly Table[]> {
  await makeSqliteDatabase(path);
  const database = openSqliteTables(path, { readonly: false });
  try {
    const tables = await database.tables();
    for (const table of tables) await fill(database, table, rows);
    return tables;
  } finally {
    await database.close();
  }
}

async function fill(database: TableWriter, table: Table, rows: number): Promise<void> {
  await database.clear(table);
  const made: Cells[] = Array.from({ length: rows }, (_, row) =>
    table.columns.map((column) => cell(table, column, row)),
  );
  await database.insert(table, made);
  // Numbers are not given twice, also when the rows that had the last ones are gone.
  if (table.numbered) await database.setCounter(table, 10 * rows);
}

function cell({ name, key }: Table, column: Column, row: number): string | number | boolean {
  if (column.type === 'boolean') return row % 3 === 0;
  if (column.type === 'integer') return key.includes(column.name) ? row + 1 : 1_700_000_000_000 + 7 * row;
  // In an order that no collation for people has, with what JSON and SQL escape.
  return `${['Z', 'a', 'é', '\u{1F600}', '"', "'", '\\', '\n'][row % 8]}${column.name}/${name}-${row}`;
}
