import type { EntityManager } from 'typeorm';

type Value = string | number | boolean | null | undefined;

export interface Insertion<Row> {
  readonly table: string;
  /** By column name, what of a row it holds; undefined is null. */
  readonly columns: Readonly<Record<string, (row: Row) => Value>>;
  readonly rows: readonly Row[];
  /** From `ON CONFLICT` on. */
  readonly conflict: string;
}

/** Few enough parameters for either database; always the same number, so that the statement is prepared once. */
const PARAMETERS = 2000;

/** Any number of rows, in as few statements as possible. Resolves to what they return. */
export async function insertRows<Row, Returned>(
  manager: EntityManager,
  insertion: Insertion<Row>,
): Promise<Returned[]> {
  const { rows, columns } = insertion;
  const values = Object.values(columns);
  const most = Math.floor(PARAMETERS / values.length);
  const whole = rows.length >= most ? statementFor(manager, insertion, most) : '';
  const returned: Returned[] = [];
  for (let from = 0; from < rows.length; from += most) {
    const some = rows.slice(from, from + most);
    const parameters = some.flatMap((row) => values.map((value) => storable(value(row))));
    const statement = some.length === most ? whole : statementFor(manager, insertion, some.length);
    const answer: unknown = await manager.query(statement, parameters);
    if (Array.isArray(answer)) returned.push(...answer);
  }
  return returned;
}

export function isPostgres(manager: EntityManager): boolean {
  return manager.dataSource.options.type === 'postgres';
}

/** The marker of the n-th parameter, from 1. */
export function parameter(manager: EntityManager, position: number): string {
  return isPostgres(manager) ? `$${position}` : '?';
}

export function quote(name: string): string {
  return `"${name}"`;
}

/** The rows of an UPDATE or DELETE with RETURNING: PostgreSQL's driver gives them beside their number. */
export function returned<Row>(result: [Row[], number] | Row[]): Row[] {
  const [first] = result;
  return Array.isArray(first) ? first : (result as Row[]);
}

function statementFor<Row>(
  manager: EntityManager,
  { table, columns, conflict }: Insertion<Row>,
  count: number,
): string {
  const names = Object.keys(columns);
  const rows: string[] = [];
  for (let row = 0; row < count; row += 1) {
    const markers = names.map((_, column) => parameter(manager, row * names.length + column + 1));
    rows.push(`(${markers.join(', ')})`);
  }
  return `INSERT INTO ${quote(table)} (${names.map(quote).join(', ')}) VALUES ${rows.join(', ')} ${conflict}`;
}

/** PostgreSQL keeps neither NUL nor half a surrogate pair; one row of a stranger's words must not stop the others. */
export function storable(value: Value): Value {
  if (value === undefined) return null;
  if (typeof value !== 'string') return value;
  return value.includes('\0') || !value.isWellFormed() ? value.replaceAll('\0', '\uFFFD').toWellFormed() : value;
}
