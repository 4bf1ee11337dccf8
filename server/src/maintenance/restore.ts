import { createWriteStream } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { leftBehind } from '../ledger/journal-segment.ts';
import { type Prepared, prepareRestored } from '../ledger/restored.ts';
import { codeOf, storeFailure } from '../store/failure.ts';
import { makeFolder, syncFolder, systemFiles } from '../store/files.ts';
import type { Store } from '../store/store.ts';
import { BackupError, DATABASE, type Manifest, type Part } from './archive.ts';
import { type ArchiveProgress, type ArchiveSink, readArchive } from './archive-reader.ts';
import { occupants, PARTIAL } from './data-folder.ts';

export interface RestorePlan {
  readonly file: string;
  readonly data: string;
  /** Where the database file will be. */
  readonly database: string;
  /** Where segments will be. */
  readonly journal: string;
  readonly store: Store;
  /** Names of the migrations that this program has. */
  readonly schema: readonly string[];
  /** Moves aside what is there. */
  readonly force: boolean;
  /** Leaves out what only a key opens that nobody has any more. */
  readonly newKeys: boolean;
  readonly now: () => number;
  readonly progress?: (progress: ArchiveProgress) => void;
}

export interface Restored extends Prepared {
  readonly manifest: Manifest;
  /** Blobs put into the store; those that were there are not counted. */
  readonly blobs: number;
  /** Folder with what was there before. */
  readonly aside: string | undefined;
}

/**
 * Everything is written beside what is there, and checked; then it takes its place, the database last. Until that is through
 * the folder has `restore.partial`, with which no server starts. Blobs go to the store as they come: their names are their
 * content, so they are in nobody's way. Whoever calls holds the lock of the folder. Throws `BackupError`.
 */
export async function restore(plan: RestorePlan): Promise<Restored> {
  const { file, data, force } = plan;
  const there = await occupants(plan);
  if (there[0] !== undefined && !force) {
    throw new BackupError(
      `${data} is in use: ${there[0]} is there; restore into another folder (--data), or move what is there aside with --force`,
    );
  }
  const sink = new RestoreSink(plan);
  await sink.begin();
  try {
    const { manifest } = await readArchive(file, sink, plan.progress);
    const prepared = await prepareRestored(sink.database, plan);
    return { manifest, ...prepared, blobs: sink.blobs, aside: await sink.takePlace(there) };
  } catch (error) {
    if (!sink.moving) await sink.forget();
    throw error;
  }
}

const OF_THE_VOLUME = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EACCES', 'EPERM', 'EIO']);

class RestoreSink implements ArchiveSink {
  readonly #plan: RestorePlan;
  readonly #partial: string;
  /** On the volume of the place it will take. */
  readonly database: string;
  blobs = 0;
  /** What was there is on its way out: what is beside it must stay. */
  moving = false;

  constructor(plan: RestorePlan) {
    this.#plan = plan;
    this.#partial = join(plan.data, PARTIAL);
    this.database = `${plan.database}.restoring`;
  }

  async begin(): Promise<void> {
    await this.forget();
    for (const folder of ['journal', 'keys']) {
      await mkdir(join(this.#partial, folder), { recursive: true, mode: 0o700 });
    }
    await mkdir(dirname(this.database), { recursive: true });
  }

  async forget(): Promise<void> {
    await rm(this.#partial, { recursive: true, force: true });
    for (const suffix of ['', '-wal', '-shm']) await rm(`${this.database}${suffix}`, { force: true });
  }

  async manifest({ schema, program }: Manifest): Promise<void> {
    const newer = schema.find((name) => !this.#plan.schema.includes(name));
    if (newer === undefined) return;
    throw new BackupError(
      `${this.#plan.file} was made by a newer Entrepot (${program}, it has "${newer}"): restore it with that version, or a newer one`,
    );
  }

  async part({ name }: Part, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const path = this.#pathOf(name);
    const file = createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true });
    await pipeline(chunks, file).catch((error: unknown) => {
      throw OF_THE_VOLUME.has(codeOf(error) ?? '') ? storeFailure(error, path) : error;
    });
  }

  async blob(digest: string, size: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { store } = this.#plan;
    if ((await store.stat(digest))?.size === size) {
      for await (const _ of chunks);
      return;
    }
    const upload = await store.begin();
    try {
      for await (const chunk of chunks) await upload.write(chunk);
      await upload.commit({ digest, size });
    } catch (error) {
      await upload.abort().catch(() => {});
      throw error;
    }
    this.blobs += 1;
  }

  /** Resolves to the folder with what was there; undefined: there was nothing. */
  async takePlace(there: readonly string[]): Promise<string | undefined> {
    const { data, database, journal, now } = this.#plan;
    const keys = await readdir(join(this.#partial, 'keys'));
    const present = await readdir(data);
    const moved = [...there, ...keys.filter((key) => present.includes(key)).map((key) => join(data, key))];
    const aside = join(data, `before-restore-${new Date(now()).toISOString().replaceAll(/[:.]/g, '-')}`);
    this.moving = true;
    if (moved.length > 0) await mkdir(aside, { mode: 0o700 });
    for (const path of moved) await move(path, join(aside, basename(path)));
    await makeFolder(systemFiles, journal);
    for (const name of await readdir(join(this.#partial, 'journal'))) {
      const rows = await readFile(join(this.#partial, 'journal', name));
      await writeFile(join(journal, name), rows, { flush: true, mode: 0o600 });
    }
    for (const key of keys) await rename(join(this.#partial, 'keys', key), join(data, key));
    await rename(this.database, database);
    for (const folder of new Set([data, journal, dirname(database)])) await syncFolder(systemFiles, folder);
    await rm(this.#partial, { recursive: true });
    return moved.length > 0 ? aside : undefined;
  }

  #pathOf(name: string): string {
    const [folder, file] = [dirname(name), basename(name)];
    if (name === DATABASE) return this.database;
    if (folder === 'journal') return join(this.#partial, 'journal', leftBehind(file));
    if (folder === 'secrets') return join(this.#partial, 'keys', file);
    return join(this.#partial, file);
  }
}

/** Also onto another volume. */
async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await cp(from, to, { recursive: true, preserveTimestamps: true });
    await rm(from, { recursive: true });
  }
}
