import { LedgerError } from '../ledger.ts';

/** A table as the catalog of its database describes it, not as any list of ours does: a new one is copied like the others. */
export interface Table {
  readonly name: string;
  /** In order of name. */
  readonly columns: readonly Column[];
  /** Columns of the primary key, in its order. */
  readonly key: readonly string[];
  /** Whether the database numbers its rows, by the one column of its key. */
  readonly numbered: boolean;
}

export interface Column {
  readonly name: string;
  readonly type: 'text' | 'integer' | 'boolean';
}

export type Cell = string | number | boolean | null;
/** A row, in the order of the table's columns. */
export type Cells = readonly Cell[];

/** The tables of a database, read in order of their keys; text is ordered by its bytes. */
export interface TableReader {
  /** For messages: a file, or a server without its password. */
  readonly name: string;
  /** All but the one of migrations, in order of name. */
  tables(): Promise<readonly Table[]>;
  /** Names of the migrations that made them; none: there are no tables of ours. */
  migrations(): Promise<readonly string[]>;
  count(table: Table): Promise<number>;
  /** Rows whose key comes after that one, some at a time. */
  rows(table: Table, after?: Cells): AsyncIterable<readonly Cells[]>;
  /** The last number that a numbered table gave out. */
  counter(table: Table): Promise<number>;
  close(): Promise<void>;
}

export interface TableWriter extends TableReader {
  /** In one transaction. */
  insert(table: Table, rows: readonly Cells[]): Promise<void>;
  /** The key of the last row; undefined: there is none. */
  last(table: Table): Promise<Cells | undefined>;
  clear(table: Table): Promise<void>;
  setCounter(table: Table, last: number): Promise<void>;
  /** Says that the rows are not all there yet: a program that opens the database refuses it. */
  mark(name: string): Promise<void>;
  unmark(name: string): Promise<void>;
}

/** Rows are handed on when they are so many, or so many characters. */
export const BATCH = { rows: 1000, characters: 1_000_000 };

export function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}

/** Of a row, in the order of the key. */
export function keyOf({ columns, key }: Table, row: Cells): Cells {
  return key.map((name) => row[columns.findIndex((column) => column.name === name)] ?? null);
}

/** Throws for a type that nobody has decided how to copy. */
export function typeOf(declared: string, where: string): Column['type'] {
  if (/^(big)?int(eger)?$/i.test(declared)) return 'integer';
  if (/^text$/i.test(declared)) return 'text';
  if (/^bool(ean)?$/i.test(declared)) return 'boolean';
  throw new LedgerError(`${where} has type ${declared}, which no copy is made of`);
}
