import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, CommandError } from './client.ts';
import type { Printed } from './commands.ts';
import { bar, size, table } from './print.ts';

interface Amount {
  readonly blobs: number;
  readonly bytes: number;
}

interface Verification {
  readonly state: 'running' | 'done' | 'failed' | 'broken_off';
  readonly message?: string;
  readonly read: boolean;
  readonly total: Amount;
  readonly done: Amount;
  readonly counts: Readonly<Record<Finding['kind'], number>>;
  readonly findings: readonly Finding[];
}

interface Finding {
  readonly kind: 'missing' | 'corrupt' | 'unreferenced';
  readonly digest: string;
  readonly size: number;
  readonly objects: readonly { readonly repository: string; readonly path: string }[];
  readonly remedy: 'fetched_again' | 'publish_again' | 'swept';
}

const REMEDIES: Readonly<Record<Finding['remedy'], string>> = {
  fetched_again: 'is fetched again when asked for',
  publish_again: 'must be published again',
  swept: 'is deleted soon',
};
/** Milliseconds. */
const AGAIN = 500;

/** Has the server look through its store, and waits until it has. `damaged`: how many blobs are not what they should be. */
export async function verifyStore(
  client: Client,
  read: boolean,
  progress: (text: string) => void,
): Promise<Printed & { readonly damaged: number }> {
  let run = await client.json<Verification>('api/v2/verify', { method: 'POST', body: { scope: 'store', read } });
  try {
    while (run.state === 'running') {
      progress(shown(run));
      await sleep(AGAIN);
      run = await client.json<Verification>('api/v2/verify');
    }
  } finally {
    progress('');
  }
  if (run.state !== 'done')
    throw new CommandError(`the store was not looked through: ${run.message ?? 'it was broken off'}`);
  const { missing, corrupt, unreferenced } = run.counts;
  const summary = `${run.done.blobs} blobs, ${size(run.done.bytes)}${run.read ? ', all read' : ''}: ${missing} missing, ${corrupt} corrupt, ${unreferenced} unreferenced\n`;
  return { data: run, text: `${summary}${findings(run)}`, damaged: missing + corrupt };
}

function shown({ total, done, read }: Verification): string {
  const [is, of] = read ? [done.bytes, total.bytes] : [done.blobs, total.blobs];
  const amount = read ? `${size(is)} of ${size(of)}` : `${is} of ${of} blobs`;
  return `reading the store: ${bar(is, of)} ${amount}`;
}

function findings({ findings: found, counts }: Verification): string {
  if (found.length === 0) return '';
  const rows = found.map(({ kind, digest, size: bytes, objects: [first, ...others], remedy }) => [
    kind,
    digest,
    size(bytes),
    first && `${first.repository}/${first.path}${others.length > 0 ? ` and ${others.length} more` : ''}`,
    REMEDIES[remedy],
  ]);
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const more = all > found.length ? `… and ${all - found.length} more\n` : '';
  return `${table(['WHAT', 'BLOB', 'SIZE', 'OBJECT', 'IT'], rows)}${more}`;
}
