import { dirname, join, resolve } from 'node:path';
import { Descriptors } from './descriptors.ts';
import { hexOf, placeOf } from './digest.ts';
import { DiskBlob } from './disk-blob.ts';
import { codeOf, storeFailure } from './failure.ts';
import { type Files, makeFolder, removeFile, syncFolder, systemFiles } from './files.ts';
import type { Blob, Listed, Store, Upload } from './store.ts';
import { Temporary } from './temporary.ts';

const NAME = /^[0-9a-f]{64}$/;

export interface DiskOptions {
  readonly files?: Files;
  /** How many descriptors of large blobs are kept open. */
  readonly descriptors?: number;
  readonly now?: () => number;
}

/** Blobs as files: `blobs/sha256/ab/cd/<hex>`; what is not complete is in `tmp`. */
export class DiskStore implements Store {
  readonly #blobs: string;
  readonly #temporary: Temporary;
  readonly #quarantine: string;
  readonly #files: Files;
  readonly #descriptors: Descriptors;

  /** Makes the folders and removes what a dead process left half written. Throws `StoreError`. */
  static async open(data: string, options: DiskOptions = {}): Promise<DiskStore> {
    const store = new DiskStore(data, options);
    try {
      await makeFolder(store.#files, store.#blobs);
      await store.#temporary.open((options.now ?? Date.now)());
    } catch (error) {
      throw storeFailure(error, data);
    }
    return store;
  }

  private constructor(data: string, { files = systemFiles, descriptors = 256 }: DiskOptions) {
    this.#blobs = resolve(data, 'blobs', 'sha256');
    this.#temporary = new Temporary(data, files);
    this.#quarantine = resolve(data, 'quarantine');
    this.#files = files;
    this.#descriptors = new Descriptors(files, { count: descriptors });
  }

  begin(algorithms: readonly string[] = []): Promise<Upload> {
    return this.#temporary.begin(
      {
        keep: (temporary, digest) => this.#keep(temporary, digest),
        open: (digest) => this.open(digest),
      },
      algorithms,
    );
  }

  async open(digest: string): Promise<Blob | undefined> {
    const path = this.#pathOf(digest);
    try {
      const lease = await this.#descriptors.open(path);
      return lease && new DiskBlob(digest, path, lease);
    } catch (error) {
      throw storeFailure(error, path);
    }
  }

  async stat(digest: string): Promise<{ readonly size: number } | undefined> {
    const path = this.#pathOf(digest);
    try {
      return { size: (await this.#files.stat(path)).size };
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw storeFailure(error, path);
    }
  }

  async delete(digest: string): Promise<boolean> {
    const path = this.#pathOf(digest);
    try {
      return await removeFile(this.#files, path);
    } catch (error) {
      throw storeFailure(error, path);
    } finally {
      this.#descriptors.forget(path);
    }
  }

  async quarantine(digest: string): Promise<boolean> {
    const path = this.#pathOf(digest);
    try {
      await makeFolder(this.#files, this.#quarantine);
      await this.#files.rename(path, join(this.#quarantine, hexOf(digest)));
      await syncFolder(this.#files, this.#quarantine);
      return true;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw storeFailure(error, path);
    } finally {
      this.#descriptors.forget(path);
    }
  }

  async *list(after = ''): AsyncIterable<Listed> {
    const from = after.slice('sha256:'.length);
    try {
      for (const first of await this.#folder(this.#blobs, from.slice(0, 2)))
        for (const second of await this.#folder(
          join(this.#blobs, first),
          from.startsWith(first) ? from.slice(2, 4) : '',
        ))
          yield* this.#listed(join(this.#blobs, first, second), from);
    } catch (error) {
      throw storeFailure(error, this.#blobs);
    }
  }

  async *#listed(folder: string, after: string): AsyncGenerator<Listed> {
    for (const name of await this.#folder(folder, '')) {
      if (!NAME.test(name) || name <= after) continue;
      const found = await this.#files.stat(join(folder, name)).catch(() => undefined);
      if (found?.isFile()) yield { digest: `sha256:${name}`, size: found.size, modified: Math.trunc(found.mtimeMs) };
    }
  }

  /** Names in order, `from` on; of what is gone meanwhile, or no folder, none. */
  async #folder(path: string, from: string): Promise<readonly string[]> {
    try {
      return (await this.#files.readdir(path)).filter((name) => name >= from).sort();
    } catch (error) {
      if (path !== this.#blobs && /^(ENOENT|ENOTDIR)$/.test(codeOf(error) ?? '')) return [];
      throw error;
    }
  }

  async check(): Promise<void> {
    const upload = await this.begin();
    await upload.write(Buffer.from('check'));
    await upload.abort();
    const blobs = await this.#files.stat(this.#blobs).catch((error: unknown) => {
      throw storeFailure(error, this.#blobs);
    });
    if (!blobs.isDirectory()) throw storeFailure(new Error('it is not a folder'), this.#blobs);
  }

  async close(): Promise<void> {
    this.#descriptors.close();
  }

  /**
   * Also in place of one that is there: that one may be damaged, and young again is whatever was stored lately. Who reads it
   * reads on. The folder is made durable, whoever put the blob there first may not have come so far yet.
   */
  async #keep(temporary: string, digest: string): Promise<void> {
    const path = this.#pathOf(digest);
    const folder = dirname(path);
    await makeFolder(this.#files, folder);
    await this.#files.rename(temporary, path);
    this.#descriptors.forget(path);
    await syncFolder(this.#files, folder);
  }

  #pathOf(digest: string): string {
    return join(this.#blobs, placeOf(digest));
  }
}
