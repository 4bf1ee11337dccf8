import type { EntityManager } from 'typeorm';
import { insertRows, isPostgres, parameter, returned } from './bulk.ts';
import { type BlobEntity, blobs as blobEntity } from './entities.ts';
import {
  BlobGoing,
  type BlobRow,
  type Evicted,
  type Holder,
  type Page,
  type Sizes,
  type UnusedFilter,
  type UsedObject,
} from './ledger.ts';
import { present } from './rows.ts';

/** Loading pulls moves on only what is older, so that it writes no row of every object it counts. Milliseconds. */
const RELATIVE = 3_600_000;

const USED = `"repository", "path", "digest", "size", "used_at" AS "usedAt"`;

/** In order of use, the least recently used first; of those larger than something, the largest first. */
export async function leastUsed(
  manager: EntityManager,
  { repository, before, largerThan, limit }: UnusedFilter,
): Promise<UsedObject[]> {
  const given: (string | number)[] = [];
  const marker = (value: string | number): string => parameter(manager, given.push(value));
  const conditions = [
    `"upstream" <> ''`,
    ...(repository === undefined ? [] : [`"repository" = ${marker(repository)}`]),
    `"used_at" < ${marker(before)}`,
    ...(largerThan === undefined ? [] : [`"size" > ${marker(largerThan)}`]),
    '"retracted_at" IS NULL',
    '"disputed" IS NULL',
    `NOT (${beside(manager)})`,
  ];
  return manager.query<UsedObject[]>(
    `SELECT ${USED} FROM "object" WHERE ${conditions.join(' AND ')} ORDER BY ${largerThan === undefined ? '"used_at"' : '"size" DESC'} LIMIT ${marker(limit)}`,
    given,
  );
}

/** What the upstream took back, and what is kept beside a file that it changed, where that is older than `before`. */
export async function oldEvidence(manager: EntityManager, before: number, limit: number): Promise<UsedObject[]> {
  const [first, second] = [parameter(manager, 1), parameter(manager, 2)];
  const retracted = `"retracted_at" IS NOT NULL AND "retracted_at" < ${first}`;
  const found: UsedObject[] = [];
  for (const condition of [retracted, `${beside(manager)} AND "fetched_at" < ${first}`])
    found.push(
      ...(await manager.query<UsedObject[]>(`SELECT ${USED} FROM "object" WHERE ${condition} LIMIT ${second}`, [
        before,
        limit,
      ])),
    );
  return found;
}

/** Removes those that were not used or replaced since they were found. */
export async function evictUnused(manager: EntityManager, found: readonly UsedObject[], at: number): Promise<Evicted> {
  const list = isPostgres(manager) ? 'json_array_elements($1::json)' : 'json_each(?)';
  const keys = `SELECT value->>0, value->>1, value->>2, CAST(value->>3 AS bigint) FROM ${list} AS l`;
  const removed = returned<{ path: string; digest: string; size: number }>(
    await manager.query(
      `DELETE FROM "object" WHERE ("repository", "path", "digest", "used_at") IN (${keys}) RETURNING "path", "digest", "size"`,
      [JSON.stringify(found.map(({ repository, path, digest, usedAt }) => [repository, path, digest, usedAt]))],
    ),
  );
  return {
    objects: removed.length,
    bytes: removed.reduce((sum, { size }) => sum + size, 0),
    paths: removed.map(({ path }) => path).sort(),
    blobs: await letGo(manager, [...new Set(removed.map(({ digest }) => digest))], at),
  };
}

/** Of rows just loaded: moves on what is over an hour behind. */
export async function touch(
  manager: EntityManager,
  pulled: readonly { readonly repository: string; readonly path: string; readonly lastPulledAt: number }[],
): Promise<void> {
  if (pulled.length === 0) return;
  const list = isPostgres(manager) ? 'json_array_elements($1::json)' : 'json_each(?)';
  await manager.query(
    `UPDATE "object" SET "used_at" = l."at"
     FROM (SELECT value->>0 AS "repository", value->>1 AS "path", CAST(value->>2 AS bigint) AS "at" FROM ${list} AS j) AS l
     WHERE "object"."repository" = l."repository" AND "object"."path" = l."path" AND "object"."used_at" < l."at" - ${RELATIVE}`,
    [JSON.stringify(pulled.map(({ repository, path, lastPulledAt }) => [repository, path, lastPulledAt]))],
  );
}

/** An object means it again, or for the first time. Throws `BlobGoing`: the whole transaction is for nothing. */
export async function meant(manager: EntityManager, digest: string, size: number, at: number): Promise<void> {
  const update = '"size" = excluded."size", "orphaned_at" = NULL';
  const put = await putBlobs(manager, [{ digest, size }], { created_at: at }, update);
  if (put.length === 0) throw new BlobGoing(digest);
}

/** One object less means it. Marked first, which makes others that do the same wait; then looked at. */
export async function orphan(manager: EntityManager, digest: string, at: number): Promise<void> {
  await markOrphans(manager, [digest], at);
  await unmarkMeant(manager, [digest]);
}

/** Of these, those that nothing means any more: they are being deleted from now on. */
export async function letGo(manager: EntityManager, digests: readonly string[], at: number): Promise<string[]> {
  await markOrphans(manager, digests, at);
  const gone = await tombstones(manager, digests, at);
  await unmarkMeant(manager, digests);
  return gone;
}

/** Of all that was orphaned so far. */
export async function orphans(manager: EntityManager): Promise<string[]> {
  const found = await manager.query<{ digest: string }[]>(
    'SELECT "digest" FROM "blob" WHERE "orphaned_at" IS NOT NULL AND "deleting_at" IS NULL',
  );
  return found.map(({ digest }) => digest);
}

/** Of the blobs orphaned before that time, the first; they are being deleted from now on. */
export async function condemn(manager: EntityManager, before: number, limit: number, at: number): Promise<string[]> {
  const lock = isPostgres(manager) ? 'FOR UPDATE SKIP LOCKED' : '';
  const found = await manager.query<{ digest: string }[]>(
    `SELECT "digest" FROM "blob" WHERE "orphaned_at" IS NOT NULL AND "orphaned_at" < ${parameter(manager, 1)}
       AND "deleting_at" IS NULL AND "reserved_until" <= ${parameter(manager, 2)}
     ORDER BY "orphaned_at" LIMIT ${parameter(manager, 3)} ${lock}`,
    [before, at, limit],
  );
  const digests = found.map(({ digest }) => digest);
  const condemned = await tombstones(manager, digests, at);
  await unmarkMeant(manager, digests);
  return condemned;
}

/** What was being deleted before that time, and is not gone: whoever did it has ended. */
export async function dying(manager: EntityManager, before: number, limit: number): Promise<string[]> {
  const found = await manager.query<{ digest: string }[]>(
    `SELECT "digest" FROM "blob" WHERE "deleting_at" IS NOT NULL AND "deleting_at" < ${parameter(manager, 1)}
     ORDER BY "deleting_at" LIMIT ${parameter(manager, 2)}`,
    [before, limit],
  );
  return found.map(({ digest }) => digest);
}

export async function buried(manager: EntityManager, digests: readonly string[]): Promise<void> {
  await manager.query(
    `DELETE FROM "blob" WHERE "deleting_at" IS NOT NULL AND "digest" IN (SELECT value FROM ${listOf(manager)})`,
    [JSON.stringify(digests)],
  );
}

/** Not deleted before that time, though nothing means it yet. Throws `BlobGoing`. */
export async function reserve(
  manager: EntityManager,
  { digest, size }: Pick<BlobRow, 'digest' | 'size'>,
  until: number,
  at: number,
): Promise<void> {
  const later = isPostgres(manager) ? 'GREATEST' : 'MAX';
  const update = `"reserved_until" = ${later}("blob"."reserved_until", excluded."reserved_until")`;
  const columns = { created_at: at, orphaned_at: at, reserved_until: until };
  const put = await putBlobs(manager, [{ digest, size }], columns, update);
  if (put.length === 0) throw new BlobGoing(digest);
}

/** Of blobs that were found in the store, those that are not on record: they are being deleted from now on. */
export async function disown(
  manager: EntityManager,
  found: readonly Pick<BlobRow, 'digest' | 'size'>[],
  at: number,
): Promise<string[]> {
  const put = await putBlobs(manager, found, { created_at: at, orphaned_at: at, deleting_at: at });
  return put.map(({ digest }) => digest);
}

/** Marks those that are on record, are not marked, and that nothing means. */
export async function markUnmeant(manager: EntityManager, digests: readonly string[], at: number): Promise<void> {
  const unmarked = await manager.query<{ digest: string }[]>(
    `SELECT "digest" FROM "blob" WHERE "orphaned_at" IS NULL AND "deleting_at" IS NULL
       AND "digest" IN (SELECT value FROM ${listOf(manager)}) AND ${UNMEANT}`,
    [JSON.stringify(digests)],
  );
  if (unmarked.length === 0) return;
  const marked = unmarked.map(({ digest }) => digest);
  await markOrphans(manager, marked, at);
  await unmarkMeant(manager, marked);
}

/** In order of digest. */
export async function blobs(manager: EntityManager, { limit, after = '' }: Page<string>): Promise<BlobRow[]> {
  const query = manager.createQueryBuilder(blobEntity, 'b').where('b.digest > :after', { after });
  const rows = await query.orderBy('b.digest').limit(limit).getMany();
  return rows.map((row) => {
    const { digest, size, orphanedAt, deletingAt } = present<BlobEntity>(row);
    return {
      digest,
      size,
      ...(orphanedAt === undefined ? {} : { orphanedAt }),
      ...(deletingAt === undefined ? {} : { deletingAt }),
    };
  });
}

/** Of these blobs, what means them; in no order. */
export async function holders(manager: EntityManager, digests: readonly string[]): Promise<Holder[]> {
  const rows = await manager.query<(Omit<Holder, 'hosted'> & { readonly upstream: string })[]>(
    `SELECT "repository", "path", "digest", "size", "upstream" FROM "object"
     WHERE "digest" IN (SELECT value FROM ${listOf(manager)})`,
    [JSON.stringify(digests)],
  );
  return rows.map(({ upstream, ...row }) => ({ ...row, hosted: upstream === '' }));
}

export async function sizes(manager: EntityManager): Promise<Sizes> {
  const byRepository = await manager.query<Sizes['byRepository']>(
    `SELECT "repository", COUNT(*) AS "objects", CAST(SUM("size") AS bigint) AS "bytes"
     FROM "object" GROUP BY "repository" ORDER BY "repository"`,
  );
  const [totals] = await manager.query<Omit<Sizes, 'byRepository'>[]>(
    `SELECT COUNT(*) AS "blobs", CAST(COALESCE(SUM("size"), 0) AS bigint) AS "bytes",
       (SELECT CAST(COALESCE(SUM("size"), 0) AS bigint) FROM "blob" WHERE "orphaned_at" IS NOT NULL) AS "orphanedBytes"
     FROM "blob"`,
  );
  if (!totals) throw new Error('the database answered nothing');
  return { ...totals, byRepository };
}

const UNMEANT = `NOT EXISTS (SELECT 1 FROM "object" WHERE "object"."digest" = "blob"."digest")`;

/** A statement of its own after whatever locked the rows: it sees what others committed until then. */
async function tombstones(manager: EntityManager, digests: readonly string[], at: number): Promise<string[]> {
  if (digests.length === 0) return [];
  const [time, unreserved] = [parameter(manager, 1), parameter(manager, 2)];
  const list = isPostgres(manager) ? 'json_array_elements_text($3::json)' : 'json_each(?)';
  const found = returned<{ digest: string }>(
    await manager.query(
      `UPDATE "blob" SET "deleting_at" = ${time} WHERE "reserved_until" <= ${unreserved} AND "deleting_at" IS NULL
         AND "orphaned_at" IS NOT NULL AND "digest" IN (SELECT value FROM ${list}) AND ${UNMEANT} RETURNING "digest"`,
      [at, at, JSON.stringify(digests)],
    ),
  );
  return found.map(({ digest }) => digest).sort();
}

async function markOrphans(manager: EntityManager, digests: readonly string[], at: number): Promise<void> {
  if (digests.length === 0) return;
  const given = JSON.stringify(digests);
  const list = isPostgres(manager) ? 'json_array_elements_text($2::json)' : 'json_each(?)';
  // In one order: two transactions that lock the same rows do not wait for each other.
  if (isPostgres(manager) && digests.length > 1)
    await manager.query(
      `SELECT 1 FROM "blob" WHERE "digest" IN (SELECT value FROM ${listOf(manager)}) ORDER BY "digest" FOR UPDATE`,
      [given],
    );
  await manager.query(
    `UPDATE "blob" SET "orphaned_at" = ${parameter(manager, 1)} WHERE "digest" IN (SELECT value FROM ${list})`,
    [at, given],
  );
}

async function unmarkMeant(manager: EntityManager, digests: readonly string[]): Promise<void> {
  if (digests.length === 0) return;
  await manager.query(
    `UPDATE "blob" SET "orphaned_at" = NULL WHERE "deleting_at" IS NULL
       AND "digest" IN (SELECT value FROM ${listOf(manager)}) AND NOT (${UNMEANT})`,
    [JSON.stringify(digests)],
  );
}

/** Those that were put; never one that is being deleted. Without `update`, only those that were not there. */
function putBlobs(
  manager: EntityManager,
  rows: readonly Pick<BlobRow, 'digest' | 'size'>[],
  columns: Readonly<Record<string, number>>,
  update?: string,
): Promise<{ digest: string }[]> {
  const action = update === undefined ? 'NOTHING' : `UPDATE SET ${update} WHERE "blob"."deleting_at" IS NULL`;
  return insertRows(manager, {
    table: 'blob',
    columns: {
      digest: (row) => row.digest,
      size: (row) => row.size,
      ...Object.fromEntries(Object.entries(columns).map(([column, value]) => [column, () => value])),
    },
    rows,
    conflict: `ON CONFLICT ("digest") DO ${action} RETURNING "digest"`,
  });
}

/** The first parameter as rows with a `value`. */
function listOf(manager: EntityManager): string {
  return isPostgres(manager) ? 'json_array_elements_text($1::json)' : 'json_each(?)';
}

/** In the words of the index. */
function beside(manager: EntityManager): string {
  return isPostgres(manager) ? `strpos("path", chr(31)) > 0` : `instr("path", char(31)) > 0`;
}
