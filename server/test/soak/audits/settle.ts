import { setTimeout as sleep } from 'node:timers/promises';
import { comes, healthOf } from '../health.ts';
import { INDEX_TTL } from '../repositories.ts';
import type { Session } from '../session.ts';
import { ask } from '../wire.ts';

const WITHIN = 60_000;
/** Whatever rested because of a fault has been tried again by then, in milliseconds. */
const RESTED = 10_000;

/** Every server is well, no block is left, and no index is younger than the world's last change. */
export async function settle(session: Session): Promise<void> {
  for (const server of session.addresses.keys()) {
    const isWell = await comes(WITHIN, async () => (await healthOf(session, server))?.status === 200);
    if (!isWell) session.findings.add('a server is not well in the end', `server ${server}`);
  }
  for (const declared of session.blocks.current) await lifted(session, declared.name);
  if (session.weather.wasBad) await sleep(Math.max(RESTED, 3 * INDEX_TTL));
}

async function lifted({ addresses, installation, findings }: Session, name: string): Promise<void> {
  const { status } = await ask({
    method: 'DELETE',
    url: `${addresses[0]}/api/v2/blocks/${name}`,
    headers: { authorization: `Bearer ${installation.token}` },
  });
  if (![200, 204, 404].includes(status)) findings.add('a block could not be lifted in the end', `${name}: ${status}`);
}
