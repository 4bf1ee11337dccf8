import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rmdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../engine/log.ts';
import { adoptFolder } from '../ledger/journal-adoption.ts';
import { isSegment } from '../ledger/journal-segment.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type DataLock, lockData } from './data-lock.ts';

export interface JournalFolderDeps {
  /** Of all processes; each has a folder in it. */
  readonly root: string;
  readonly ledger: Pick<Ledger, 'loadJournal' | 'journalPositions' | 'forgetJournal'>;
  readonly log: Log;
  readonly busy: () => boolean;
  /** Milliseconds between two looks for what others left; default: 10 s. */
  readonly every?: number;
}

const EVERY = 10_000;

/** This process's place in a folder of journals that several share, and its eye on the places of those that are gone. */
export class JournalFolders {
  readonly dir: string;
  readonly #deps: JournalFolderDeps;
  readonly #lock: DataLock;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #closed = false;

  static async open(deps: JournalFolderDeps): Promise<JournalFolders> {
    const name = `${hostname().replace(/[^\w.-]/g, '-')}-${randomBytes(6).toString('hex')}`;
    const dir = join(deps.root, name);
    await mkdir(dir, { recursive: true, mode: 0o750 });
    const folders = new JournalFolders(deps, dir, await lockData(dir));
    folders.#later(0);
    return folders;
  }

  private constructor(deps: JournalFolderDeps, dir: string, lock: DataLock) {
    this.#deps = deps;
    this.dir = dir;
    this.#lock = lock;
  }

  /** After the journal in it was closed: what could not be loaded stays for the others. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    await this.#lock.release();
    await rmdir(this.dir).catch(() => {});
  }

  #later(after: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().then(() => this.#later(this.#deps.every ?? EVERY));
    }, after).unref();
  }

  async #look(): Promise<void> {
    const { root, log } = this.#deps;
    try {
      for (const entry of await readdir(root, { withFileTypes: true })) {
        const dir = join(root, entry.name);
        if (!this.#closed && entry.isDirectory() && dir !== this.dir) await this.#adopt(dir);
      }
    } catch (error) {
      log.warn('what other processes left in the journal was not taken over, and is looked for again', { error });
    }
  }

  /** Whose lock can be taken is gone; two that find it at once exclude each other by that lock. */
  async #adopt(dir: string): Promise<void> {
    const { root, log, ledger, busy } = this.#deps;
    if (!(await readdir(dir).catch(() => [])).some(isSegment)) return;
    const lock = await lockData(dir).catch(() => undefined);
    if (!lock) return;
    try {
      const onFailure = (error: Error) => log.error(error.message);
      const rows = await adoptFolder({ dir, rejected: root, ledger, onFailure, busy });
      log.info('the journal of a process that is gone was taken over', { folder: dir, rows });
    } finally {
      await lock.release();
      await rmdir(dir).catch(() => {});
    }
  }
}
