import { createHash } from 'node:crypto';
import { LedgerError } from '../ledger.ts';
import { type Cells, keyOf, type Table, type TableReader, type TableWriter } from './table.ts';

export interface CopiedTable {
  readonly name: string;
  readonly rows: number;
  /** SHA-256 of all its rows in order of key, lower-case hex; the same in every database. */
  readonly checksum: string;
}

export interface CopyProgress {
  readonly table: string;
  /** Rows of all tables that are through, and how many there are; copying and checking count as one each. */
  readonly done: number;
  readonly of: number;
}

/**
 * Every table of one database into another of the same shape. Rows that are there already are taken for copied: it goes on
 * after the last key. Each table is then read again on both sides; one that differs is copied anew. Throws `LedgerError`.
 */
export async function copyTables(
  from: TableReader,
  to: TableWriter,
  progress: (progress: CopyProgress) => void = () => {},
): Promise<readonly CopiedTable[]> {
  const tables = await from.tables();
  requireSameShape(from.name, tables, to.name, await to.tables());
  const counts: number[] = [];
  for (const table of tables) counts.push(await from.count(table));
  const of = counts.reduce((sum, count) => sum + 2 * count, 0);
  const copied: CopiedTable[] = [];
  let done = 0;
  for (const [at, table] of tables.entries()) {
    const through = (rows: number) => progress({ table: table.name, done: done + rows, of });
    await copyTable(from, to, table, through);
    if (table.numbered) await to.setCounter(table, await from.counter(table));
    const count = counts[at] ?? 0;
    copied.push(await checked(from, to, table, (rows) => through(count + rows)));
    done += 2 * count;
  }
  progress({ table: '', done: of, of });
  return copied;
}

/** Of one table, for comparing. */
export async function fingerprint(
  reader: TableReader,
  table: Table,
  progress: (rows: number) => void = () => {},
): Promise<CopiedTable> {
  const hash = createHash('sha256');
  let rows = 0;
  for await (const batch of reader.rows(table)) {
    for (const row of batch) hash.update(`${JSON.stringify(row)}\n`);
    rows += batch.length;
    progress(rows);
  }
  return { name: table.name, rows, checksum: hash.digest('hex') };
}

async function copyTable(
  from: TableReader,
  to: TableWriter,
  table: Table,
  progress: (rows: number) => void,
): Promise<void> {
  const last = await to.last(table);
  let rows = last ? await to.count(table) : 0;
  for await (const batch of from.rows(table, last)) {
    await to.insert(table, batch);
    rows += batch.length;
    progress(rows);
  }
}

async function checked(
  from: TableReader,
  to: TableWriter,
  table: Table,
  progress: (rows: number) => void,
): Promise<CopiedTable> {
  const source = await fingerprint(from, table, progress);
  if ((await fingerprint(to, table)).checksum === source.checksum) return source;
  // What was there from an earlier try is of another moment.
  await to.clear(table);
  await copyTable(from, to, table, () => {});
  const copy = await fingerprint(to, table);
  if (copy.checksum === source.checksum) return source;
  const where = await firstDifference(from, to, table);
  throw new LedgerError(
    `table "${table.name}" of ${to.name} is not what ${from.name} has: ${copy.rows} rows of ${source.rows}${where}`,
  );
}

async function firstDifference(from: TableReader, to: TableReader, table: Table): Promise<string> {
  const [ours, theirs] = [rowsOf(from, table), rowsOf(to, table)];
  for await (const row of ours) {
    const { value } = await theirs.next();
    if (JSON.stringify(row) !== JSON.stringify(value)) return `, the first at key ${JSON.stringify(keyOf(table, row))}`;
  }
  return '';
}

async function* rowsOf(reader: TableReader, table: Table): AsyncGenerator<Cells, undefined> {
  for await (const batch of reader.rows(table)) yield* batch;
  return undefined;
}

function requireSameShape(from: string, tables: readonly Table[], to: string, others: readonly Table[]): void {
  const named = new Map(others.map((table) => [table.name, table]));
  for (const table of tables) {
    if (table.key.length === 0) throw new LedgerError(`table "${table.name}" of ${from} has no key to copy it by`);
    const other = named.get(table.name);
    if (!other) throw new LedgerError(`${to} has no table "${table.name}", which ${from} has`);
    if (JSON.stringify(other) !== JSON.stringify(table)) {
      throw new LedgerError(`table "${table.name}" of ${to} has another shape than that of ${from}`);
    }
  }
  const more = others.find(({ name }) => !tables.some((table) => table.name === name));
  if (more)
    throw new LedgerError(`${to} has a table "${more.name}" that ${from} has not: is it used for something else?`);
}
