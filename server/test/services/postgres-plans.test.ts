import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/ledger/plans/open-database.ts';
import {
  type Column,
  Ear,
  everythingSent,
  filling,
  grows,
  mayScan,
  ROWS,
  type Sent,
} from '../../src/ledger/plans/plans.contract.ts';
import { type PostgresServer, postgresMissing, startPostgres } from '../support/postgres.ts';

const missing = postgresMissing();

describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(`on PostgreSQL ${missing ?? ''}`, () => {
  let server: PostgresServer;
  let database: Awaited<ReturnType<typeof openDatabase>>;
  let partial: ReadonlySet<string>;
  const ear = new Ear();

  beforeAll(async () => {
    server = await startPostgres();
    database = await openDatabase({ where: await server.database(), logger: ear });
    const columns = await database.query<Column[]>(
      `SELECT table_name AS "table", column_name AS name, data_type AS type, is_nullable = 'YES' AS optional
       FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position`,
    );
    for (const statement of filling(columns, 'n', (expression) => `(${expression})::text`))
      await database.query(`${statement} FROM generate_series(1, ${ROWS}) AS n`);
    await database.query('ANALYZE');
    const found = await database.query<{ name: string }[]>(
      `SELECT indexname AS name FROM pg_indexes WHERE indexdef LIKE '% WHERE %'`,
    );
    partial = new Set(found.map(({ name }) => name));
  });
  afterAll(async () => {
    await database?.destroy();
    await server?.stop();
  });

  test('no query goes over a whole table that grows', async () => {
    const sent = await everythingSent(database, ear);
    expect(sent.length).toBeGreaterThan(100);
    // Whether there is an index for it: in a table of this size going over all of it is sometimes cheaper.
    await database.query('SET enable_seqscan = off');
    const scans: string[] = [];
    for (const one of sent.filter(({ query }) => !mayScan(query))) scans.push(...(await scansOf(one)));
    expect([...new Set(scans)]).toEqual([]);
  });

  async function scansOf(sent: Sent): Promise<string[]> {
    const [row] = await database.query<{ 'QUERY PLAN': readonly { readonly Plan: Plan }[] }[]>(
      `EXPLAIN (FORMAT JSON) ${sent.text}`,
      [...sent.parameters],
    );
    const plan = row?.['QUERY PLAN'][0]?.Plan;
    return plan ? scansIn(plan, false).map((what) => `${sent.query}: ${what} in ${sent.text}`) : [];
  }

  /** Going in the order of an index is fine where few rows are asked for; so is an index that has few. */
  function scansIn(plan: Plan, isFirst: boolean): string[] {
    const { 'Node Type': type, 'Relation Name': table, 'Index Name': index = '' } = plan;
    const found: string[] = [];
    if (table !== undefined && grows(table)) {
      if (type === 'Seq Scan') found.push(`Seq Scan of ${table}`);
      const isWhole = /^Index (Only )?Scan/.test(type) && plan['Index Cond'] === undefined;
      if (isWhole && !isFirst && !partial.has(index)) found.push(`${type} of ${table} by ${index}`);
    }
    const first = type === 'Limit' || (isFirst && !/Sort|Aggregate|Hash/.test(type));
    return [...found, ...(plan.Plans ?? []).flatMap((one) => scansIn(one, first))];
  }
});

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly Plan[];
}
