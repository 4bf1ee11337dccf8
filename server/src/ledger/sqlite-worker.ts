import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { DataSource, type EntityManager } from 'typeorm';
import { MIGRATIONS_TABLE, migrate, migrations } from './database.ts';
import { entities } from './entities.ts';
import { ledgerFailure } from './failure.ts';
import { BlobGoing, RevisionConflict } from './ledger.ts';
import { durable, readers, writers } from './queries.ts';
import type { SqliteSettings } from './sqlite.ts';
import type { Answer, Call, Failure } from './worker-calls.ts';

const port = parentPort as MessagePort;
const { path, role, busyTimeout }: SqliteSettings = workerData;
const where = { name: path, kind: 'sqlite' } as const;

interface Connection {
  pragma(text: string): unknown;
}

const database = new DataSource({
  type: 'better-sqlite3',
  database: path,
  entities,
  migrations,
  migrationsTableName: MIGRATIONS_TABLE,
  timeout: busyTimeout,
  prepareDatabase: (connection: Connection) => {
    connection.pragma('journal_mode = WAL');
    // What is committed outlives the process; `durable` calls wait for the disk as well.
    connection.pragma('synchronous = NORMAL');
    connection.pragma('cache_size = -64000');
    // Pages: loading pulls touches so many that the default would fold the log into the file after every batch.
    connection.pragma('wal_autocheckpoint = 8000');
    connection.pragma('mmap_size = 1073741824');
    connection.pragma('temp_store = MEMORY');
    if (role === 'reader') connection.pragma('query_only = ON');
  },
});

const lifecycle: Readonly<Record<string, () => Promise<void>>> = {
  open: async () => {
    await database.initialize();
    if (role === 'writer') await migrate(database, database.createQueryRunner(), `database file ${path}`);
  },
  close: async () => {
    if (database.isInitialized) await database.destroy();
    // The port is closed once this call is answered.
    setImmediate(() => port.close());
  },
};

/** One connection, so one call at a time: a second transaction would become part of the first. */
async function answer({ id, method, args }: Call): Promise<Answer> {
  try {
    return { id, value: await run(method, args) };
  } catch (error) {
    return { id, failure: describe(ledgerFailure(error, where)) };
  }
}

async function run(method: string, args: readonly unknown[]): Promise<unknown> {
  const own = lifecycle[method];
  if (own) return own();
  const read = lookUp(readers, method);
  if (read) return read(database.manager, ...args);
  const write = lookUp(writers, method);
  if (!write) throw new Error(`the ledger has no ${method}`);
  if (!durable.has(method)) return inTransaction((manager) => write(manager, ...args));
  await database.query('PRAGMA synchronous = FULL');
  try {
    return await inTransaction((manager) => write(manager, ...args));
  } finally {
    await database.query('PRAGMA synchronous = NORMAL');
  }
}

/** Immediate: a transaction that reads before it writes would fail, not wait, when another process wrote in between. */
async function inTransaction<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
  await database.query('BEGIN IMMEDIATE');
  try {
    const result = await work(database.manager);
    await database.query('COMMIT');
    return result;
  } catch (error) {
    // A full disk has ended the transaction already.
    await database.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

type Query = (manager: EntityManager, ...args: readonly unknown[]) => Promise<unknown>;

function lookUp(queries: object, method: string): Query | undefined {
  return Object.entries(queries).find(([name]) => name === method)?.[1];
}

/** An error's class does not cross threads. */
function describe(error: Error): Failure {
  if (error instanceof RevisionConflict) {
    return { is: 'conflict', kind: error.kind, resource: error.resource, actual: error.actual };
  }
  if (error instanceof BlobGoing) return { is: 'going', digest: error.digest };
  return { is: 'failed', message: error.message, detail: error.cause instanceof Error ? error.cause.stack : undefined };
}

let last: Promise<void> = Promise.resolve();
port.on('message', (call: Call) => {
  last = last.then(async () => port.postMessage(await answer(call)));
});
