import pg from 'pg';
import { MIGRATIONS_TABLE } from '../database.ts';
import { ledgerFailure } from '../failure.ts';
import { withoutPassword } from '../postgres.ts';
import { BATCH, type Cells, quoted, type Table, type TableWriter, typeOf } from './table.ts';

/** Of PostgreSQL's `bigint`: its numbers are below 2^53 here. */
const BIGINT = 20;
const TYPES = { text: 'text', integer: 'bigint', boolean: 'boolean' } as const;

interface ColumnRow {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly identity: string;
}

/** The tables of a database on a server. Throws `LedgerError`; no message has the password. */
export async function openPostgresTables(url: string, { readonly = true } = {}): Promise<TableWriter> {
  const name = withoutPassword(url);
  const types = {
    getTypeParser: ((oid: number, format?: 'text') =>
      oid === BIGINT ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
  };
  const client = new pg.Client({
    connectionString: url,
    application_name: 'entrepot',
    connectionTimeoutMillis: 10_000,
    types,
  });
  // A connection that breaks tells whoever uses it next.
  client.on('error', () => {});
  const tables = new PostgresTables(name, client);
  try {
    await client.connect();
    // One moment, however long it takes to read it all.
    if (readonly) await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return tables;
  } catch (error) {
    await client.end().catch(() => {});
    throw failure(error, name);
  }
}

class PostgresTables implements TableWriter {
  readonly name: string;
  readonly #client: pg.Client;

  constructor(name: string, client: pg.Client) {
    this.name = name;
    this.#client = client;
  }

  async tables(): Promise<readonly Table[]> {
    const columns = await this.#all<ColumnRow>(
      `SELECT c.table_name AS "table", c.column_name AS "name", c.data_type AS "type", c.is_identity AS "identity"
       FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
       WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.table_name <> $1
       ORDER BY c.table_name COLLATE "C", c.column_name COLLATE "C"`,
      MIGRATIONS_TABLE,
    );
    const keys = await this.#all<{ table: string; name: string }>(
      `SELECT c.relname AS "table", a.attname AS "name"
       FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
       CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, position)
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
       WHERE i.indisprimary AND c.relnamespace = current_schema()::regnamespace ORDER BY k.position`,
    );
    return [...Map.groupBy(columns, ({ table }) => table)].map(([name, found]) => ({
      name,
      columns: found.map((column) => ({ name: column.name, type: typeOf(column.type, `${name}.${column.name}`) })),
      key: keys.filter(({ table }) => table === name).map((column) => column.name),
      numbered: found.some(({ identity }) => identity === 'YES'),
    }));
  }

  async migrations(): Promise<readonly string[]> {
    const [there] = await this.#all<{ there: boolean }>(
      'SELECT to_regclass($1) IS NOT NULL AS there',
      MIGRATIONS_TABLE,
    );
    if (!there?.there) return [];
    const rows = await this.#all<{ name: string }>(
      `SELECT name FROM "${MIGRATIONS_TABLE}" ORDER BY timestamp, name COLLATE "C"`,
    );
    return rows.map(({ name }) => name);
  }

  async count({ name }: Table): Promise<number> {
    return (await this.#all<{ count: number }>(`SELECT COUNT(*) AS count FROM "${name}"`))[0]?.count ?? 0;
  }

  async *rows({ name, columns, key }: Table, after?: Cells): AsyncIterable<readonly Cells[]> {
    const names = quoted(columns.map((column) => column.name));
    const [first] = key;
    if (first === undefined) throw new TypeError(`${name} has no key to read it by`);
    for (let last = after; ; ) {
      const from = last ? `WHERE (${quoted(key)}) > (${key.map((_, at) => `$${at + 1}`).join(', ')})` : '';
      const found = await this.#arrays(
        `SELECT ${names} FROM "${name}" ${from} ORDER BY ${quoted(key)} LIMIT ${BATCH.rows}`,
        last ?? [],
      );
      if (found.length > 0) yield found;
      if (found.length < BATCH.rows) return;
      const row = found.at(-1) ?? [];
      last = key.map((part) => row[columns.findIndex((column) => column.name === part)] ?? null);
    }
  }

  async counter(table: Table): Promise<number> {
    const sequence = await this.#sequenceOf(table);
    const [found] = await this.#all<{ last: number; called: boolean }>(
      `SELECT last_value AS last, is_called AS called FROM ${sequence}`,
    );
    return found?.called ? found.last : 0;
  }

  async insert({ name, columns }: Table, rows: readonly Cells[]): Promise<void> {
    const names = quoted(columns.map((column) => column.name));
    const shape = columns.map((column) => `"${column.name}" ${TYPES[column.type]}`).join(', ');
    const objects = rows.map((row) => Object.fromEntries(columns.map((column, at) => [column.name, row[at]])));
    await this.#all(
      `INSERT INTO "${name}" (${names}) OVERRIDING SYSTEM VALUE SELECT ${names} FROM json_to_recordset($1::json) AS r (${shape})`,
      JSON.stringify(objects),
    );
  }

  async last({ name, key }: Table): Promise<Cells | undefined> {
    const order = key.map((column) => `"${column}" DESC`).join(', ');
    return (await this.#arrays(`SELECT ${quoted(key)} FROM "${name}" ORDER BY ${order} LIMIT 1`))[0];
  }

  async clear({ name }: Table): Promise<void> {
    await this.#all(`DELETE FROM "${name}"`);
  }

  async setCounter(table: Table, last: number): Promise<void> {
    const sequence = await this.#sequenceOf(table);
    await this.#all(`SELECT setval('${sequence}', $1, $2)`, Math.max(1, last), last > 0);
  }

  async mark(name: string): Promise<void> {
    await this.#all(`INSERT INTO "${MIGRATIONS_TABLE}" (timestamp, name) VALUES (0, $1)`, name);
  }

  async unmark(name: string): Promise<void> {
    await this.#all(`DELETE FROM "${MIGRATIONS_TABLE}" WHERE name = $1`, name);
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => {});
  }

  async #sequenceOf({ name, key }: Table): Promise<string> {
    const [found] = await this.#all<{ sequence: string }>(
      'SELECT pg_get_serial_sequence(quote_ident($1), $2) AS sequence',
      name,
      key[0] ?? '',
    );
    if (!found) throw new TypeError(`${name} numbers no rows`);
    return found.sequence;
  }

  async #all<Row>(statement: string, ...values: readonly (string | number | boolean)[]): Promise<Row[]> {
    try {
      return (await this.#client.query(statement, [...values])).rows as Row[];
    } catch (error) {
      throw failure(error, this.name);
    }
  }

  async #arrays(text: string, values: Cells = []): Promise<Cells[]> {
    try {
      return (await this.#client.query({ text, values: [...values], rowMode: 'array' })).rows as Cells[];
    } catch (error) {
      throw failure(error, this.name);
    }
  }
}

function failure(error: unknown, name: string): Error {
  return ledgerFailure(error, { name, kind: 'postgres' });
}
