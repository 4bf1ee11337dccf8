import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Why a pull was decided as it was, and what happened beside pulls. The indexes hold only the rows that a rule said
 * something of, so that loading other pulls costs nothing more.
 */
export class Decisions1764000000004 implements MigrationInterface {
  readonly name = 'Decisions1764000000004';

  async up(runner: QueryRunner): Promise<void> {
    const postgres = runner.dataSource.options.type === 'postgres';
    const text = postgres ? 'text COLLATE "C"' : 'text';
    const identity = postgres ? 'bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY' : 'integer PRIMARY KEY AUTOINCREMENT';
    const newest = postgres ? '"at", "seq"' : '"at"';
    const statements = [
      `ALTER TABLE "pull" ADD COLUMN "observed" text`,
      `ALTER TABLE "pull" ADD COLUMN "verdict" text`,
      // In this order: of two that would do, SQLite takes the later.
      `CREATE INDEX "pull_decided" ON "pull" (${newest}) WHERE "decision" = 'refused' OR "rule" IS NOT NULL OR "observed" IS NOT NULL`,
      `DROP INDEX "pull_refused"`,
      `CREATE INDEX "pull_refused" ON "pull" (${newest}) WHERE "decision" = 'refused'`,
      `CREATE INDEX "pull_exempted" ON "pull" (${newest}) WHERE "decision" = 'allowed' AND "rule" IS NOT NULL`,
      `CREATE INDEX "pull_observed" ON "pull" (${newest}) WHERE "observed" IS NOT NULL`,
      `CREATE TABLE "event" (
        "id" ${identity}, "kind" ${text} NOT NULL, "at" bigint NOT NULL, "repository" ${text} NOT NULL, "details" text NOT NULL)`,
      `CREATE INDEX "event_at" ON "event" ("at")`,
    ];
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "event"');
    for (const index of ['pull_exempted', 'pull_observed', 'pull_decided']) await runner.query(`DROP INDEX "${index}"`);
    for (const column of ['observed', 'verdict']) await runner.query(`ALTER TABLE "pull" DROP COLUMN "${column}"`);
  }
}
