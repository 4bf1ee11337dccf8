import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the upstream took back or changed is kept and marked; an index page remembers which page follows it. */
export class Evidence1763800000002 implements MigrationInterface {
  readonly name = 'Evidence1763800000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE "object" ADD COLUMN "link" text');
    await runner.query('ALTER TABLE "object" ADD COLUMN "retracted_at" bigint');
    await runner.query('ALTER TABLE "object" ADD COLUMN "disputed" text');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const column of ['link', 'retracted_at', 'disputed'])
      await runner.query(`ALTER TABLE "object" DROP COLUMN "${column}"`);
  }
}
