import type { EntityManager } from 'typeorm';
import { insertRows, isPostgres, parameter } from './bulk.ts';
import { type EventEntity, events as eventEntity, pulls as pullEntity } from './entities.ts';
import type { EventRow, FeedFilter, FeedPage, FeedPosition } from './ledger.ts';
import { present } from './rows.ts';

/** What is read forward is found complete only where rows become visible in the order of their numbers. */
const LOCKS = { pull: 7_163_401_924, event: 7_163_401_925 } as const;
/** Pulls looked through at once, of which a filter may let none through. */
const STRETCH = 50_000;

/** Until the transaction ends, nobody else adds rows to the table. SQLite has one writer anyhow. */
export async function inOrder(manager: EntityManager, table: keyof typeof LOCKS): Promise<void> {
  if (isPostgres(manager)) await manager.query('SELECT pg_advisory_xact_lock($1)', [LOCKS[table]]);
}

/** Until the transaction ends, nobody else does this with what has that name. */
export async function inTurn(manager: EntityManager, name: string): Promise<void> {
  if (isPostgres(manager)) await manager.query('SELECT pg_advisory_xact_lock(7163401, hashtext($1))', [name]);
}

export async function recordEvents(manager: EntityManager, rows: readonly EventRow[]): Promise<void> {
  await inOrder(manager, 'event');
  await insertRows<EventRow, never>(manager, {
    table: 'event',
    columns: {
      kind: (row) => row.kind,
      at: (row) => row.at,
      repository: (row) => row.repository,
      details: (row) => row.details,
    },
    rows,
    conflict: '',
  });
}

export async function forgetEvents(manager: EntityManager, before: number): Promise<void> {
  await manager.query(`DELETE FROM "event" WHERE "at" < ${parameter(manager, 1)}`, [before]);
}

export async function feedEnd(manager: EntityManager): Promise<FeedPosition> {
  const [row] = await manager.query<FeedPosition[]>(
    `SELECT COALESCE((SELECT MAX("id") FROM "event"), 0) AS "event", COALESCE((SELECT MAX("seq") FROM "pull"), 0) AS "pull"`,
  );
  return row ?? { event: 0, pull: 0 };
}

/** Before the first of what happened since then. */
export async function feedSince(manager: EntityManager, since: number): Promise<FeedPosition> {
  const first = async (table: string, column: string): Promise<number | undefined> => {
    const [row] = await manager.query<{ first: number }[]>(
      `SELECT "${column}" AS "first" FROM "${table}" WHERE "at" >= ${parameter(manager, 1)} ORDER BY "at", "${column}" LIMIT 1`,
      [since],
    );
    return row && row.first - 1;
  };
  const end = await feedEnd(manager);
  return { event: (await first('event', 'id')) ?? end.event, pull: (await first('pull', 'seq')) ?? end.pull };
}

export async function feed(manager: EntityManager, { after, until, limit, ...filter }: FeedFilter): Promise<FeedPage> {
  const upper = Math.min(until.pull, after.pull + STRETCH);
  const events = await eventsAfter(manager, { after: after.event, until: until.event, limit, ...filter });
  const pulls = await pullsAfter(manager, { after: after.pull, until: upper, limit, ...filter });
  return {
    events: events.map(({ id, kind, at, repository, details }) => ({ position: id, kind, at, repository, details })),
    pulls: pulls.map(({ seq, ...row }) => ({ ...present(row), position: seq })),
    reached: {
      event: events.length < limit ? Math.max(after.event, until.event) : (events.at(-1)?.id ?? 0),
      pull: pulls.length < limit ? Math.max(after.pull, upper) : (pulls.at(-1)?.seq ?? 0),
    },
  };
}

interface Stretch extends Pick<FeedFilter, 'kinds' | 'repository'> {
  readonly after: number;
  readonly until: number;
  readonly limit: number;
}

async function eventsAfter(
  manager: EntityManager,
  { after, until, limit, kinds, repository }: Stretch,
): Promise<(EventEntity & { readonly id: number })[]> {
  if (until <= after || kinds?.length === 0) return [];
  const query = manager
    .createQueryBuilder(eventEntity, 'e')
    .where('e.id > :after AND e.id <= :until', { after, until })
    .orderBy('e.id', 'ASC');
  if (kinds) query.andWhere('e.kind IN (:...kinds)', { kinds });
  if (repository !== undefined) query.andWhere('e.repository = :repository', { repository });
  return (await query.limit(limit).getMany()) as (EventEntity & { readonly id: number })[];
}

const OF_PULLS: Readonly<Record<string, string>> = {
  served: `p.decision = 'allowed'`,
  refused: `p.decision = 'refused'`,
  observed: 'p.observed IS NOT NULL',
};

async function pullsAfter(manager: EntityManager, { after, until, limit, kinds, repository }: Stretch) {
  const wanted = Object.keys(OF_PULLS).filter((kind) => kinds?.includes(kind) ?? true);
  if (until <= after || wanted.length === 0) return [];
  const query = manager
    .createQueryBuilder(pullEntity, 'p')
    .where('p.seq > :after AND p.seq <= :until', { after, until })
    .orderBy('p.seq', 'ASC');
  if (kinds) query.andWhere(`(${wanted.map((kind) => OF_PULLS[kind]).join(' OR ')})`);
  if (repository !== undefined) query.andWhere('p.repository = :repository', { repository });
  return query.limit(limit).getMany();
}
