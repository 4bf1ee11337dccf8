import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { ledgerOver, type Read, type Write } from './calls.ts';
import { MIGRATIONS_TABLE, migrate, migrations } from './database.ts';
import { entities } from './entities.ts';
import { codeOf, ledgerFailure } from './failure.ts';
import { type Ledger, LedgerError } from './ledger.ts';
import { PROMPT, patience, readers, writers } from './queries.ts';

/** Held while tables are made or changed, so that replicas that start together do it once. */
const MIGRATION_LOCK = 7_163_401_923;
/** Two transactions that waited for each other, or read what the other wrote: the one that PostgreSQL ended is done again. */
const AGAIN = new Set(['40P01', '40001']);
const ATTEMPTS = 4;
/** Milliseconds to wait for a connection: a free one of the pool, or a new one. */
const CONNECT = 3000;
/** Milliseconds: what a process holds that stands still in a transaction is free again for the others then. */
const IDLE = 60_000;
/** Milliseconds for the server's word that it has ended a statement. */
const GRACE = 500;

export interface PostgresOptions {
  /** At least two. */
  readonly connections?: number;
  /** Milliseconds that a call may take; default: by the call. */
  readonly patience?: (call: string) => number;
}

/**
 * The ledger on a PostgreSQL server. Every call ends within its patience, also when the server is frozen or out of reach.
 * Rejects with `LedgerError` when it cannot be used; no message has the password.
 */
export async function openPostgresLedger(url: string, options: PostgresOptions = {}): Promise<Ledger> {
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
    poolSize: options.connections ?? 10,
    connectTimeoutMS: CONNECT,
    extra: {
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      statement_timeout: PROMPT,
      idle_in_transaction_session_timeout: IDLE,
    },
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
  const call = async (kind: Kind, name: string, query: Query, args: unknown[]): Promise<unknown> => {
    const most = (options.patience ?? patience)(name);
    const work = (runner: QueryRunner): Promise<unknown> => {
      if (kind === 'read' && most === PROMPT) return query(runner.manager, ...args);
      return inTransaction(runner, most, (manager) => query(manager, ...args));
    };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await onConnection(database, most, work);
      } catch (error) {
        if (!AGAIN.has(codeOf(error)) || attempt === ATTEMPTS) return failed(error);
      }
    }
  };
  const read = ((name: keyof typeof readers, ...args: unknown[]) =>
    call('read', name, readers[name] as Query, args)) as Read;
  const write = ((name: keyof typeof writers, ...args: unknown[]) =>
    call('write', name, writers[name] as Query, args)) as Write;
  return ledgerOver(read, write, () => database.destroy());
}

type Kind = 'read' | 'write';
type Query = (manager: EntityManager, ...args: unknown[]) => Promise<unknown>;

/** As far as the driver's client is used here: ending it breaks off what it waits for. */
interface Client {
  end(): Promise<void>;
}

/**
 * On a connection of its own. The server ends a statement that takes longer than it may; when nothing comes from it even
 * then, the connection is given up after `most` milliseconds, and with it everything that waits on it.
 */
async function onConnection<Result>(
  database: DataSource,
  most: number,
  work: (runner: QueryRunner) => Promise<Result>,
): Promise<Result> {
  const runner = database.createQueryRunner();
  let late = false;
  let timer: NodeJS.Timeout | undefined;
  try {
    const client = (await runner.connect()) as Client;
    timer = setTimeout(() => {
      late = true;
      void client.end().catch(() => {});
    }, most + GRACE);
    return await work(runner);
  } catch (error) {
    if (late) throw Object.assign(new Error(`no answer within ${most} ms`, { cause: error }), { code: 'ETIMEDOUT' });
    throw error;
  } finally {
    clearTimeout(timer);
    await runner.release();
  }
}

async function inTransaction<Result>(
  runner: QueryRunner,
  most: number,
  work: (manager: EntityManager) => Promise<Result>,
): Promise<Result> {
  await runner.startTransaction();
  try {
    if (most !== PROMPT) await runner.query(`SET LOCAL statement_timeout = ${most}`);
    const result = await work(runner.manager);
    await runner.commitTransaction();
    return result;
  } catch (error) {
    await runner.rollbackTransaction().catch(() => {});
    throw error;
  }
}

async function initialize(database: DataSource, name: string): Promise<void> {
  await database.initialize();
  const runner = database.createQueryRunner();
  try {
    // Others may migrate a large database meanwhile, and so may this one.
    await runner.query('SET statement_timeout = 0');
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await migrate(database, runner, `database ${name}`);
  } finally {
    await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => {});
    await runner.query('RESET statement_timeout').catch(() => {});
    await runner.release();
  }
}

export function withoutPassword(url: string): string {
  if (!URL.canParse(url)) throw new LedgerError('the database URL is not one: expected postgres://user@host:5432/name');
  const { protocol, username, host, pathname } = new URL(url);
  return `${protocol}//${username ? `${username}@` : ''}${host}${pathname}`;
}
