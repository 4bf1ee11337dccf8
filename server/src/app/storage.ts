import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../engine/log.ts';
import { type Journal, openJournal } from '../ledger/journal.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { DiskStore } from '../store/disk.ts';
import { storeFailure } from '../store/failure.ts';
import type { Store } from '../store/store.ts';
import { busyness } from './busyness.ts';
import { lockData } from './data-lock.ts';
import type { Settings } from './settings.ts';

/** Put between the application and what it keeps things in: for tests of what happens when that fails. */
export interface Between {
  readonly ledger?: (ledger: Ledger) => Ledger;
  readonly store?: (store: Store) => Store;
}

export interface Storage {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly journal: Journal;
}

/** Opens what is kept, under the lock of the data folder; `opened` gets what closes it again, in order of opening. */
export async function openStorage(
  settings: Settings,
  {
    log,
    now,
    between,
    opened,
  }: {
    readonly log: Log;
    readonly now: () => number;
    readonly between: Between;
    readonly opened: AsyncDisposableStack;
  },
): Promise<Storage> {
  const { data } = settings;
  try {
    await mkdir(data, { recursive: true, mode: 0o750 });
  } catch (error) {
    throw storeFailure(error, data);
  }
  const lock = await lockData(data).catch((error: unknown) => {
    throw error instanceof Error && 'code' in error ? storeFailure(error, data) : error;
  });
  opened.defer(() => lock.release());
  const disk = await DiskStore.open(settings.storage.path);
  opened.defer(() => disk.close());
  const database = await openLedger(settings);
  opened.defer(() => database.close());
  const store = between.store?.(disk) ?? disk;
  const ledger = between.ledger?.(database) ?? database;
  const journal = await openJournal({
    dir: join(data, 'journal'),
    ledger,
    now,
    strict: settings.audit.durability === 'strict',
    busy: busyness(),
    onFailure: (error) => log.error(error.message),
  });
  opened.defer(() => journal.close());
  return { store, ledger, journal };
}

/** Only the driver that is used is loaded. */
async function openLedger({ database }: Settings): Promise<Ledger> {
  if (database.kind === 'postgres') {
    const { openPostgresLedger } = await import('../ledger/postgres.ts');
    return openPostgresLedger(database.url);
  }
  const { openSqliteLedger } = await import('../ledger/sqlite.ts');
  return openSqliteLedger(database.path);
}
