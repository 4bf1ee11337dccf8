import { setTimeout as sleep } from 'node:timers/promises';
import type { Session } from './session.ts';
import { ask } from './wire.ts';

const LOOKS = 200;

export interface Health {
  readonly status: number;
  /** Parts that fail. */
  readonly failing: readonly string[];
}

/** Undefined: it does not answer. */
export async function healthOf(
  { installation }: Pick<Session, 'installation'>,
  server: number,
): Promise<Health | undefined> {
  const url = `${installation.servers[server]?.url}/health`;
  const { status, complete, body } = await ask({
    url,
    headers: { authorization: `Bearer ${installation.token}` },
    kept: true,
  });
  if (!complete || status === 0) return undefined;
  const { checks } = JSON.parse(body.toString('utf8')) as { checks: Record<string, { status: string }> };
  const parts = Object.entries(checks).filter(([name]) => !name.startsWith('upstream:'));
  return { status, failing: parts.filter(([, check]) => check.status !== 'ok').map(([name]) => name) };
}

/** Looks until it is so; false when it was not within `ms`. */
export async function comes(ms: number, isSo: () => Promise<boolean>): Promise<boolean> {
  for (const end = Date.now() + ms; ; ) {
    if (await isSo()) return true;
    if (Date.now() > end) return false;
    await sleep(LOOKS);
  }
}
