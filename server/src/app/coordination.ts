import { randomUUID } from 'node:crypto';
import type { Coordination } from '../coordination/coordination.ts';
import { MemoryCoordination } from '../coordination/memory.ts';
import type { Log } from '../engine/log.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Presence } from '../ledger/postgres-presence.ts';
import type { Settings } from './settings.ts';

/** With the other processes of this installation over Redis; without one, within this process. */
export async function openCoordination(
  { redisUrl }: Pick<Settings, 'redisUrl'>,
  ledger: Pick<Ledger, 'claimFact'>,
  log: Log,
): Promise<Coordination> {
  if (redisUrl === undefined) return new MemoryCoordination();
  const installation = await ledger.claimFact('installation.id', randomUUID());
  const { openRedis } = await import('../coordination/redis.ts');
  const { host } = new URL(redisUrl);
  return openRedis({
    url: redisUrl,
    installation,
    told: (state, reason) => {
      if (state === 'ok') log.info(`Redis at ${host} is back: this process acts together with the others again`);
      else log.warn(`Redis at ${host} cannot be used, this process acts alone until it can: ${reason}`);
    },
  });
}

/** Of one process on a PostgreSQL, or of all that coordinate. A folder's lock says the same of an SQLite file. */
export async function openPresence(
  { database, redisUrl }: Pick<Settings, 'database' | 'redisUrl'>,
  log: Log,
): Promise<Presence> {
  if (database.kind === 'sqlite') return { check: async () => {}, release: async () => {} };
  const { holdDatabase } = await import('../ledger/postgres-presence.ts');
  return holdDatabase({
    url: database.url,
    shared: redisUrl !== undefined,
    onFailure: (error) => log.error(error.message),
  });
}

/** Does the work unless another process does it at this moment. */
export async function byOne(coordination: Coordination, name: string, work: () => Promise<void>): Promise<void> {
  const lease = await coordination.lease(name, TTL);
  if (!lease) return;
  try {
    await work();
  } finally {
    await lease.release();
  }
}

/** Does the work after any other process that does it at this moment. */
export async function inTurn(coordination: Coordination, name: string, work: () => Promise<void>): Promise<void> {
  const patience = AbortSignal.timeout(LONGEST_WAIT);
  let lease = await coordination.lease(name, TTL);
  while (!lease && !patience.aborted) {
    await coordination.released(name, patience);
    lease = await coordination.lease(name, TTL);
  }
  try {
    await work();
  } finally {
    await lease?.release();
  }
}

/** How long the lease of a process that died stays; milliseconds. */
const TTL = 10_000;
const LONGEST_WAIT = 30_000;
