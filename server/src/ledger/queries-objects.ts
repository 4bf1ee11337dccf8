import type { EntityManager } from 'typeorm';
import { isPostgres, parameter, quote, returned } from './bulk.ts';
import { type ObjectEntity, objects as objectEntity, pullCounts } from './entities.ts';
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
import { inTurn } from './queries-events.ts';
import { recordRelease } from './queries-listing.ts';
import { announce } from './queries-log.ts';
import { letGo, meant, orphan, orphans } from './queries-space.ts';
import { present } from './rows.ts';

export async function object(manager: EntityManager, repository: string, path: string): Promise<ObjectRow | undefined> {
  const found = await manager.findOneBy(objectEntity, { repository, path });
  return found ? rowOf(found) : undefined;
}

/** False: another fetch, which began later, was faster. */
export async function recordObject(manager: EntityManager, object: ObjectRow): Promise<boolean> {
  const { repository, path, digest, size, fetchedAt, fence } = object;
  if (fence !== undefined) await inTurn(manager, `${repository}\n${path}`);
  const previous = await manager.findOneBy(objectEntity, { repository, path });
  if (fence !== undefined && (previous?.fence ?? 0) > fence) return false;
  const usedAt = Math.max(fetchedAt, object.checkedAt);
  await manager.upsert(objectEntity, { ...EMPTY, ...object, ...packageOf(object), usedAt }, ['repository', 'path']);
  const replaced = previous?.digest === digest ? undefined : previous?.digest;
  // The blobs' rows in one order: two that replace each other's do not wait for each other.
  if (replaced !== undefined && replaced < digest) await orphan(manager, replaced, fetchedAt);
  await meant(manager, digest, size, fetchedAt);
  if (replaced !== undefined && replaced > digest) await orphan(manager, replaced, fetchedAt);
  await recordRelease(manager, object);
  const fetched = object.kind === 'artifact' && object.upstream !== '';
  if (fetched && previous?.digest !== digest) await announceObject(manager, object, previous);
  return true;
}

/** False: it has other bytes than those, or is not there. */
export async function refreshObject(
  manager: EntityManager,
  repository: string,
  path: string,
  { checkedAt, freshUntil, etag, lastModified }: Freshness,
  digest?: string,
): Promise<boolean> {
  const changed = present({ checkedAt, freshUntil, etag, lastModified });
  const which = { repository, path, ...(digest === undefined ? {} : { digest }) };
  const { affected } = await manager.update(objectEntity, which, { ...changed, usedAt: checkedAt });
  return affected !== 0;
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
  at = 0,
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
    blobs: await letGo(
      manager,
      [...new Set([...(await orphans(manager)), ...removed.map(({ digest }) => digest)])],
      at,
    ),
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
  fence: null,
};

/** The version is what follows the only literal `@`: one in a name is written `%40`. */
function packageOf({ purl }: ObjectRow): { package?: string } {
  if (purl === undefined) return {};
  const at = purl.lastIndexOf('@');
  return { package: at < 0 ? purl : purl.slice(0, at) };
}

function rowOf({ package: _, usedAt: __, ...row }: ObjectEntity): ObjectRow {
  return present(row);
}
