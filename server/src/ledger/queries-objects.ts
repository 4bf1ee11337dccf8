import type { EntityManager } from 'typeorm';
import { isPostgres, parameter, quote, returned } from './bulk.ts';
import { blobs, type ObjectEntity, objects as objectEntity, pullCounts } from './entities.ts';
import {
  type Evicted,
  type Freshness,
  LedgerError,
  type ObjectFilter,
  type ObjectMark,
  type ObjectRow,
  type ObjectView,
  type Page,
} from './ledger.ts';
import { recordRelease } from './queries-listing.ts';
import { announce } from './queries-log.ts';
import { present } from './rows.ts';

export async function object(manager: EntityManager, repository: string, path: string): Promise<ObjectRow | undefined> {
  const found = await manager.findOneBy(objectEntity, { repository, path });
  return found ? rowOf(found) : undefined;
}

export async function recordObject(manager: EntityManager, object: ObjectRow): Promise<void> {
  const { repository, path, digest, size, fetchedAt } = object;
  const previous = await manager.findOneBy(objectEntity, { repository, path });
  await manager.upsert(objectEntity, { ...EMPTY, ...object, ...packageOf(object) }, ['repository', 'path']);
  await manager.upsert(blobs, { digest, size, createdAt: fetchedAt, orphanedAt: null }, ['digest']);
  if (previous && previous.digest !== digest) await orphan(manager, previous.digest, fetchedAt);
  await recordRelease(manager, object);
  const fetched = object.kind === 'artifact' && object.upstream !== '';
  if (fetched && previous?.digest !== digest) await announceObject(manager, object, previous);
}

export async function refreshObject(
  manager: EntityManager,
  repository: string,
  path: string,
  { checkedAt, freshUntil, etag, lastModified }: Freshness,
): Promise<void> {
  await manager.update(objectEntity, { repository, path }, present({ checkedAt, freshUntil, etag, lastModified }));
}

export async function markObject(
  manager: EntityManager,
  repository: string,
  path: string,
  mark: ObjectMark,
): Promise<void> {
  const columns = Object.fromEntries(Object.entries(mark).map(([column, value]) => [column, value ?? null]));
  await manager.update(objectEntity, { repository, path }, columns);
}

export async function objects(manager: EntityManager, filter: ObjectFilter, page: Page<string>): Promise<ObjectView[]> {
  const query = manager
    .createQueryBuilder(objectEntity, 'o')
    .leftJoin(pullCounts.options.name, 'c', 'c.repository = o.repository AND c.path = o.path')
    .addSelect('c.pulls', 'pulls')
    .addSelect('c.last_pulled_at', 'last_pulled_at')
    .orderBy('o.path')
    .limit(page.limit);
  for (const [index, [column, operator, value]] of conditions(filter, page.after).entries()) {
    query.andWhere(`o.${column} ${operator} :p${index}`, { [`p${index}`]: value });
  }
  const { entities, raw } = await query.getRawAndEntities<{ pulls: number | null; last_pulled_at: number | null }>();
  return entities.map((entity, index) => {
    const { pulls, last_pulled_at: lastPulledAt } = raw[index] ?? {};
    return { ...rowOf(entity), pulls: pulls ?? 0, ...(lastPulledAt == null ? {} : { lastPulledAt }) };
  });
}

export async function evict(
  manager: EntityManager,
  filter: ObjectFilter & { readonly all?: boolean },
): Promise<Evicted> {
  const narrowed = filter.path !== undefined || filter.prefix !== undefined || filter.purl !== undefined;
  if (!narrowed && !filter.all) {
    throw new LedgerError(
      `evicting everything in "${filter.repository}" must be asked for: give a path, a prefix, a package or all`,
    );
  }
  const where = conditions(filter);
  const text = where.map(([column, operator], at) => `${quote(column)} ${operator} ${parameter(manager, at + 1)}`);
  const removed = returned<{ path: string; digest: string; size: number }>(
    await manager.query(
      `DELETE FROM "object" WHERE ${text.join(' AND ')} RETURNING "path", "digest", "size"`,
      where.map(([, , value]) => value),
    ),
  );
  await forgetPublications(
    manager,
    filter,
    removed.map(({ path }) => path),
  );
  return {
    objects: removed.length,
    bytes: removed.reduce((sum, { size }) => sum + size, 0),
    paths: removed.map(({ path }) => path).sort(),
    blobs: await removeUnreferenced(manager, new Set(removed.map(({ digest }) => digest))),
  };
}

/** Evicted is not removed: the name may mean other bytes again. What is evicted by its path may be gone already. */
async function forgetPublications(
  manager: EntityManager,
  { repository, path, all }: ObjectFilter & { readonly all?: boolean },
  removed: readonly string[],
): Promise<void> {
  const [first, second] = [parameter(manager, 1), parameter(manager, 2)];
  const list = isPostgres(manager) ? `json_array_elements_text(${second}::json)` : `json_each(${second})`;
  const paths = path === undefined ? removed : [...removed, path];
  const forgotten = returned<{ name: string }>(
    all
      ? await manager.query(`DELETE FROM "hosted_file" WHERE "repository" = ${first} RETURNING "name"`, [repository])
      : await manager.query(
          `DELETE FROM "hosted_file" WHERE "repository" = ${first} AND "path" IN (SELECT value FROM ${list}) RETURNING "name"`,
          [repository, JSON.stringify(paths)],
        ),
  );
  const names = JSON.stringify([...new Set(forgotten.map(({ name }) => name))]);
  if (forgotten.length === 0 && !all) return;
  const remaining = `SELECT 1 FROM "hosted_file" f WHERE f."repository" = "hosted_package"."repository" AND f."name" = "hosted_package"."name"`;
  await manager.query(`DELETE FROM "hosted_package" WHERE "repository" = ${first} AND NOT EXISTS (${remaining})`, [
    repository,
  ]);
  await manager.query(
    `UPDATE "hosted_package" SET "revision" = "revision" + 1 WHERE "repository" = ${first} AND "name" IN (SELECT value FROM ${list})`,
    [repository, names],
  );
}

type Condition = readonly [column: string, operator: '=' | '>' | '>=' | '<', value: string];

function conditions({ repository, path, prefix, purl }: ObjectFilter, after?: string): Condition[] {
  const found: Condition[] = [['repository', '=', repository]];
  if (path !== undefined) found.push(['path', '=', path]);
  if (prefix) found.push(['path', '>=', prefix], ['path', '<', `${prefix}\u{10FFFF}`]);
  if (purl !== undefined) found.push([purl.includes('@') ? 'purl' : 'package', '=', purl]);
  if (after !== undefined) found.push(['path', '>', after]);
  return found;
}

/** A replaced document's blob waits for the next eviction: whoever reads it now is not disturbed. */
export async function orphan(manager: EntityManager, digest: string, at: number): Promise<void> {
  if (await manager.existsBy(objectEntity, { digest })) return;
  await manager.update(blobs, { digest }, { orphanedAt: at });
}

/** Of these blobs and those orphaned earlier, removes the ones that no object of any repository means. */
async function removeUnreferenced(manager: EntityManager, digests: ReadonlySet<string>): Promise<string[]> {
  const given = isPostgres(manager) ? 'json_array_elements_text($1::json)' : 'json_each(?)';
  const removed = [
    ...(await removeBlobs(manager, `"digest" IN (SELECT value FROM ${given})`, [JSON.stringify([...digests])])),
    ...(await removeBlobs(manager, '"orphaned_at" IS NOT NULL', [])),
  ];
  return removed.sort();
}

async function removeBlobs(manager: EntityManager, condition: string, parameters: string[]): Promise<string[]> {
  const unreferenced = `NOT EXISTS (SELECT 1 FROM "object" WHERE "object"."digest" = "blob"."digest")`;
  const removed = returned<{ digest: string }>(
    await manager.query(`DELETE FROM "blob" WHERE ${condition} AND ${unreferenced} RETURNING "digest"`, parameters),
  );
  return removed.map(({ digest }) => digest);
}

async function announceObject(manager: EntityManager, object: ObjectRow, previous: ObjectEntity | null): Promise<void> {
  const { repository, format, path, digest, size, url, name, version, purl, fetchedAt } = object;
  await announce(manager, {
    kind: previous ? 'upstream.mutated' : 'upstream.observed',
    about: [repository, path, digest],
    leaf: { repository, format, path, digest, size, url, name, version, purl, previous: previous?.digest },
    at: fetchedAt,
  });
}

/** What an object of before said and this one does not is gone. */
const EMPTY = {
  expected: null,
  etag: null,
  lastModified: null,
  name: null,
  version: null,
  purl: null,
  package: null,
  publishedAt: null,
  publishedBy: null,
  link: null,
  retractedAt: null,
  disputed: null,
};

/** The version is what follows the only literal `@`: one in a name is written `%40`. */
function packageOf({ purl }: ObjectRow): { package?: string } {
  if (purl === undefined) return {};
  const at = purl.lastIndexOf('@');
  return { package: at < 0 ? purl : purl.slice(0, at) };
}

function rowOf({ package: _, ...row }: ObjectEntity): ObjectRow {
  return present(row);
}
