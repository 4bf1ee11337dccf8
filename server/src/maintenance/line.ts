import { LedgerError } from '../ledger/ledger.ts';
import { storeFailure } from '../store/failure.ts';
import { StoreError } from '../store/store.ts';
import { BackupError } from './archive.ts';

/** What went wrong, for whoever typed the command; what nobody foresaw keeps its stack. */
export function lineOf(error: Error): string {
  if (error instanceof BackupError || error instanceof StoreError || error instanceof LedgerError) return error.message;
  if ('code' in error && 'path' in error) return storeFailure(error, String(error.path)).message;
  return error.constructor === Error ? error.message : (error.stack ?? error.message);
}
