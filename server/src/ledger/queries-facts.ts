import type { EntityManager } from 'typeorm';
import { facts } from './entities.ts';
import type { Stats } from './ledger.ts';

export async function fact(manager: EntityManager, key: string): Promise<string | undefined> {
  return (await manager.findOneBy(facts, { key }))?.value;
}

export async function setFact(manager: EntityManager, key: string, value: string): Promise<void> {
  await manager.upsert(facts, { key, value }, ['key']);
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
