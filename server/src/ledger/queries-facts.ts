import type { EntityManager } from 'typeorm';
import { parameter } from './bulk.ts';
import { facts } from './entities.ts';
import type { Marks, Stats } from './ledger.ts';

export async function fact(manager: EntityManager, key: string): Promise<string | undefined> {
  return (await manager.findOneBy(facts, { key }))?.value;
}

export async function setFact(manager: EntityManager, key: string, value: string): Promise<void> {
  await manager.upsert(facts, { key, value }, ['key']);
}

/** Whoever comes first wins, also over several processes. */
export async function claimFact(manager: EntityManager, key: string, value: string): Promise<string> {
  const [first, second] = [parameter(manager, 1), parameter(manager, 2)];
  await manager.query(`INSERT INTO "fact" ("key", "value") VALUES (${first}, ${second}) ON CONFLICT DO NOTHING`, [
    key,
    value,
  ]);
  return (await fact(manager, key)) ?? value;
}

export async function marks(manager: EntityManager): Promise<Marks> {
  const rows = await manager.query<{ key: string; value: string }[]>(
    `SELECT "key", "value" FROM "fact" WHERE "key" IN ('ledger.revision', 'ledger.removals')`,
  );
  const valueOf = (key: string) => Number(rows.find((row) => row.key === key)?.value ?? 0);
  return { revision: valueOf('ledger.revision'), removals: valueOf('ledger.removals') };
}

/**
 * A query after which the memory of other processes may hold what is not so any more. Counted last: the counter's row is locked
 * from then until the transaction ends, and who sees the count sees what was done.
 */
export function removing<Given extends unknown[], Result>(
  query: (manager: EntityManager, ...given: Given) => Promise<Result>,
): typeof query {
  return async (manager, ...given) => {
    const result = await query(manager, ...given);
    await manager.query(
      `UPDATE "fact" SET "value" = CAST(CAST("value" AS bigint) + 1 AS text) WHERE "key" = 'ledger.removals'`,
    );
    return result;
  };
}

export async function stats(manager: EntityManager): Promise<Stats> {
  const byRepository = await manager.query<Stats['byRepository']>(
    `SELECT "repository", COUNT(*) AS "objects", CAST(SUM("size") AS bigint) AS "bytes"
     FROM "object" GROUP BY "repository" ORDER BY "repository"`,
  );
  const [totals] = await manager.query<Pick<Stats, 'blobs' | 'bytes' | 'packages' | 'releases'>[]>(
    `SELECT (SELECT COUNT(*) FROM "blob") AS "blobs",
      (SELECT CAST(COALESCE(SUM("size"), 0) AS bigint) FROM "blob") AS "bytes",
      (SELECT COUNT(*) FROM "package") AS "packages", (SELECT COUNT(*) FROM "release") AS "releases"`,
  );
  if (!totals) throw new Error('the database answered nothing');
  const pulls = Number(await fact(manager, 'ledger.pulls'));
  return { ...totals, objects: byRepository.reduce((sum, { objects }) => sum + objects, 0), pulls, byRepository };
}

/** Writes and reads one row. */
export async function check(manager: EntityManager): Promise<void> {
  const mark = String((Number(await fact(manager, 'ledger.check')) || 0) + 1);
  await setFact(manager, 'ledger.check', mark);
  await fact(manager, 'ledger.check');
}
