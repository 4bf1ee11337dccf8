import { DataSource } from 'typeorm';
import { MIGRATIONS_TABLE, migrations } from '../database.ts';

/** A database file with the tables of this program, and no row in them but what migrations put there. */
export async function makeSqliteDatabase(path: string): Promise<void> {
  const database = new DataSource({
    type: 'better-sqlite3',
    database: path,
    migrations,
    migrationsTableName: MIGRATIONS_TABLE,
  });
  await database.initialize();
  try {
    await database.runMigrations({ transaction: 'each' });
  } finally {
    await database.destroy();
  }
}
