import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Every table of the first release. Text is compared byte by byte on both databases, so that pages are the same. */
export class Initial1763700000001 implements MigrationInterface {
  readonly name = 'Initial1763700000001';

  async up(runner: QueryRunner): Promise<void> {
    const postgres = runner.dataSource.options.type === 'postgres';
    const text = postgres ? 'text COLLATE "C"' : 'text';
    const identity = postgres ? 'bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY' : 'integer PRIMARY KEY AUTOINCREMENT';
    const clustered = postgres ? '' : 'WITHOUT ROWID';
    const statements = [...tables(text, identity, clustered), ...INDEXES, ...pullIndexes(postgres), ...COUNTERS];
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`DROP TABLE "${table}"`);
  }
}

const TABLES = [
  'resource',
  'package',
  'release',
  'object',
  'blob',
  'pull',
  'pull_count',
  'log_pending',
  'journal_position',
  'fact',
];

function tables(text: string, identity: string, clustered: string): string[] {
  return [
    `CREATE TABLE "resource" (
      "kind" ${text} NOT NULL, "name" ${text} NOT NULL, "spec" text NOT NULL, "revision" bigint NOT NULL,
      "managed_by" text NOT NULL, "retiring" boolean NOT NULL,
      "created_at" bigint NOT NULL, "updated_at" bigint NOT NULL,
      PRIMARY KEY ("kind", "name"))`,
    `CREATE TABLE "package" (
      "repository" ${text} NOT NULL, "name" ${text} NOT NULL, "format" text NOT NULL,
      "first_seen_at" bigint NOT NULL, "listed_at" bigint,
      PRIMARY KEY ("repository", "name")) ${clustered}`,
    `CREATE TABLE "release" (
      "repository" ${text} NOT NULL, "name" ${text} NOT NULL, "version" ${text} NOT NULL,
      "first_seen_at" bigint NOT NULL, "baseline" boolean NOT NULL,
      "published_at" bigint, "published_by" text, "yanked" boolean NOT NULL,
      PRIMARY KEY ("repository", "name", "version")) ${clustered}`,
    `CREATE TABLE "object" (
      "repository" ${text} NOT NULL, "path" ${text} NOT NULL, "format" text NOT NULL, "kind" text NOT NULL,
      "role" text NOT NULL, "digest" ${text} NOT NULL, "size" bigint NOT NULL, "type" text NOT NULL, "url" text NOT NULL,
      "upstream" text NOT NULL, "tag" text NOT NULL, "expected" text,
      "fetched_at" bigint NOT NULL, "checked_at" bigint NOT NULL, "fresh_until" bigint NOT NULL,
      "etag" text, "last_modified" text,
      "name" ${text}, "version" ${text}, "purl" ${text}, "package" ${text}, "published_at" bigint, "published_by" text,
      PRIMARY KEY ("repository", "path"))`,
    `CREATE TABLE "blob" (
      "digest" ${text} NOT NULL PRIMARY KEY, "size" bigint NOT NULL, "created_at" bigint NOT NULL, "orphaned_at" bigint)`,
    `CREATE TABLE "pull" (
      "seq" ${identity}, "id" ${text} NOT NULL UNIQUE,
      "at" bigint NOT NULL, "repository" ${text} NOT NULL, "format" text NOT NULL,
      "path" text NOT NULL, "role" text NOT NULL, "package" ${text}, "version" ${text}, "digest" ${text}, "size" bigint,
      "member" text, "upstream" text, "cache" text NOT NULL, "decision" text NOT NULL, "rule" text,
      "principal" ${text} NOT NULL, "consumer" ${text}, "client" text, "address" text, "request_id" text NOT NULL,
      "aborted" boolean)`,
    `CREATE TABLE "pull_count" (
      "repository" ${text} NOT NULL, "path" ${text} NOT NULL, "pulls" bigint NOT NULL, "last_pulled_at" bigint NOT NULL,
      PRIMARY KEY ("repository", "path")) ${clustered}`,
    `CREATE TABLE "log_pending" (
      "id" ${identity}, "kind" text NOT NULL, "leaf" text NOT NULL, "dedupe_key" ${text} NOT NULL UNIQUE,
      "at" bigint NOT NULL)`,
    `CREATE TABLE "journal_position" ("segment" ${text} NOT NULL PRIMARY KEY, "loaded" bigint NOT NULL)`,
    `CREATE TABLE "fact" ("key" ${text} NOT NULL PRIMARY KEY, "value" text NOT NULL)`,
  ];
}

const INDEXES = [
  `CREATE INDEX "object_purl" ON "object" ("repository", "purl", "path") WHERE "purl" IS NOT NULL`,
  `CREATE INDEX "object_package" ON "object" ("repository", "package", "path") WHERE "package" IS NOT NULL`,
  `CREATE INDEX "object_digest" ON "object" ("digest")`,
  `CREATE INDEX "object_size" ON "object" ("repository", "size")`,
  `CREATE INDEX "blob_orphaned" ON "blob" ("orphaned_at") WHERE "orphaned_at" IS NOT NULL`,
];

/**
 * Pulls are read newest first, whatever they are filtered by; `seq` orders those of one millisecond. In SQLite it is the
 * row's number, which ends every index anyhow. Short entries: loading touches a page for each, and pages are what it costs.
 */
function pullIndexes(postgres: boolean): string[] {
  const newest = postgres ? '"at", "seq"' : '"at"';
  return [
    `CREATE INDEX "pull_at" ON "pull" (${newest})`,
    `CREATE INDEX "pull_repository" ON "pull" ("repository", ${newest})`,
    `CREATE INDEX "pull_package" ON "pull" ("package", ${newest}) WHERE "package" IS NOT NULL`,
    `CREATE INDEX "pull_version" ON "pull" ("package", "version", ${newest}) WHERE "package" IS NOT NULL`,
    `CREATE INDEX "pull_digest" ON "pull" ("digest", ${newest}) WHERE "digest" IS NOT NULL`,
    `CREATE INDEX "pull_principal" ON "pull" ("principal", ${newest})`,
    `CREATE INDEX "pull_consumer" ON "pull" ("consumer", ${newest}) WHERE "consumer" IS NOT NULL`,
    `CREATE INDEX "pull_refused" ON "pull" (${newest}) WHERE "decision" = 'refused'`,
  ];
}

/** Numbers that would be slow to count, or must never repeat. */
const COUNTERS = [`INSERT INTO "fact" ("key", "value") VALUES ('ledger.revision', '0'), ('ledger.pulls', '0')`];
