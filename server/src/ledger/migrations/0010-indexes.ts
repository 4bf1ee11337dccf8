import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Alerts that last are few among those that were. */
export class Indexes1764300000010 implements MigrationInterface {
  readonly name = 'Indexes1764300000010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX "alert_current" ON "alert" ("id") WHERE "ended_at" IS NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX "alert_current"');
  }
}
