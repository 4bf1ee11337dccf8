import { resolve } from 'node:path';
import { ledgerOver, type Read, type Write } from './calls.ts';
import type { Ledger } from './ledger.ts';
import { SqliteThreads } from './sqlite-threads.ts';
import { WorkerCalls } from './worker-calls.ts';

export interface SqliteSettings {
  readonly path: string;
  readonly role: 'writer' | 'reader';
  /** Milliseconds to wait for another process that writes. */
  readonly busyTimeout: number;
}

/** The ledger in a file, made when it is not there. Rejects with `LedgerError` when the file cannot be used. */
export async function openSqliteLedger(path: string, { busyTimeout = 5000 } = {}): Promise<Ledger> {
  const settings = { path: resolve(path), busyTimeout };
  const thread = (role: SqliteSettings['role']): WorkerCalls =>
    new WorkerCalls(entry(), { ...settings, role } satisfies SqliteSettings, `ledger ${role}`);
  const writer = thread('writer');
  const threads = new SqliteThreads(writer, () => thread('reader'));
  try {
    await writer.call('open');
  } catch (error) {
    await threads.close();
    throw error;
  }
  const read = ((name: string, ...args: unknown[]) => threads.read(name, args)) as Read;
  const write = ((name: string, ...args: unknown[]) => threads.write(name, args)) as Write;
  return ledgerOver(read, write, () => threads.close());
}

/** A thread loads compiled files only. */
function entry(): URL {
  const here = import.meta.url;
  if (!here.endsWith('.ts')) return new URL('./sqlite-worker.js', here);
  return new URL('./sqlite-worker.js', here.replace('/server/src/', '/server/dist/'));
}
