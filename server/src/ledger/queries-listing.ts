import type { EntityManager } from 'typeorm';
import { type Insertion, insertRows, parameter } from './bulk.ts';
import { packages, type ReleaseEntity, releases } from './entities.ts';
import type { Listing, ObjectRow, SeenRelease } from './ledger.ts';

const COLUMNS: Insertion<ReleaseEntity>['columns'] = {
  repository: (row) => row.repository,
  name: (row) => row.name,
  version: (row) => row.version,
  first_seen_at: (row) => row.firstSeenAt,
  baseline: (row) => row.baseline,
  published_at: (row) => row.publishedAt,
  published_by: (row) => row.publishedBy,
  yanked: (row) => row.yanked,
};

const LATEST_WORD = `ON CONFLICT ("repository", "name", "version") DO UPDATE SET
  "baseline" = ("release"."baseline" OR excluded."baseline"),
  "published_at" = COALESCE(excluded."published_at", "release"."published_at"),
  "published_by" = COALESCE(excluded."published_by", "release"."published_by"),
  "yanked" = excluded."yanked"
  WHERE "release"."baseline" < excluded."baseline" OR "release"."yanked" <> excluded."yanked"
  OR "release"."published_at" IS DISTINCT FROM COALESCE(excluded."published_at", "release"."published_at")
  OR "release"."published_by" IS DISTINCT FROM COALESCE(excluded."published_by", "release"."published_by")`;

export async function recordListing(manager: EntityManager, listing: Listing): Promise<void> {
  const { repository, format, name, at } = listing;
  const known = await packageSeen(manager, { repository, format, name, at });
  const byVersion = new Map(listing.releases.map((release) => [release.version, release]));
  const rows = [...byVersion.values()].map(({ version, publishedAt, publishedBy, yanked = false }) => ({
    repository,
    name,
    version,
    firstSeenAt: at,
    baseline: known.listedAt === null,
    publishedAt: publishedAt ?? null,
    publishedBy: publishedBy ?? null,
    yanked,
  }));
  await insertRows(manager, { table: 'release', columns: COLUMNS, rows, conflict: LATEST_WORD });
  if (known.listedAt === null) await manager.update(packages, { repository, name }, { listedAt: at });
}

export async function seen(manager: EntityManager, repository: string, name: string): Promise<SeenRelease[]> {
  const rows = await manager.findBy(releases, { repository, name });
  return rows.map(({ version, firstSeenAt, baseline }) => ({ version, firstSeenAt, baseline }));
}

/** A file that was fetched is of a release that exists, listed or not. */
export async function recordRelease(manager: EntityManager, object: ObjectRow): Promise<void> {
  const { repository, format, name, version, fetchedAt } = object;
  if (name === undefined) return;
  await packageSeen(manager, { repository, format, name, at: fetchedAt });
  if (version === undefined) return;
  const row = {
    repository,
    name,
    version,
    firstSeenAt: fetchedAt,
    baseline: false,
    publishedAt: object.publishedAt ?? null,
    publishedBy: object.publishedBy ?? null,
    yanked: false,
  };
  await insertRows(manager, { table: 'release', columns: COLUMNS, rows: [row], conflict: 'ON CONFLICT DO NOTHING' });
}

interface Sighting {
  readonly repository: string;
  readonly format: string;
  readonly name: string;
  readonly at: number;
}

/** The update changes nothing but takes the row's lock: of two first listings at once, one is the first. */
export async function packageSeen(
  manager: EntityManager,
  seen: Sighting,
): Promise<{ readonly listedAt: number | null }> {
  const values = [1, 2, 3, 4].map((position) => parameter(manager, position)).join(', ');
  const [row] = await manager.query<{ listed_at: number | null }[]>(
    `INSERT INTO "package" ("repository", "name", "format", "first_seen_at") VALUES (${values})
     ON CONFLICT ("repository", "name") DO UPDATE SET "format" = excluded."format" RETURNING "listed_at"`,
    [seen.repository, seen.name, seen.format, seen.at],
  );
  return { listedAt: row?.listed_at ?? null };
}
