import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What was published here. A file's row outlives its object when it is removed, so that its name never means other bytes; the
 * row of a package counts its changes, so that of two made for the same state one is made again.
 */
export class Hosted1763900000003 implements MigrationInterface {
  readonly name = 'Hosted1763900000003';

  async up(runner: QueryRunner): Promise<void> {
    const text = runner.dataSource.options.type === 'postgres' ? 'text COLLATE "C"' : 'text';
    await runner.query(
      `CREATE TABLE "hosted_package" (
        "repository" ${text} NOT NULL, "name" ${text} NOT NULL, "document" text, "revision" bigint NOT NULL,
        "updated_at" bigint NOT NULL,
        PRIMARY KEY ("repository", "name"))`,
    );
    await runner.query(
      `CREATE TABLE "hosted_file" (
        "repository" ${text} NOT NULL, "path" ${text} NOT NULL, "name" ${text} NOT NULL, "version" ${text},
        "role" text NOT NULL, "digest" ${text} NOT NULL, "size" bigint NOT NULL, "metadata" text,
        "published_at" bigint NOT NULL, "removed_at" bigint,
        PRIMARY KEY ("repository", "path"))`,
    );
    await runner.query('CREATE INDEX "hosted_file_name" ON "hosted_file" ("repository", "name", "published_at")');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['hosted_package', 'hosted_file']) await runner.query(`DROP TABLE "${table}"`);
  }
}
