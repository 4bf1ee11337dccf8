import { DataSource, type DataSourceOptions, type Logger } from 'typeorm';
import { MIGRATIONS_TABLE, migrations } from '../database.ts';
import { entities } from '../entities.ts';

export interface DatabaseOptions {
  /** A file, or a `postgres:` address. */
  readonly where: string;
  readonly logger?: Logger;
  /** Names of the migrations that it has been through; default: all. */
  readonly through?: readonly string[];
}

/** For tests: the tables of a state, as bare as they are. */
export async function openDatabase({ where, logger, through }: DatabaseOptions): Promise<DataSource> {
  const common = {
    entities,
    migrations: migrations.filter(({ name }) => through?.includes(name) ?? true),
    migrationsTableName: MIGRATIONS_TABLE,
    ...(logger ? { logger } : {}),
  };
  const options: DataSourceOptions = where.startsWith('postgres:')
    ? { type: 'postgres', url: where, installExtensions: false, parseInt8: true, poolSize: 1, ...common }
    : { type: 'better-sqlite3', database: where, ...common };
  const database = await new DataSource(options).initialize();
  await database.runMigrations();
  return database;
}
