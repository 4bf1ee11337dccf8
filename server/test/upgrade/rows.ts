import Database from 'better-sqlite3';

export type Row = Readonly<Record<string, unknown>>;
/** By table. */
export type Rows = ReadonlyMap<string, readonly Row[]>;

/** Of the database's own working: counters, and how far a journal was read. */
const PASSING = new Set(['schema_migration', 'fact', 'journal_position']);

/** What is on record in an SQLite file. */
export function rowsOf(path: string): Rows {
  const database = new Database(path);
  try {
    const tables = database
      .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
      .all() as { name: string }[];
    return new Map(
      tables
        .filter(({ name }) => !PASSING.has(name))
        .map(({ name }) => [name, database.prepare(`SELECT * FROM "${name}"`).all() as Row[]]),
    );
  } finally {
    database.close();
  }
}

/** Rows of `before` that are not in `after` with all that they held. */
export function missingRows(before: Rows, after: Rows): readonly string[] {
  return [...before].flatMap(([table, rows]) => {
    const columns = Object.keys(rows[0] ?? {});
    const words = (row: Row) => `${table} ${JSON.stringify(columns.map((column) => plain(row[column])))}`;
    const there = new Set((after.get(table) ?? []).map(words));
    return rows.map(words).filter((row) => !there.has(row));
  });
}

/** SQLite has numbers for what PostgreSQL has booleans. */
function plain(value: unknown): unknown {
  return typeof value === 'boolean' ? Number(value) : value;
}
