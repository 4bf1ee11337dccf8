import type { EntityManager } from 'typeorm';
import { isPostgres, parameter } from './bulk.ts';
import type { FileFact, KnownRelease, PullGroup, PullSlice } from './ledger.ts';
import { FIELD, PULL } from './pulls-of.ts';
import { present } from './rows.ts';

/** Few enough parameters for either database. */
const AT_ONCE = 500;

/** Also of those that were refused; `newest`: since when there are at most so many. */
export async function pullsSince(
  manager: EntityManager,
  since: number,
  newest: number,
): Promise<{ readonly count: number; readonly since: number }> {
  const marker = (position: number) => parameter(manager, position);
  const [cut] = await manager.query<{ at: number }[]>(
    `SELECT "at" FROM "pull" WHERE "at" >= ${marker(1)} ORDER BY "at" DESC LIMIT 1 OFFSET ${marker(2)}`,
    [since, newest],
  );
  const from = cut ? cut.at + 1 : since;
  const [row] = await manager.query<{ count: number }[]>(
    `SELECT COUNT(*) AS "count" FROM "pull" WHERE "at" >= ${marker(1)}`,
    [from],
  );
  return { count: Number(row?.count ?? 0), since: from };
}

/**
 * About `size` pulls from a time on, those of one file together. A slice ends between two milliseconds, so
 * that the next begins with `end`; no pull is in two.
 */
export async function pullSlice(manager: EntityManager, from: number, until: number, size: number): Promise<PullSlice> {
  const marker = (position: number) => parameter(manager, position);
  const [last] = await manager.query<{ at: number }[]>(
    `SELECT "at" FROM "pull" WHERE "at" >= ${marker(1)} AND "at" < ${marker(2)}
     ORDER BY "at" LIMIT 1 OFFSET ${marker(3)}`,
    [from, until, size],
  );
  const end = last ? Math.max(last.at, from + 1) : until;
  const each = `"principal" || '${FIELD}' || COALESCE("consumer", '')`;
  const pulls = isPostgres(manager)
    ? `string_agg("at"::text || '${FIELD}' || ${each}, '${PULL}')`
    : `group_concat("at" || '${FIELD}' || ${each}, '${PULL}')`;
  const rows = await manager.query<Record<keyof PullGroup, unknown>[]>(
    `SELECT "repository", "member", "path", MIN("format") AS "format", MIN("package") AS "package",
       MIN("version") AS "version", MIN("role") AS "role",
       CAST(COUNT(*) AS bigint) AS "pulls", MIN("at") AS "first", MAX("at") AS "last", ${pulls} AS "each"
     FROM "pull" WHERE "at" >= ${marker(1)} AND "at" < ${marker(2)}
     GROUP BY "repository", "member", "path", "role" = 'index'`,
    [from, end],
  );
  return { groups: rows.map((row) => present(row) as unknown as PullGroup), end };
}

/** What is known of files that are here, or were dated without being fetched; also the names of their packages. */
export async function fileFacts(
  manager: EntityManager,
  repository: string,
  paths: readonly string[],
): Promise<FileFact[]> {
  const facts = new Map<string, FileFact>();
  for (const [markers, parameters] of batches(manager, repository, paths)) {
    const dates = await manager.query<{ path: string; modifiedAt: number }[]>(
      `SELECT "path", MAX("modified_at") AS "modifiedAt" FROM "file_date"
       WHERE "repository" = ${parameter(manager, 1)} AND "path" IN (${markers}) GROUP BY "path"`,
      parameters,
    );
    for (const { path, modifiedAt } of dates) facts.set(path, { path, modifiedAt: Number(modifiedAt) });
    const rows = await manager.query<object[]>(
      `SELECT "path", "name", "published_at" AS "publishedAt", "published_by" AS "publishedBy",
         "last_modified" AS "lastModified"
       FROM "object" WHERE "repository" = ${parameter(manager, 1)} AND "path" IN (${markers})`,
      parameters,
    );
    for (const row of rows as FileFact[]) facts.set(row.path, { ...facts.get(row.path), ...present(row) });
  }
  return [...facts.values()];
}

const RELEASE = `r."name", r."version", r."first_seen_at" AS "firstSeenAt", r."baseline",
  r."published_at" AS "publishedAt", r."published_by" AS "publishedBy"`;

/** Every release that is known of these packages. `names`: as the format has them. */
export async function knownReleases(
  manager: EntityManager,
  repository: string,
  names: readonly string[],
): Promise<KnownRelease[]> {
  const found: KnownRelease[] = [];
  for (const [markers, parameters] of batches(manager, repository, names)) {
    const statement = `SELECT ${RELEASE} FROM "release" r WHERE r."repository" = ${parameter(manager, 1)} AND r."name" IN (${markers})`;
    found.push(...(await manager.query<object[]>(statement, parameters)).map(release));
  }
  return found;
}

/** What is known of single releases. */
export async function releaseFacts(
  manager: EntityManager,
  repository: string,
  asked: readonly (readonly [name: string, version: string])[],
): Promise<KnownRelease[]> {
  const found: KnownRelease[] = [];
  for (let from = 0; from < asked.length; from += AT_ONCE) {
    const some = asked.slice(from, from + AT_ONCE);
    const text = (position: number) => `CAST(${parameter(manager, position)} AS text)`;
    const pairs = some.map((_, at) => `(${text(at * 2 + 1)}, ${text(at * 2 + 2)})`);
    const statement = `WITH asked("name", "version") AS (VALUES ${pairs.join(', ')})
      SELECT ${RELEASE} FROM asked a JOIN "release" r
      ON r."repository" = ${parameter(manager, some.length * 2 + 1)} AND r."name" = a."name" AND r."version" = a."version"`;
    found.push(...(await manager.query<object[]>(statement, [...some.flat(), repository])).map(release));
  }
  return found;
}

function release(row: object): KnownRelease {
  const { baseline = false, ...rest } = present(row) as unknown as KnownRelease;
  return { ...rest, baseline: Boolean(baseline) };
}

function* batches(
  manager: EntityManager,
  repository: string,
  values: readonly string[],
): Iterable<readonly [markers: string, parameters: readonly string[]]> {
  for (let from = 0; from < values.length; from += AT_ONCE) {
    const some = values.slice(from, from + AT_ONCE);
    yield [some.map((_, at) => parameter(manager, at + 2)).join(', '), [repository, ...some]];
  }
}
