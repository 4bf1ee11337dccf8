import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What was seen of releases that no document dates: which names stood in the first listing of a package, what each moving
 * name has meant since when, and which releases name a file by its bytes. Kept when objects are evicted.
 */
export class Sights1764000000007 implements MigrationInterface {
  readonly name = 'Sights1764000000007';

  async up(runner: QueryRunner): Promise<void> {
    const postgres = runner.dataSource.options.type === 'postgres';
    const text = postgres ? 'text COLLATE "C"' : 'text';
    const clustered = postgres ? '' : 'WITHOUT ROWID';
    const names = `"repository" ${text} NOT NULL, "name" ${text} NOT NULL`;
    const statements = [
      `CREATE TABLE "listed_name" (
        ${names}, "listed" ${text} NOT NULL,
        PRIMARY KEY ("repository", "name", "listed")) ${clustered}`,
      `CREATE TABLE "meaning" (
        ${names}, "tag" ${text} NOT NULL, "version" ${text} NOT NULL, "since" bigint NOT NULL,
        PRIMARY KEY ("repository", "name", "tag", "version")) ${clustered}`,
      `CREATE TABLE "part" (
        ${names}, "digest" ${text} NOT NULL, "version" ${text} NOT NULL,
        PRIMARY KEY ("repository", "name", "digest", "version")) ${clustered}`,
    ];
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['listed_name', 'meaning', 'part']) await runner.query(`DROP TABLE "${table}"`);
  }
}
