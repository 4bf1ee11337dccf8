import { type DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import { LedgerError } from './ledger.ts';
import { Initial1763700000001 } from './migrations/0001-initial.ts';
import { Evidence1763800000002 } from './migrations/0002-evidence.ts';
import { Hosted1763900000003 } from './migrations/0003-hosted.ts';
import { Decisions1764000000004 } from './migrations/0004-decisions.ts';
import { Alerts1764000000005 } from './migrations/0005-alerts.ts';
import { Dates1763900000006 } from './migrations/0006-dates.ts';
import { Sights1764000000007 } from './migrations/0007-sights.ts';
import { Space1764100000008 } from './migrations/0008-space.ts';
import { Replicas1764200000009 } from './migrations/0009-replicas.ts';
import { Indexes1764300000010 } from './migrations/0010-indexes.ts';

/** In order; one set for both databases. */
export const migrations = [
  Initial1763700000001,
  Evidence1763800000002,
  Hosted1763900000003,
  Decisions1764000000004,
  Alerts1764000000005,
  Dates1763900000006,
  Sights1764000000007,
  Space1764100000008,
  Replicas1764200000009,
  Indexes1764300000010,
];

export const MIGRATIONS_TABLE = 'schema_migration';

/** Stands among the migrations, with the move's name behind it, while rows of another database are copied into this one. */
export const UNFINISHED = 'UnfinishedMove-';

/** Brings the tables up to this program, on the connection of `runner`. Throws `LedgerError` when they are ahead of it. */
export async function migrate(database: DataSource, runner: QueryRunner, where: string): Promise<void> {
  if (await runner.hasTable(MIGRATIONS_TABLE)) {
    const known = new Set(migrations.map(({ name }) => name));
    const applied = await runner.manager.query<{ name: string }[]>(`SELECT "name" FROM "${MIGRATIONS_TABLE}"`);
    if (applied.some(({ name }) => name.startsWith(UNFINISHED))) {
      throw new LedgerError(
        `${where} is the target of a move that is not through: run "entrepot move" again, to its end`,
      );
    }
    const newer = applied.find(({ name }) => !known.has(name));
    if (newer) {
      const advice = 'run that version, or restore a backup made before the upgrade';
      throw new LedgerError(`${where} was written by a newer Entrepot (it has "${newer.name}"): ${advice}`);
    }
  }
  const executor = new MigrationExecutor(database, runner);
  executor.transaction = 'each';
  await executor.executePendingMigrations();
}
