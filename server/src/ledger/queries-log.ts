import type { EntityManager } from 'typeorm';
import { logPending } from './entities.ts';

export interface Announcement {
  readonly kind: string;
  /** What makes the fact this one; said again, it is not announced again. */
  readonly about: readonly (string | number)[];
  readonly leaf: Readonly<Record<string, unknown>>;
  readonly at: number;
}

/** Hands a fact to the log that will commit to it, in the transaction that makes it true. */
export async function announce(manager: EntityManager, { kind, about, leaf, at }: Announcement): Promise<void> {
  await manager
    .createQueryBuilder()
    .insert()
    .into(logPending)
    .values({ kind, leaf: JSON.stringify(leaf), dedupeKey: JSON.stringify([kind, ...about]), at })
    .orIgnore()
    .updateEntity(false)
    .execute();
}
