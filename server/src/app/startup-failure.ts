import { LedgerError } from '../ledger/ledger.ts';
import { storeFailure } from '../store/failure.ts';
import { StoreError } from '../store/store.ts';
import type { Settings } from './settings.ts';

type Listening = Pick<Settings, 'listen' | 'data'>;

/** One readable line: why it cannot start, and what to do. */
export function startupFailure(error: unknown, { listen, data }: Listening): string {
  if (error instanceof LedgerError || error instanceof StoreError) return error.message;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const where = `${listen.host}:${listen.port}`;
  switch (code) {
    case 'EADDRINUSE':
      return `cannot listen on ${where}: something else does already; stop it, or set ENTREPOT_LISTEN to another port`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `cannot listen on ${where}: this machine has no such address (${code}); set ENTREPOT_LISTEN to one it has`;
    case 'ENOSPC':
    case 'EROFS':
    case 'EDQUOT':
      return storeFailure(error, data).message;
    case 'EACCES':
    case 'EPERM':
      if (error instanceof Error && 'syscall' in error && error.syscall === 'listen') {
        return `cannot listen on ${where}: it takes more rights than this user has (${code}); set ENTREPOT_LISTEN to a port above 1023`;
      }
      return storeFailure(error, data).message;
    default:
      return oneLine(error);
  }
}

/** What nobody foresaw keeps its stack: a line alone would not help anybody. */
function oneLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.constructor === Error ? error.message : (error.stack ?? error.message);
}
