import type { DataSource, EntityManager, Logger } from 'typeorm';
import { readers, writers } from '../queries.ts';
import { READS, WRITES } from './samples.ts';

/** A statement that a query sent, with what was given with it. */
export interface Sent {
  readonly query: string;
  readonly text: string;
  readonly parameters: readonly unknown[];
}

export interface Column {
  readonly table: string;
  readonly name: string;
  /** As the database calls it. */
  readonly type: string;
  readonly optional: boolean;
}

/** Rows in every table that grows. */
export const ROWS = 20_000;

/** Tables of a few rows, which the serving processes hold in memory or which are looked at whole anyhow. */
const SMALL = new Set(['resource', 'fact', 'journal_position', 'schema_migration']);

/** What goes over a whole table, and why that is right. */
const WHOLE: Readonly<Record<string, string>> = {
  stats: 'counts everything, when an administrator asks',
  sizes: 'adds up the sizes of everything from an index, now and then behind requests',
};

export const grows = (table: string): boolean => !SMALL.has(table);
export const mayScan = (query: string): boolean => query in WHOLE;

/** The logger that the statements are taken from. */
export class Ear implements Logger {
  sent: { text: string; parameters: readonly unknown[] }[] = [];

  logQuery(text: string, parameters: readonly unknown[] = []): void {
    this.sent.push({ text, parameters });
  }

  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}

/** What every query of the ledger sends; nothing of it is kept. */
export async function everythingSent(database: DataSource, ear: Ear): Promise<Sent[]> {
  const found: Sent[] = [];
  const all = { ...readers, ...writers } as unknown as Readonly<Record<string, Query>>;
  const samples = { ...READS, ...WRITES } as unknown as Readonly<Record<string, readonly unknown[][]>>;
  for (const [name, query] of Object.entries(all)) {
    if (!samples[name]?.length) throw new Error(`there is no sample of the query "${name}" in plans/samples.ts`);
    for (const given of samples[name]) {
      for (const { text, parameters } of await during(database, ear, (manager) => query(manager, ...given)))
        if (/^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(text) && !text.includes('pg_advisory'))
          found.push({ query: name, text, parameters });
    }
  }
  return found;
}

type Query = (manager: EntityManager, ...given: unknown[]) => Promise<unknown>;

async function during(
  database: DataSource,
  ear: Ear,
  work: (manager: EntityManager) => Promise<unknown>,
): Promise<Ear['sent']> {
  const runner = database.createQueryRunner();
  await runner.startTransaction();
  ear.sent = [];
  try {
    await work(runner.manager);
    return ear.sent;
  } finally {
    await runner.rollbackTransaction();
    await runner.release();
  }
}

/** Rows that look alike everywhere, so that a new table or column needs nothing here; `n` is their number, an expression. */
export function filling(columns: readonly Column[], n: string, text: (expression: string) => string): string[] {
  const tables = [...new Set(columns.map(({ table }) => table))].filter(grows);
  return tables.map((table) => {
    const own = columns.filter((column) => column.table === table && !IDENTITY.has(`${table}.${column.name}`));
    const values = own.map((column) => valueOf(column, n, text));
    return `INSERT INTO "${table}" (${own.map(({ name }) => `"${name}"`).join(', ')}) SELECT ${values.join(', ')}`;
  });
}

const IDENTITY = new Set(['pull.seq', 'event.id', 'alert.id', 'log_pending.id']);

/** One in so many has what is the exception. */
const RARE = 500;

function valueOf({ name, type, optional }: Column, n: string, text: (expression: string) => string): string {
  const word = (expression: string) => `'${name} ' || ${text(expression)}`;
  const rarely = (value: string) => (optional ? `CASE WHEN ${n} % ${RARE} = 0 THEN ${value} END` : value);
  if (/bool/i.test(type))
    return type === 'boolean' && text('1') !== '1' ? `(${n} % ${RARE} = 0)` : `${n} % ${RARE} = 0`;
  if (name === 'ended_at') return `CASE WHEN ${n} % ${RARE} <> 0 THEN 1000000 + ${n} END`;
  if (/int/i.test(type))
    return /_at$/.test(name) && !/listed|published/.test(name) ? rarely(`1000000 + ${n}`) : `1000000 + ${n}`;
  switch (name) {
    case 'repository':
    case 'member':
      return word(`${n} % 10`);
    case 'name':
    case 'package':
      return word(`${n} / 5`);
    case 'consumer':
    case 'principal':
    case 'kind':
      return word(`${n} % 40`);
    case 'path':
      return `'/p' || ${text(n)}`;
    case 'purl':
      return `'purl@' || ${text(n)}`;
    case 'decision':
      return `CASE WHEN ${n} % ${RARE} = 0 THEN 'refused' ELSE 'allowed' END`;
    case 'rule':
    case 'observed':
    case 'verdict':
    case 'disputed':
      return rarely(word(n));
    case 'details':
    case 'leaf':
    case 'document':
    case 'metadata':
      return `'{}'`;
    default:
      return word(n);
  }
}
