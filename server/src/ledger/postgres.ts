import { DataSource, type EntityManager } from 'typeorm';
import { ledgerOver, type Read, type Write } from './calls.ts';
import { MIGRATIONS_TABLE, migrate, migrations } from './database.ts';
import { entities } from './entities.ts';
import { codeOf, ledgerFailure } from './failure.ts';
import { type Ledger, LedgerError } from './ledger.ts';
import { readers, writers } from './queries.ts';

/** Held while tables are made or changed, so that replicas that start together do it once. */
const MIGRATION_LOCK = 7_163_401_923;
/** Two transactions that waited for each other: PostgreSQL ended one of them, which is done again. */
const DEADLOCK = '40P01';
const ATTEMPTS = 4;

/** The ledger on a PostgreSQL server, over at least two `connections`. Rejects with `LedgerError` when it cannot be used; no message has the password. */
export async function openPostgresLedger(url: string, { connections = 10 } = {}): Promise<Ledger> {
  const where = { name: withoutPassword(url), kind: 'postgres' } as const;
  const database = new DataSource({
    type: 'postgres',
    url,
    applicationName: 'entrepot',
    entities,
    migrations,
    migrationsTableName: MIGRATIONS_TABLE,
    installExtensions: false,
    parseInt8: true,
    poolSize: connections,
    connectTimeoutMS: 10_000,
    // A connection that breaks while idle is replaced by the pool; whoever uses a broken one gets the error.
    poolErrorHandler: () => {},
  });
  const failed = (error: unknown): never => {
    throw ledgerFailure(error, where);
  };
  await initialize(database, where.name).catch(async (error: unknown) => {
    if (database.isInitialized) await database.destroy().catch(() => {});
    failed(error);
  });
  const read = ((name: keyof typeof readers, ...args: unknown[]) =>
    (readers[name] as Query)(database.manager, ...args).catch(failed)) as Read;
  const write = ((name: keyof typeof writers, ...args: unknown[]) =>
    inTransaction(database, (manager) => (writers[name] as Query)(manager, ...args)).catch(failed)) as Write;
  return ledgerOver(read, write, () => database.destroy());
}

type Query = (manager: EntityManager, ...args: unknown[]) => Promise<unknown>;

async function inTransaction<Result>(
  database: DataSource,
  work: (manager: EntityManager) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await database.transaction(work);
    } catch (error) {
      if (codeOf(error) !== DEADLOCK || attempt === ATTEMPTS) throw error;
    }
  }
}

async function initialize(database: DataSource, name: string): Promise<void> {
  await database.initialize();
  const runner = database.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await migrate(database, runner, `database ${name}`);
  } finally {
    await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => {});
    await runner.release();
  }
}

function withoutPassword(url: string): string {
  if (!URL.canParse(url)) throw new LedgerError('the database URL is not one: expected postgres://user@host:5432/name');
  const { protocol, username, host, pathname } = new URL(url);
  return `${protocol}//${username ? `${username}@` : ''}${host}${pathname}`;
}
