import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What several processes on one database need: which fetch of a file began last, and how often something was taken away. */
export class Replicas1764200000009 implements MigrationInterface {
  readonly name = 'Replicas1764200000009';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "object" ADD COLUMN "fence" bigint`);
    await runner.query(`INSERT INTO "fact" ("key", "value") VALUES ('ledger.removals', '0')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM "fact" WHERE "key" = 'ledger.removals'`);
    await runner.query(`ALTER TABLE "object" DROP COLUMN "fence"`);
  }
}
