import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Coordination } from '../coordination/coordination.ts';
import type { Log } from '../engine/log.ts';
import { type Journal, openJournal } from '../ledger/journal.ts';
import { adoptFolder } from '../ledger/journal-adoption.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Presence } from '../ledger/postgres-presence.ts';
import { requireWhole } from '../maintenance/data-folder.ts';
import { storeFailure } from '../store/failure.ts';
import type { Store } from '../store/store.ts';
import { busyness } from './busyness.ts';
import { openCoordination, openPresence } from './coordination.ts';
import { lockData } from './data-lock.ts';
import { JournalFolders } from './journal-folders.ts';
import type { Settings } from './settings.ts';
import { SharedChanges } from './shared-changes.ts';

/** Put between the application and what it keeps things in: for tests of what happens when that fails. */
export interface Between {
  readonly ledger?: (ledger: Ledger) => Ledger;
  readonly store?: (store: Store) => Store;
}

export interface Storage {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly coordination: Coordination;
  /** What this process and the others tell each other of the ledger. */
  readonly changes: SharedChanges;
  readonly presence: Presence;
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
  await requireWhole(data);
  const blobs = await openStore(settings, { log, now });
  opened.defer(() => blobs.close());
  const presence = await openPresence(settings, log);
  opened.defer(() => presence.release());
  const database = await openLedger(settings);
  opened.defer(() => database.close());
  const coordination = await openCoordination(settings, database, log);
  opened.defer(() => coordination.close());
  const store = between.store?.(blobs) ?? blobs;
  const known = between.ledger?.(database) ?? database;
  const changes = new SharedChanges(coordination);
  const ledger = coordination.shared ? changes.told(known) : known;
  const journal = await openJournal({
    dir: await journalFolder(settings, { ledger, log, opened }),
    ledger,
    now,
    strict: settings.audit.durability === 'strict',
    busy: busyness(),
    onFailure: (error) => log.error(error.message),
  });
  opened.defer(() => journal.close());
  return { store, ledger, journal, coordination, changes, presence };
}

/** In a folder that several processes may have, one of this process; what it kept in its data folder before is taken from there. */
async function journalFolder(
  { data, journal: root }: Settings,
  { ledger, log, opened }: { readonly ledger: Ledger; readonly log: Log; readonly opened: AsyncDisposableStack },
): Promise<string> {
  const own = join(data, 'journal');
  if (root === undefined) return own;
  const onFailure = (error: Error) => log.error(error.message);
  if (existsSync(own)) await adoptFolder({ dir: own, rejected: own, ledger, onFailure, busy: () => false });
  const folders = await JournalFolders.open({ root, ledger, log, busy: busyness() }).catch((error: unknown) => {
    throw storeFailure(error, root);
  });
  opened.defer(() => folders.close());
  return folders.dir;
}

/** Only the driver that is used is loaded. */
export async function openStore(
  { storage, data }: Pick<Settings, 'storage' | 'data'>,
  { log, now }: { readonly log?: Log; readonly now?: () => number } = {},
): Promise<Store> {
  const clock = now === undefined ? {} : { now };
  if (storage.kind === 's3') {
    const { S3Store } = await import('../store/s3.ts');
    return S3Store.open(storage.address, data, { ...clock, onFailure: (error) => log?.warn(error.message) });
  }
  const { DiskStore } = await import('../store/disk.ts');
  return DiskStore.open(storage.path, clock);
}

/** Only the driver that is used is loaded. */
export async function openLedger({ database }: Pick<Settings, 'database'>): Promise<Ledger> {
  if (database.kind === 'postgres') {
    const { openPostgresLedger } = await import('../ledger/postgres.ts');
    return openPostgresLedger(database.url);
  }
  const { openSqliteLedger } = await import('../ledger/sqlite.ts');
  return openSqliteLedger(database.path);
}
