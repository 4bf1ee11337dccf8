import Database from 'better-sqlite3';
import { storable } from '../bulk.ts';
import { MIGRATIONS_TABLE } from '../database.ts';
import { ledgerFailure } from '../failure.ts';
import { BATCH, type Cell, type Cells, quoted, type Table, type TableWriter, typeOf } from './table.ts';

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  /** Position in the primary key, from 1; 0: it is none of it. */
  readonly pk: number;
}

/** The tables of a database file; the file must be there. Throws `LedgerError`. */
export function openSqliteTables(path: string, { readonly = true } = {}): TableWriter {
  try {
    const database = new Database(path, { readonly, fileMustExist: true, timeout: 5000 });
    if (readonly) database.exec('BEGIN');
    return new SqliteTables(path, database);
  } catch (error) {
    throw failure(error, path);
  }
}

/** Opened to read, it sees one moment. */
class SqliteTables implements TableWriter {
  readonly name: string;
  readonly #database: Database.Database;

  constructor(path: string, database: Database.Database) {
    this.name = path;
    this.#database = database;
  }

  async tables(): Promise<readonly Table[]> {
    const names = this.#all<{ name: string; sql: string }>(
      `SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> ? ORDER BY name`,
      MIGRATIONS_TABLE,
    );
    return names.map(({ name, sql }) => {
      const columns = this.#all<ColumnRow>('SELECT name, type, pk FROM pragma_table_info(?) ORDER BY name', name);
      const key = columns.filter(({ pk }) => pk > 0).sort((one, other) => one.pk - other.pk);
      return {
        name,
        columns: columns.map((column) => ({
          name: column.name,
          type: typeOf(column.type, `${name}.${column.name}`),
        })),
        key: key.map((column) => column.name),
        numbered: /\bAUTOINCREMENT\b/i.test(sql),
      };
    });
  }

  async migrations(): Promise<readonly string[]> {
    const there = this.#all("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", MIGRATIONS_TABLE);
    if (there.length === 0) return [];
    return this.#all<{ name: string }>(`SELECT name FROM "${MIGRATIONS_TABLE}" ORDER BY timestamp, name`).map(
      ({ name }) => name,
    );
  }

  async count({ name }: Table): Promise<number> {
    return this.#all<{ count: number }>(`SELECT COUNT(*) AS count FROM "${name}"`)[0]?.count ?? 0;
  }

  async *rows(table: Table, after?: Cells): AsyncIterable<readonly Cells[]> {
    const { name, columns, key } = table;
    const markers = key.map(() => '?').join(', ');
    const from = after ? `WHERE (${quoted(key)}) > (${markers})` : '';
    const statement = this.#database
      .prepare(`SELECT ${quoted(columns.map((column) => column.name))} FROM "${name}" ${from} ORDER BY ${quoted(key)}`)
      .raw();
    let [batch, characters]: [Cells[], number] = [[], 0];
    for (const row of statement.iterate(...(after ?? [])) as IterableIterator<Cell[]>) {
      const cells = row.map((cell, at) =>
        columns[at]?.type === 'boolean' && cell !== null ? cell !== 0 : (storable(cell) ?? null),
      );
      batch.push(cells);
      for (const cell of cells) if (typeof cell === 'string') characters += cell.length;
      if (batch.length < BATCH.rows && characters < BATCH.characters) continue;
      yield batch;
      [batch, characters] = [[], 0];
    }
    if (batch.length > 0) yield batch;
  }

  async counter({ name }: Table): Promise<number> {
    return this.#all<{ seq: number }>('SELECT seq FROM sqlite_sequence WHERE name = ?', name)[0]?.seq ?? 0;
  }

  async insert({ name, columns }: Table, rows: readonly Cells[]): Promise<void> {
    const markers = columns.map(() => '?').join(', ');
    const names = quoted(columns.map((column) => column.name));
    const statement = this.#database.prepare(`INSERT INTO "${name}" (${names}) VALUES (${markers})`);
    this.#writing(() => {
      for (const row of rows) statement.run(row.map((cell) => (typeof cell === 'boolean' ? Number(cell) : cell)));
    });
  }

  async last({ name, key }: Table): Promise<Cells | undefined> {
    const order = key.map((column) => `"${column}" DESC`).join(', ');
    return this.#database
      .prepare(`SELECT ${quoted(key)} FROM "${name}" ORDER BY ${order} LIMIT 1`)
      .raw()
      .get() as Cells | undefined;
  }

  async clear({ name }: Table): Promise<void> {
    this.#writing(() => this.#database.prepare(`DELETE FROM "${name}"`).run());
  }

  async setCounter({ name }: Table, last: number): Promise<void> {
    this.#writing(() => {
      this.#database.prepare('DELETE FROM sqlite_sequence WHERE name = ?').run(name);
      this.#database.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(name, last);
    });
  }

  async mark(name: string): Promise<void> {
    this.#writing(() =>
      this.#database.prepare(`INSERT INTO "${MIGRATIONS_TABLE}" (timestamp, name) VALUES (0, ?)`).run(name),
    );
  }

  async unmark(name: string): Promise<void> {
    this.#writing(() => this.#database.prepare(`DELETE FROM "${MIGRATIONS_TABLE}" WHERE name = ?`).run(name));
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #all<Row>(statement: string, ...values: readonly Cell[]): Row[] {
    try {
      return this.#database.prepare(statement).all(...values) as Row[];
    } catch (error) {
      throw failure(error, this.name);
    }
  }

  #writing(work: () => void): void {
    try {
      this.#database.transaction(work).immediate();
    } catch (error) {
      throw failure(error, this.name);
    }
  }
}

function failure(error: unknown, name: string): Error {
  return ledgerFailure(error, { name, kind: 'sqlite' });
}
