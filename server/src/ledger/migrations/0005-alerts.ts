import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a person should look at: one row for as long as it lasts, and the same row when it comes back. */
export class Alerts1764000000005 implements MigrationInterface {
  readonly name = 'Alerts1764000000005';

  async up(runner: QueryRunner): Promise<void> {
    const postgres = runner.dataSource.options.type === 'postgres';
    const text = postgres ? 'text COLLATE "C"' : 'text';
    const identity = postgres ? 'bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY' : 'integer PRIMARY KEY AUTOINCREMENT';
    await runner.query(
      `CREATE TABLE "alert" (
        "id" ${identity}, "kind" ${text} NOT NULL, "repository" ${text} NOT NULL, "member" ${text} NOT NULL,
        "name" ${text} NOT NULL, "since" bigint NOT NULL, "last_seen_at" bigint NOT NULL, "ended_at" bigint,
        "details" text NOT NULL,
        UNIQUE ("kind", "repository", "member", "name"))`,
    );
    await runner.query('CREATE INDEX "alert_repository" ON "alert" ("repository", "id")');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "alert"');
  }
}
