import { resolve } from 'node:path';
import { ledgerOver, type Read, type Write } from './calls.ts';
import type { Ledger } from './ledger.ts';
import { WorkerCalls } from './worker-calls.ts';

export interface SqliteSettings {
  readonly path: string;
  readonly role: 'writer' | 'reader';
  /** Milliseconds to wait for another process that writes. */
  readonly busyTimeout: number;
}

/**
 * The ledger in a file, made when it is not there. One thread writes, one reads: a long listing holds up no write, and
 * neither the serving thread. Rejects with `LedgerError` when the file cannot be used.
 */
export async function openSqliteLedger(path: string, { busyTimeout = 5000 } = {}): Promise<Ledger> {
  const settings = { path: resolve(path), busyTimeout };
  const [writer, reader] = (['writer', 'reader'] as const).map(
    (role) => new WorkerCalls(entry(), { ...settings, role } satisfies SqliteSettings, `ledger ${role}`),
  ) as [WorkerCalls, WorkerCalls];
  // The writer last: the file's last user folds the write-ahead log into it.
  const close = async (): Promise<void> => {
    await reader.close();
    await writer.close();
  };
  try {
    await writer.call('open');
    await reader.call('open');
  } catch (error) {
    await close();
    throw error;
  }
  const read = ((name: string, ...args: unknown[]) => reader.call(name, args)) as Read;
  const write = ((name: string, ...args: unknown[]) => writer.call(name, args)) as Write;
  return ledgerOver(read, write, close);
}

/** A thread loads compiled files only. */
function entry(): URL {
  const here = import.meta.url;
  if (!here.endsWith('.ts')) return new URL('./sqlite-worker.js', here);
  return new URL('./sqlite-worker.js', here.replace('/server/src/', '/server/dist/'));
}
