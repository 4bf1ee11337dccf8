import { mkdir, stat } from 'node:fs/promises';
import { Sealer, Unsealable } from '../access/sealed.ts';
import { keptSecretKey } from '../access/secret-key.ts';
import { type DataLock, lockData } from '../app/data-lock.ts';
import type { Settings } from '../app/settings.ts';
import { openLedger, openStore } from '../app/storage.ts';
import { VERSION } from '../app/version.ts';
import { schemaNames } from '../ledger/schema-names.ts';
import { storeFailure } from '../store/failure.ts';
import type { ArchiveProgress } from './archive-reader.ts';
import { type Backup, Backups, type BackupWishes } from './backup.ts';
import { journalOf, requireWhole } from './data-folder.ts';
import { findMissing, type MissingReport } from './missing.ts';
import { type Moved, type MoveProgress, move } from './move.ts';
import { type Restored, restore } from './restore.ts';

/** A backup of what nobody serves at the moment. The folder is locked until `opened` is disposed of. */
export async function backUpOffline(
  settings: Settings,
  wishes: BackupWishes,
  opened: AsyncDisposableStack,
): Promise<Backup> {
  const { data, database } = settings;
  const kept = database.kind === 'sqlite' ? database.path : data;
  if (!(await isThere(kept))) throw new Error(`there is nothing to back up: ${kept} is not there`);
  await locked(data, opened);
  await requireWhole(data);
  const store = await openStore(settings);
  opened.defer(() => store.close());
  const source = { from: database, store, data, journal: journalOf(settings), version: VERSION, now: Date.now };
  return new Backups(source).make(wishes);
}

export interface RestoreWishes {
  readonly force: boolean;
  readonly newKeys: boolean;
  readonly progress?: (progress: ArchiveProgress) => void;
}

export interface RestoredAndChecked extends Restored {
  /** Blobs that rows refer to and the store has not. */
  readonly report: MissingReport;
  /** Nothing here opens what is sealed in the database. */
  readonly needsKey: boolean;
}

/** Into the data folder of these settings, locked meanwhile. Throws `BackupError`, or one line. */
export async function restoreOffline(
  settings: Settings,
  file: string,
  wishes: RestoreWishes,
): Promise<RestoredAndChecked> {
  const { data, database } = settings;
  if (database.kind === 'postgres') {
    throw new Error(
      'a backup is restored into a data folder: leave database_url out (--database-url sqlite:), then take it to PostgreSQL with "entrepot move --to-database postgres://…"',
    );
  }
  await using opened = new AsyncDisposableStack();
  await mkdir(data, { recursive: true, mode: 0o750 }).catch((error: unknown) => {
    throw storeFailure(error, data);
  });
  await locked(data, opened);
  const store = await openStore(settings);
  opened.defer(() => store.close());
  const places = { file, data, database: database.path, journal: journalOf(settings), store };
  const restored = await restore({ ...places, ...wishes, schema: schemaNames, now: Date.now });
  const ledger = await openLedger(settings);
  opened.defer(() => ledger.close());
  const report = await findMissing(ledger, store);
  return { ...restored, report, needsKey: !(await canOpen(settings, restored.sealed)) };
}

/** Every blob that rows refer to, held against the store; with the server stopped. */
export async function missingOffline(settings: Settings, progress?: (blobs: number) => void): Promise<MissingReport> {
  await using opened = new AsyncDisposableStack();
  await locked(settings.data, opened);
  const store = await openStore(settings);
  opened.defer(() => store.close());
  const ledger = await openLedger(settings);
  opened.defer(() => ledger.close());
  return await findMissing(ledger, store, progress);
}

/** What these settings keep to where the others say, with the server stopped. Throws one line. */
export async function moveOffline(
  from: Settings,
  to: Settings,
  progress?: (progress: MoveProgress) => void,
): Promise<Moved> {
  const { data, database } = from;
  const kept = database.kind === 'sqlite' ? database.path : data;
  if (!(await isThere(kept))) throw new Error(`there is nothing to move: ${kept} is not there`);
  await using opened = new AsyncDisposableStack();
  await locked(data, opened);
  await requireWhole(data);
  if (database.kind === 'postgres') {
    const { holdDatabase } = await import('../ledger/postgres-presence.ts');
    const presence = await holdDatabase({ url: database.url, shared: false, onFailure: () => {} });
    opened.defer(() => presence.release());
  }
  return await move(from, to, progress);
}

async function canOpen({ data, secretKey, secretKeyPrevious }: Settings, sealed: Restored['sealed']): Promise<boolean> {
  const [first, ...rest] = [secretKey, secretKeyPrevious, await keptSecretKey(data)].filter((key) => key !== undefined);
  try {
    const sealer = new Sealer(first ?? '', ...rest);
    for (const [purpose, text] of Object.entries(sealed)) sealer.open(text, purpose);
    return true;
  } catch (error) {
    if (error instanceof Unsealable) return false;
    throw error;
  }
}

async function locked(data: string, opened: AsyncDisposableStack): Promise<void> {
  const lock: DataLock = await lockData(data).catch((error: unknown) => {
    throw error instanceof Error && 'code' in error ? storeFailure(error, data) : error;
  });
  opened.defer(() => lock.release());
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
