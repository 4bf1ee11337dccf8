import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeOnce } from '../access/write-once.ts';
import { openKeys } from '../app/keys.ts';
import type { Settings } from '../app/settings.ts';
import { openLedger, openStore } from '../app/storage.ts';
import { adoptFolder } from '../ledger/journal-adoption.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type CopiedTable, type CopyProgress, copyTables } from '../ledger/transfer/copy.ts';
import type { TableWriter } from '../ledger/transfer/table.ts';
import { finish, openSource, openTarget } from '../ledger/transfer/target.ts';
import { syncFolder, systemFiles } from '../store/files.ts';
import type { S3Address } from '../store/s3-address.ts';
import type { Store } from '../store/store.ts';
import { type CopiedBlobs, copyBlobs } from './copy-blobs.ts';
import { journalOf } from './data-folder.ts';
import { findMissing, type MissingReport } from './missing.ts';

export interface MoveProgress {
  readonly doing: 'copying blobs' | 'copying rows' | 'checking blobs';
  readonly done: number;
  readonly of: number;
}

export interface Moved {
  /** Undefined: the ledger stayed where it was. */
  readonly tables: readonly CopiedTable[] | undefined;
  /** Undefined: blobs stayed where they were. */
  readonly blobs: CopiedBlobs | undefined;
  /** What is missing in the new places. */
  readonly report: MissingReport;
  /** The settings to start with from now on. */
  readonly places: Places;
}

interface Move {
  readonly id: string;
  readonly to: Places;
  /** All rows are where they belong. */
  readonly tables?: readonly CopiedTable[];
}

interface Begun extends Move {
  /** Nobody began it before. */
  readonly isNew: boolean;
}

/** In the data folder from the first step of a move to its last. */
const STATE = 'move.json';

/**
 * Copies ledger and blobs to the places that `to` names; where it started from stays as it is. Whoever calls holds the lock
 * of the data folder. Killed at any time and called again with the same places, it goes on. Throws one line.
 */
export async function move(
  from: Settings,
  to: Settings,
  progress: (progress: MoveProgress) => void = () => {},
): Promise<Moved> {
  const changed = { database: differs(from.database, to.database), storage: differs(from.storage, to.storage) };
  if (!changed.database && !changed.storage) throw new Error('everything is where it would be moved to');
  const begin = await begun(from.data, placesOf(to));
  const into = (): Promise<TableWriter> =>
    openTarget(to.database, begin.id, async () => (await openLedger(to)).close());
  if (changed.database && !begin.tables) await refusedEarly(from.data, begin, async () => (await into()).close());

  await using opened = new AsyncDisposableStack();
  const ledger = await openLedger(from);
  opened.defer(() => ledger.close());
  await loadJournal(journalOf(from), ledger);
  const store = await openStore(from);
  opened.defer(() => store.close());
  const target = changed.storage ? await refusedEarly(from.data, begin, () => openStore(to)) : store;
  if (changed.storage) opened.defer(() => target.close());

  const { blobs: of } = await ledger.stats();
  // Blobs first, rows second, as ever: a row never means what is not there.
  const blobs = changed.storage
    ? await copyBlobs(ledger, store, target, (done) => progress({ doing: 'copying blobs', done, of }))
    : undefined;
  const tables = changed.database
    ? await copyLedger(from, to, begin, into, ({ done, of: rows }) =>
        progress({ doing: 'copying rows', done, of: rows }),
      )
    : undefined;
  const report = await checked(to, target, (done) => progress({ doing: 'checking blobs', done, of }));
  await rm(join(from.data, STATE), { force: true });
  return { tables, blobs, report, places: placesOf(to) };
}

/** That all rows are there is on record before programs may start there: from then on it is not looked at any more. */
async function copyLedger(
  from: Settings,
  to: Settings,
  begin: Begun,
  into: () => Promise<TableWriter>,
  progress: (progress: CopyProgress) => void,
): Promise<readonly CopiedTable[]> {
  if (begin.tables) {
    await finish(to.database, begin.id);
    return begin.tables;
  }
  const target = await into();
  try {
    const source = await openSource(from.database);
    try {
      const tables = await copyTables(source, target, progress);
      await replaceFile(join(from.data, STATE), { id: begin.id, to: begin.to, tables });
      await finish(to.database, begin.id);
      return tables;
    } finally {
      await source.close();
    }
  } finally {
    await target.close();
  }
}

/** A target that cannot be one is no beginning of a move. */
async function refusedEarly<Result>(data: string, { isNew }: Begun, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (isNew) await rm(join(data, STATE), { force: true });
    throw error;
  }
}

/** As a start would: it is of this program's form, keys are where they belong, and every blob is there. */
async function checked(to: Settings, store: Store, progress: (blobs: number) => void): Promise<MissingReport> {
  const ledger = await openLedger(to);
  try {
    await openKeys(to, ledger);
    return await findMissing(ledger, store, progress);
  } finally {
    await ledger.close();
  }
}

/** What processes of before left there is loaded, so that nothing but the ledger has rows. */
async function loadJournal(root: string, ledger: Ledger): Promise<void> {
  const failures: Error[] = [];
  const onFailure = (error: Error): void => void failures.push(error);
  // In folders of their own where several processes had the same journal folder.
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(root, name));
  for (const dir of entries.length > 0 ? [root, ...folders] : []) {
    await adoptFolder({ dir, rejected: root, ledger, onFailure, busy: () => false });
  }
  if (failures[0]) throw failures[0];
}

/** The move that is under way in this folder, or a new one. */
async function begun(data: string, to: Places): Promise<Begun> {
  const path = join(data, STATE);
  const id = randomUUID();
  await writeOnce(path, `${JSON.stringify({ id, to } satisfies Move)}\n`);
  const found = JSON.parse(await readFile(path, 'utf8')) as Move;
  if (differs(found.to, to)) {
    throw new Error(
      `a move to ${found.to.database_url} and ${found.to.storage_url} was begun and is not through: end it with the same command, or remove ${path} and what was copied there`,
    );
  }
  return { ...found, isNew: found.id === id };
}

async function replaceFile(path: string, content: Move): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(content)}\n`, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  await syncFolder(systemFiles, dirname(path));
}

/** As settings name them, without passwords and keys. */
export interface Places {
  readonly database_url: string;
  readonly storage_url: string;
}

export function placesOf({ database, storage }: Pick<Settings, 'database' | 'storage'>): Places {
  return {
    database_url: database.kind === 'sqlite' ? `sqlite:${database.path}` : masked(database.url),
    storage_url: storage.kind === 'file' ? `file:${storage.path}` : bucketOf(storage.address),
  };
}

function bucketOf({ bucket, prefix, endpoint, region }: S3Address): string {
  return `s3://${bucket}/${prefix}?endpoint=${endpoint}&region=${region}`;
}

function masked(text: string): string {
  const url = new URL(text);
  if (url.password) url.password = '****';
  return url.href;
}

function differs(one: object, other: object): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}
