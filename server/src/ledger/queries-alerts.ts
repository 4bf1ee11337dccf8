import type { EntityManager } from 'typeorm';
import { parameter } from './bulk.ts';
import { alerts as alertEntity, packages } from './entities.ts';
import type { AlertFilter, AlertKey, AlertRow, Page, RaisedAlert } from './ledger.ts';
import { present } from './rows.ts';

/** True when it was not known, or had ended. */
export async function raiseAlert(manager: EntityManager, alert: RaisedAlert): Promise<boolean> {
  const { kind, repository, member, name, at, details } = alert;
  const values = [kind, repository, member, name, at, at, JSON.stringify(details)];
  const markers = values.map((_, position) => parameter(manager, position + 1)).join(', ');
  const before = await manager.findOneBy(alertEntity, { kind, repository, member, name });
  await manager.query(
    `INSERT INTO "alert" ("kind", "repository", "member", "name", "since", "last_seen_at", "details") VALUES (${markers})
     ON CONFLICT ("kind", "repository", "member", "name") DO UPDATE SET
       "since" = CASE WHEN "alert"."ended_at" IS NULL THEN "alert"."since" ELSE excluded."since" END,
       "last_seen_at" = excluded."last_seen_at", "details" = excluded."details", "ended_at" = NULL`,
    values,
  );
  return !before || before.endedAt !== null;
}

export async function endAlert(manager: EntityManager, key: AlertKey, at: number): Promise<void> {
  const { kind, repository, member, name } = key;
  await manager
    .createQueryBuilder()
    .update(alertEntity)
    .set({ endedAt: at })
    .where({ kind, repository, member, name })
    .andWhere('ended_at IS NULL')
    .execute();
}

/** Newest first. */
export async function alerts(manager: EntityManager, filter: AlertFilter, page: Page<number>): Promise<AlertRow[]> {
  const query = manager.createQueryBuilder(alertEntity, 'a').orderBy('a.id', 'DESC').limit(page.limit);
  for (const column of ['kind', 'repository', 'member', 'name'] as const)
    if (filter[column] !== undefined) query.andWhere(`a.${column} = :${column}`, { [column]: filter[column] });
  if (filter.state === 'current') query.andWhere('a.ended_at IS NULL');
  if (filter.state === 'ended') query.andWhere('a.ended_at IS NOT NULL');
  if (page.after !== undefined) query.andWhere('a.id < :after', { after: page.after });
  const rows = await query.getMany();
  return rows.map((row) => ({ ...present(row), id: Number(row.id), details: JSON.parse(row.details) }));
}

/** Of packages that were listed or fetched, in order. */
export async function packageNames(
  manager: EntityManager,
  repository: string,
  { limit, after }: Page<string>,
): Promise<string[]> {
  const query = manager
    .createQueryBuilder(packages, 'p')
    .select('p.name', 'name')
    .where('p.repository = :repository', { repository })
    .orderBy('p.name')
    .limit(limit);
  if (after !== undefined) query.andWhere('p.name > :after', { after });
  return (await query.getRawMany<{ name: string }>()).map(({ name }) => name);
}
