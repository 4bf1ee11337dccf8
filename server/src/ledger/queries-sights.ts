import type { EntityManager } from 'typeorm';
import { type Insertion, insertRows, parameter } from './bulk.ts';
import { packages, releases as releaseEntity } from './entities.ts';
import { packageSeen } from './queries-listing.ts';
import type { Meaning, Sights } from './sights.ts';

/** So many of the releases that name a file, those seen first before the others. */
const MOST_CARRIERS = 100;

type Package = Pick<Sights, 'repository' | 'name'>;

interface Sight extends Package {
  readonly version: string;
  readonly firstSeenAt: number;
  readonly baseline: boolean;
}

const RELEASE: Insertion<Sight>['columns'] = {
  repository: (row) => row.repository,
  name: (row) => row.name,
  version: (row) => row.version,
  first_seen_at: (row) => row.firstSeenAt,
  baseline: (row) => row.baseline,
  yanked: () => false,
};

/** What is on record of a release is only ever made older. */
const EARLIEST = `ON CONFLICT ("repository", "name", "version") DO UPDATE SET
  "baseline" = ("release"."baseline" OR excluded."baseline"),
  "first_seen_at" = CASE WHEN excluded."first_seen_at" < "release"."first_seen_at"
    THEN excluded."first_seen_at" ELSE "release"."first_seen_at" END
  WHERE "release"."baseline" < excluded."baseline" OR excluded."first_seen_at" < "release"."first_seen_at"`;

/**
 * A moving name's first meaning stands in the baseline where the name stood in the first listing. What a release names by its
 * bytes is as old as it is. What refers to a release stands in the baseline where that does, as far as it was there when
 * that was first asked.
 */
export async function recordSights(manager: EntityManager, sights: Sights): Promise<void> {
  const { listedAt } = await packageSeen(manager, sights);
  if (listedAt === null && sights.listing) await recordFirstListing(manager, sights, sights.listing);
  const { carrier, beside, releases } = sights;
  for (const { version, tag } of releases) if (tag !== undefined) await recordMeaning(manager, sights, tag, version);
  const others = releases.filter(({ version, tag }) => tag === undefined && version !== carrier?.version);
  if (carrier) await recordCarrier(manager, sights, carrier, others);
  else await recordBeside(manager, sights, beside, others);
}

export async function isListed(manager: EntityManager, repository: string, name: string): Promise<boolean> {
  const found = await manager.findOneBy(packages, { repository, name });
  return found !== null && found.listedAt !== null;
}

/** The newest first. */
export async function meanings(manager: EntityManager, repository: string, name: string): Promise<Meaning[]> {
  const rows = await manager.query<{ tag: string; version: string; since: number | string }[]>(
    `SELECT "tag", "version", "since" FROM "meaning" WHERE ${ofPackage(manager)} ORDER BY "since" DESC`,
    [repository, name],
  );
  return rows.map(({ since, ...row }) => ({ ...row, since: Number(since) }));
}

/** Releases of the package that name the digest by its bytes, those seen first before the others. */
export async function carriers(
  manager: EntityManager,
  repository: string,
  name: string,
  digest: string,
): Promise<string[]> {
  const rows = await manager.query<{ version: string }[]>(
    `SELECT p."version" FROM "part" p
     JOIN "release" r ON r."repository" = p."repository" AND r."name" = p."name" AND r."version" = p."version"
     WHERE ${ofPackage(manager, 'p.')} AND p."digest" = ${parameter(manager, 3)}
     ORDER BY r."baseline" DESC, r."first_seen_at", p."version" LIMIT ${MOST_CARRIERS}`,
    [repository, name, digest],
  );
  return rows.map(({ version }) => version);
}

/** What names of it are known to mean was there before it. */
async function recordFirstListing(manager: EntityManager, sights: Sights, listing: readonly string[]): Promise<void> {
  const { repository, name, at } = sights;
  await recordListed(manager, sights, listing);
  await manager.update(packages, { repository, name }, { listedAt: at });
  const listed = new Set(listing);
  const known = (await meanings(manager, repository, name)).filter(({ tag }) => listed.has(tag));
  const rows = known.map(({ version, since }) => ({ repository, name, version, firstSeenAt: since, baseline: true }));
  await recordSeen(manager, rows);
}

async function recordMeaning(manager: EntityManager, sights: Sights, tag: string, version: string): Promise<void> {
  const { repository, name, at } = sights;
  const [last] = await manager.query<{ version: string; since: number | string }[]>(
    `SELECT "version", "since" FROM "meaning" WHERE ${ofPackage(manager)} AND "tag" = ${parameter(manager, 3)}
     ORDER BY "since" DESC LIMIT 1`,
    [repository, name, tag],
  );
  const baseline = last === undefined && (await stoodInListing(manager, sights, tag));
  await recordSeen(manager, [{ repository, name, version, firstSeenAt: at, baseline }]);
  if (last?.version === version) return;
  // Our clock may have jumped back.
  const since = last ? Math.max(at, Number(last.since) + 1) : at;
  await insertRows(manager, {
    table: 'meaning',
    columns: {
      repository: () => repository,
      name: () => name,
      tag: () => tag,
      version: () => version,
      since: () => since,
    },
    rows: [version],
    conflict: 'ON CONFLICT ("repository", "name", "tag", "version") DO UPDATE SET "since" = excluded."since"',
  });
}

async function recordCarrier(
  manager: EntityManager,
  { repository, name, at }: Sights,
  { version, parts }: NonNullable<Sights['carrier']>,
  others: Sights['releases'],
): Promise<void> {
  await recordSeen(manager, [{ repository, name, version, firstSeenAt: at, baseline: false }]);
  const { firstSeenAt = at, baseline = false } = await sightOf(manager, { repository, name }, version);
  const rows = others.map((other) => ({ repository, name, version: other.version, firstSeenAt, baseline }));
  await recordSeen(manager, rows);
  await insertRows(manager, {
    table: 'part',
    columns: {
      repository: () => repository,
      name: () => name,
      digest: (digest: string) => digest,
      version: () => version,
    },
    rows: [...new Set(parts)],
    conflict: 'ON CONFLICT DO NOTHING',
  });
}

/** Of what refers to a release, only what did so when that was first asked is as old as the first listing may be. */
async function recordBeside(
  manager: EntityManager,
  sights: Sights,
  beside: string | undefined,
  others: Sights['releases'],
): Promise<void> {
  const { repository, name, at } = sights;
  const isFirst = beside !== undefined && !(await stoodInListing(manager, sights, beside));
  if (isFirst) await recordListed(manager, sights, [beside]);
  const baseline = isFirst && (await sightOf(manager, sights, beside)).baseline === true;
  const rows = others.map(({ version }) => ({ repository, name, version, firstSeenAt: at, baseline }));
  await recordSeen(manager, rows);
}

async function recordSeen(manager: EntityManager, rows: readonly Sight[]): Promise<void> {
  const unique = [...new Map(rows.map((row) => [row.version, row])).values()];
  await insertRows(manager, { table: 'release', columns: RELEASE, rows: unique, conflict: EARLIEST });
}

async function sightOf(
  manager: EntityManager,
  { repository, name }: Package,
  version: string,
): Promise<Partial<Pick<Sight, 'firstSeenAt' | 'baseline'>>> {
  return (await manager.findOneBy(releaseEntity, { repository, name, version })) ?? {};
}

async function recordListed(manager: EntityManager, { repository, name }: Package, listed: readonly string[]) {
  await insertRows(manager, {
    table: 'listed_name',
    columns: { repository: () => repository, name: () => name, listed: (one: string) => one },
    rows: [...new Set(listed)],
    conflict: 'ON CONFLICT DO NOTHING',
  });
}

async function stoodInListing(manager: EntityManager, { repository, name }: Package, listed: string): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    `SELECT 1 FROM "listed_name" WHERE ${ofPackage(manager)} AND "listed" = ${parameter(manager, 3)}`,
    [repository, name, listed],
  );
  return rows.length > 0;
}

function ofPackage(manager: EntityManager, table: '' | 'p.' = ''): string {
  return `${table}"repository" = ${parameter(manager, 1)} AND ${table}"name" = ${parameter(manager, 2)}`;
}
