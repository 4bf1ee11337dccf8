import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What was used when, for whoever makes room; and the stone that stands for a blob from the decision to delete it until it is
 * gone, so that nobody takes it for one that is there.
 */
export class Space1764100000008 implements MigrationInterface {
  readonly name = 'Space1764100000008';

  async up(runner: QueryRunner): Promise<void> {
    const postgres = runner.dataSource.options.type === 'postgres';
    const later = postgres ? 'GREATEST' : 'MAX';
    const beside = postgres ? `strpos("path", chr(31)) > 0` : `instr("path", char(31)) > 0`;
    const statements = [
      'ALTER TABLE "object" ADD COLUMN "used_at" bigint NOT NULL DEFAULT 0',
      `UPDATE "object" SET "used_at" = ${later}("fetched_at", "checked_at", COALESCE((SELECT c."last_pulled_at" FROM "pull_count" c
         WHERE c."repository" = "object"."repository" AND c."path" = "object"."path"), 0))`,
      'ALTER TABLE "blob" ADD COLUMN "deleting_at" bigint',
      'ALTER TABLE "blob" ADD COLUMN "reserved_until" bigint NOT NULL DEFAULT 0',
      'CREATE INDEX "object_used_in" ON "object" ("repository", "used_at")',
      `CREATE INDEX "object_used" ON "object" ("used_at") WHERE "upstream" <> ''`,
      'CREATE INDEX "object_retracted" ON "object" ("retracted_at") WHERE "retracted_at" IS NOT NULL',
      `CREATE INDEX "object_beside" ON "object" ("fetched_at") WHERE ${beside}`,
      'CREATE INDEX "blob_size" ON "blob" ("size")',
      'CREATE INDEX "blob_deleting" ON "blob" ("deleting_at") WHERE "deleting_at" IS NOT NULL',
    ];
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    const indexes = [
      'object_used_in',
      'object_used',
      'object_retracted',
      'object_beside',
      'blob_size',
      'blob_deleting',
    ];
    for (const index of indexes) await runner.query(`DROP INDEX "${index}"`);
    await runner.query('ALTER TABLE "blob" DROP COLUMN "reserved_until"');
    await runner.query('ALTER TABLE "blob" DROP COLUMN "deleting_at"');
    await runner.query('ALTER TABLE "object" DROP COLUMN "used_at"');
  }
}
