import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const KILLER = fileURLToPath(new URL('./kill-at-statement.mjs', import.meta.url));
const OPENER = fileURLToPath(new URL('./open-ledger.mjs', import.meta.url));

/**
 * Opens a ledger, of a file or a `postgres:` address, in a process of its own that is killed right before a statement of its
 * migrations. Resolves to how many statements there were when it was not.
 */
export async function openKilled(where: string, killAt = Number.POSITIVE_INFINITY): Promise<number | 'killed'> {
  const child = spawn(process.execPath, ['--import', KILLER, OPENER, where], {
    env: { ...process.env, KILL_AT: String(killAt), NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (child.signalCode === 'SIGKILL') return 'killed';
  if (child.exitCode !== 0) throw new Error(`the ledger was not opened: ${child.exitCode}`);
  return Number(said);
}
