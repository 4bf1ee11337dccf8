import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When files that were never fetched were last modified, as the upstream's server said when it was asked. */
export class Dates1763900000006 implements MigrationInterface {
  readonly name = 'Dates1763900000006';

  async up(runner: QueryRunner): Promise<void> {
    const text = runner.dataSource.options.type === 'postgres' ? 'text COLLATE "C"' : 'text';
    await runner.query(
      `CREATE TABLE "file_date" (
        "repository" ${text} NOT NULL, "path" ${text} NOT NULL, "upstream" ${text} NOT NULL, "modified_at" bigint NOT NULL,
        PRIMARY KEY ("repository", "path", "upstream"))`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "file_date"');
  }
}
