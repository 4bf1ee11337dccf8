import type { EntityManager } from 'typeorm';
import { type Insertion, insertRows, isPostgres, parameter } from './bulk.ts';
import { type PullCountEntity, journalPositions as positionEntity, pulls as pullEntity } from './entities.ts';
import { parsePull } from './journal-row.ts';
import type { JournalPosition, Page, PullFilter, PullRow } from './ledger.ts';
import { inOrder } from './queries-events.ts';
import { touch } from './queries-space.ts';
import { present } from './rows.ts';

const COLUMNS: Insertion<PullRow>['columns'] = {
  id: (row) => row.id,
  at: (row) => row.at,
  repository: (row) => row.repository,
  format: (row) => row.format,
  path: (row) => row.path,
  role: (row) => row.role,
  package: (row) => row.package,
  version: (row) => row.version,
  digest: (row) => row.digest,
  size: (row) => row.size,
  member: (row) => row.member,
  upstream: (row) => row.upstream,
  cache: (row) => row.cache,
  decision: (row) => row.decision,
  rule: (row) => row.rule,
  observed: (row) => row.observed,
  verdict: (row) => row.verdict,
  principal: (row) => row.principal,
  consumer: (row) => row.consumer,
  client: (row) => row.client,
  address: (row) => row.address,
  request_id: (row) => row.requestId,
  aborted: (row) => row.aborted,
};

type Loaded = Pick<PullRow, 'at' | 'repository' | 'member' | 'path' | 'decision'>;

export async function loadPulls(
  manager: EntityManager,
  rows: readonly PullRow[],
  position: JournalPosition,
): Promise<void> {
  await inOrder(manager, 'pull');
  const loaded = await insertRows<PullRow, Loaded>(manager, {
    table: 'pull',
    columns: COLUMNS,
    rows,
    conflict: 'ON CONFLICT ("id") DO NOTHING RETURNING "at", "repository", "member", "path", "decision"',
  });
  await count(manager, loaded);
  await manager.upsert(positionEntity, position, ['segment']);
}

export async function loadJournal(
  manager: EntityManager,
  lines: Uint8Array,
  position: JournalPosition,
): Promise<string[]> {
  const rows: PullRow[] = [];
  const rejected: string[] = [];
  for (const line of Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength - 1)
    .toString()
    .split('\n')) {
    const row = parsePull(line);
    if (row) rows.push(row);
    else rejected.push(line);
  }
  await loadPulls(manager, rows, position);
  return rejected;
}

export async function journalPositions(manager: EntityManager): Promise<JournalPosition[]> {
  return (await manager.find(positionEntity, { order: { segment: 'ASC' } })).map((position) => ({ ...position }));
}

export async function forgetJournal(manager: EntityManager, segment: string): Promise<void> {
  await manager.delete(positionEntity, { segment });
}

/** As literals, in the words of the indexes. */
const RULINGS: Readonly<Record<NonNullable<PullFilter['ruling']>, string>> = {
  refused: `p.decision = 'refused'`,
  observed: 'p.observed IS NOT NULL',
  exempted: `p.decision = 'allowed' AND p.rule IS NOT NULL`,
  any: `(p.decision = 'refused' OR p.rule IS NOT NULL OR p.observed IS NOT NULL)`,
};

export async function pulls(manager: EntityManager, filter: PullFilter, page: Page<string>): Promise<PullRow[]> {
  const query = manager.createQueryBuilder(pullEntity, 'p').orderBy('p.at', 'DESC').addOrderBy('p.seq', 'DESC');
  for (const column of ['package', 'version', 'digest', 'repository', 'principal', 'consumer'] as const) {
    if (filter[column] !== undefined) query.andWhere(`p.${column} = :${column}`, { [column]: filter[column] });
  }
  // As a literal: the index holds refusals only, and a parameter could be anything.
  if (filter.decision === 'refused') query.andWhere(`p.decision = 'refused'`);
  if (filter.decision === 'allowed') query.andWhere(`p.decision = 'allowed'`);
  if (filter.ruling !== undefined) query.andWhere(RULINGS[filter.ruling]);
  if (filter.since !== undefined) query.andWhere('p.at >= :since', filter);
  if (filter.until !== undefined) query.andWhere('p.at < :until', filter);
  if (page.after !== undefined) {
    const last = await manager.findOne(pullEntity, { where: { id: page.after }, select: { seq: true, at: true } });
    if (!last) return [];
    query.andWhere('(p.at, p.seq) < (:lastAt, :lastSeq)', { lastAt: last.at, lastSeq: last.seq });
  }
  return (await query.limit(page.limit).getMany()).map(({ seq: _, ...row }) => present(row));
}

export async function pull(manager: EntityManager, id: string): Promise<PullRow | undefined> {
  const found = await manager.findOneBy(pullEntity, { id });
  if (!found) return undefined;
  const { seq: _, ...row } = found;
  return present(row);
}

/** Of rows just inserted only, so that a batch loaded twice counts once. A refusal is no pull of the object. */
async function count(manager: EntityManager, loaded: readonly Loaded[]): Promise<void> {
  const counts = new Map<string, PullCountEntity>();
  for (const { at, repository: asked, member, path, decision } of loaded) {
    if (decision !== 'allowed') continue;
    const repository = member ?? asked;
    const key = `${repository}\n${path}`;
    const known = counts.get(key) ?? { repository, path, pulls: 0, lastPulledAt: 0 };
    counts.set(key, { ...known, pulls: known.pulls + 1, lastPulledAt: Math.max(known.lastPulledAt, at) });
  }
  const rows = [...counts.keys()].sort().flatMap((key) => counts.get(key) ?? []);
  const later = isPostgres(manager) ? 'GREATEST' : 'MAX';
  await insertRows<PullCountEntity, never>(manager, {
    table: 'pull_count',
    columns: {
      repository: (row) => row.repository,
      path: (row) => row.path,
      pulls: (row) => row.pulls,
      last_pulled_at: (row) => row.lastPulledAt,
    },
    rows,
    conflict: `ON CONFLICT ("repository", "path") DO UPDATE SET "pulls" = "pull_count"."pulls" + excluded."pulls",
      "last_pulled_at" = ${later}("pull_count"."last_pulled_at", excluded."last_pulled_at")`,
  });
  await touch(manager, rows);
  await manager.query(
    `UPDATE "fact" SET "value" = CAST(CAST("value" AS bigint) + CAST(${parameter(manager, 1)} AS bigint) AS text)
     WHERE "key" = 'ledger.pulls'`,
    [loaded.length],
  );
}
