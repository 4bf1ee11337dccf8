import type { EntityManager } from 'typeorm';
import { insertRows, parameter, returned } from './bulk.ts';
import type { HostedChange, HostedFileRow, HostedOutcome, HostedPackageRow, ObjectRow } from './ledger.ts';
import { announce } from './queries-log.ts';
import { recordObject } from './queries-objects.ts';
import { orphan } from './queries-space.ts';
import { present } from './rows.ts';

interface Joined {
  readonly document: string | null;
  readonly revision: number;
  readonly updatedAt: number;
  /** Null: it has no files. */
  readonly path: string | null;
  readonly version: string | null;
  readonly role: HostedFileRow['role'];
  readonly digest: string;
  readonly size: number;
  readonly metadata: string | null;
  readonly publishedAt: number;
  readonly removedAt: number | null;
}

/** In one statement: files and revision are of one moment. */
export async function hostedPackage(
  manager: EntityManager,
  repository: string,
  name: string,
): Promise<HostedPackageRow | undefined> {
  const rows = await manager.query<Joined[]>(
    `SELECT p."document", p."revision", p."updated_at" AS "updatedAt", f."path", f."version", f."role", f."digest",
       f."size", f."metadata", f."published_at" AS "publishedAt", f."removed_at" AS "removedAt"
     FROM "hosted_package" p LEFT JOIN "hosted_file" f ON f."repository" = p."repository" AND f."name" = p."name"
     WHERE p."repository" = ${parameter(manager, 1)} AND p."name" = ${parameter(manager, 2)}
     ORDER BY f."published_at", f."path"`,
    [repository, name],
  );
  const [first] = rows;
  if (!first) return undefined;
  const { document, revision, updatedAt } = first;
  const files = rows.flatMap(({ document: _, revision: __, updatedAt: ___, path, ...file }) =>
    path === null ? [] : [present({ path, ...file }) as HostedFileRow],
  );
  return { name, revision, updatedAt, files, ...(document === null ? {} : { document }) };
}

/** Of the packages that have files, in order. */
export async function hostedNames(manager: EntityManager, repository: string): Promise<string[]> {
  const rows = await manager.query<{ name: string }[]>(
    `SELECT DISTINCT "name" FROM "hosted_file"
     WHERE "repository" = ${parameter(manager, 1)} AND "removed_at" IS NULL AND "name" <> '' ORDER BY "name"`,
    [repository],
  );
  return rows.map(({ name }) => name);
}

/** Taking the revision first also makes two changes of a package wait for each other: its row is locked. */
export async function publish(manager: EntityManager, change: HostedChange): Promise<HostedOutcome> {
  if (change.package !== undefined && !(await advance(manager, change, change.package))) return { is: 'moved' };
  for (const { object } of change.files) {
    const known = await fileAt(manager, object.repository, object.path);
    if (known && known.digest !== object.digest)
      return { is: 'taken', path: object.path, removed: known.removedAt !== null };
  }
  for (const { object, metadata } of change.files) {
    if (!(await putFile(manager, change, object, metadata))) return { is: 'taken', path: object.path, removed: false };
  }
  for (const { path, metadata } of change.metadata) await describe(manager, change.repository, path, metadata);
  for (const one of change.removed) await remove(manager, change, one);
  return { is: 'done' };
}

async function advance(
  manager: EntityManager,
  { repository, document, expect = 0, at }: HostedChange,
  name: string,
): Promise<boolean> {
  const marker = (position: number) => parameter(manager, position);
  const statement =
    expect === 0
      ? `INSERT INTO "hosted_package" ("document", "updated_at", "repository", "name", "revision")
         VALUES (${[1, 2, 3, 4].map(marker).join(', ')}, 1) ON CONFLICT DO NOTHING RETURNING "revision"`
      : `UPDATE "hosted_package" SET "document" = COALESCE(${marker(1)}, "document"), "updated_at" = ${marker(2)},
           "revision" = "revision" + 1
         WHERE "repository" = ${marker(3)} AND "name" = ${marker(4)} AND "revision" = ${marker(5)} RETURNING "revision"`;
  const values = [document ?? null, at, repository, name, ...(expect === 0 ? [] : [expect])];
  return returned<{ revision: number }>(await manager.query(statement, values)).length > 0;
}

interface Known {
  readonly digest: string;
  readonly removedAt: number | null;
}

async function fileAt(manager: EntityManager, repository: string, path: string): Promise<Known | undefined> {
  const [row] = await manager.query<Known[]>(
    `SELECT "digest", "removed_at" AS "removedAt" FROM "hosted_file"
     WHERE "repository" = ${parameter(manager, 1)} AND "path" = ${parameter(manager, 2)}`,
    [repository, path],
  );
  return row;
}

/** False: somebody else put other bytes there a moment ago. What was removed and is the same again is there again. */
async function putFile(
  manager: EntityManager,
  change: HostedChange,
  object: ObjectRow,
  metadata: string | undefined,
): Promise<boolean> {
  const { repository, format, path, digest, size, role, name, version, purl } = object;
  const put = await insertRows<ObjectRow, { path: string }>(manager, {
    table: 'hosted_file',
    columns: {
      repository: () => repository,
      path: () => path,
      name: () => change.package ?? '',
      version: () => version,
      role: () => role,
      digest: () => digest,
      size: () => size,
      metadata: () => metadata,
      published_at: () => change.at,
    },
    rows: [object],
    conflict: `ON CONFLICT ("repository", "path") DO UPDATE SET "removed_at" = NULL, "metadata" = excluded."metadata"
      WHERE "hosted_file"."digest" = excluded."digest" RETURNING "path"`,
  });
  if (put.length === 0) return false;
  await recordObject(manager, object);
  await announce(manager, {
    kind: 'artifact.published',
    about: [repository, path, digest, change.at],
    leaf: { repository, format, path, digest, size, name, version, purl },
    at: change.at,
  });
  return true;
}

async function describe(manager: EntityManager, repository: string, path: string, metadata: string): Promise<void> {
  const marker = (position: number) => parameter(manager, position);
  await manager.query(
    `UPDATE "hosted_file" SET "metadata" = ${marker(1)} WHERE "repository" = ${marker(2)} AND "path" = ${marker(3)}`,
    [metadata, repository, path],
  );
}

async function remove(
  manager: EntityManager,
  { repository, format, at }: HostedChange,
  { path, frees }: HostedChange['removed'][number],
): Promise<void> {
  const marker = (position: number) => parameter(manager, position);
  const here = (first: number) => `"repository" = ${marker(first)} AND "path" = ${marker(first + 1)}`;
  if (frees) await manager.query(`DELETE FROM "hosted_file" WHERE ${here(1)}`, [repository, path]);
  else
    await manager.query(`UPDATE "hosted_file" SET "removed_at" = ${marker(1)} WHERE ${here(2)}`, [
      at,
      repository,
      path,
    ]);
  const removed = returned<{ digest: string }>(
    await manager.query(`DELETE FROM "object" WHERE ${here(1)} RETURNING "digest"`, [repository, path]),
  );
  for (const { digest } of removed) {
    await orphan(manager, digest, at);
    const leaf = { repository, format, path, digest };
    await announce(manager, { kind: 'artifact.removed', about: [repository, path, digest, at], leaf, at });
  }
}
