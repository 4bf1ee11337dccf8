import type { DataSource, QueryRunner } from 'typeorm';
import { LedgerError } from './ledger.ts';
import { Initial1763700000001 } from './migrations/0001-initial.ts';
import { Evidence1763800000002 } from './migrations/0002-evidence.ts';
import { Hosted1763900000003 } from './migrations/0003-hosted.ts';
import { Decisions1764000000004 } from './migrations/0004-decisions.ts';
import { Alerts1764000000005 } from './migrations/0005-alerts.ts';
import { Dates1763900000006 } from './migrations/0006-dates.ts';
import { Sights1764000000007 } from './migrations/0007-sights.ts';

/** In order; one set for both databases. */
export const migrations = [
  Initial1763700000001,
  Evidence1763800000002,
  Hosted1763900000003,
  Decisions1764000000004,
  Alerts1764000000005,
  Dates1763900000006,
  Sights1764000000007,
];

export const MIGRATIONS_TABLE = 'schema_migration';

/**
 * Brings the tables up to this program; `runner` looks at what is there. Throws `LedgerError` when they are ahead of it.
 */
export async function migrate(database: DataSource, runner: QueryRunner, where: string): Promise<void> {
  if (await runner.hasTable(MIGRATIONS_TABLE)) {
    const known = new Set(migrations.map(({ name }) => name));
    const applied = await runner.manager.query<{ name: string }[]>(`SELECT "name" FROM "${MIGRATIONS_TABLE}"`);
    const newer = applied.find(({ name }) => !known.has(name));
    if (newer) {
      const advice = 'run that version, or restore a backup made before the upgrade';
      throw new LedgerError(`${where} was written by a newer Entrepot (it has "${newer.name}"): ${advice}`);
    }
  }
  await database.runMigrations({ transaction: 'each' });
}
