import { randomUUID } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { Descriptors } from './descriptors.ts';
import { DiskBlob } from './disk-blob.ts';
import { DiskUpload, type Place } from './disk-upload.ts';
import { codeOf, storeFailure } from './failure.ts';
import { type Files, makeFolder, syncFolder, systemFiles } from './files.ts';
import type { Blob, Store, Upload } from './store.ts';

const DIGEST = /^sha256:([0-9a-f]{2})([0-9a-f]{2})[0-9a-f]{60}$/;
const NAME = /^[0-9a-f]{64}$/;
const ABANDONED_AFTER = 24 * 3_600_000;

export interface DiskOptions {
  readonly files?: Files;
  /** How many descriptors of large blobs are kept open. */
  readonly descriptors?: number;
  readonly now?: () => number;
}

/** Blobs as files: `blobs/sha256/ab/cd/<hex>`; what is not complete is in `tmp`. */
export class DiskStore implements Store {
  readonly #blobs: string;
  readonly #temporary: string;
  readonly #files: Files;
  readonly #descriptors: Descriptors;
  readonly #place: Place;

  /** Makes the folders and removes what a dead process left half written. Throws `StoreError`. */
  static async open(data: string, options: DiskOptions = {}): Promise<DiskStore> {
    const store = new DiskStore(data, options);
    try {
      await makeFolder(store.#files, store.#blobs);
      await makeFolder(store.#files, store.#temporary);
      await store.#removeLeftovers((options.now ?? Date.now)());
    } catch (error) {
      throw storeFailure(error, data);
    }
    return store;
  }

  private constructor(data: string, { files = systemFiles, descriptors = 256 }: DiskOptions) {
    this.#blobs = resolve(data, 'blobs', 'sha256');
    this.#temporary = resolve(data, 'tmp');
    this.#files = files;
    this.#descriptors = new Descriptors(files, { count: descriptors });
    this.#place = {
      keep: (temporary, digest, size) => this.#keep(temporary, digest, size),
      // What cannot be removed now is removed when the store is opened next.
      discard: (temporary) => this.#unlink(temporary).then(ignore, ignore),
      open: (digest) => this.open(digest),
    };
  }

  async begin(algorithms: readonly string[] = []): Promise<Upload> {
    const path = join(this.#temporary, `${process.pid}-${randomUUID()}`);
    try {
      return new DiskUpload(path, await this.#files.open(path, 'wx+'), this.#place, algorithms);
    } catch (error) {
      throw storeFailure(error, path);
    }
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
      return await this.#unlink(path);
    } catch (error) {
      throw storeFailure(error, path);
    } finally {
      this.#descriptors.forget(path);
    }
  }

  async *list(): AsyncIterable<{ readonly digest: string; readonly size: number; readonly modified: number }> {
    try {
      for await (const entry of await this.#files.opendir(this.#blobs, { recursive: true })) {
        if (!entry.isFile() || !NAME.test(entry.name)) continue;
        const found = await this.#files.stat(join(entry.parentPath, entry.name)).catch(() => undefined);
        if (found) yield { digest: `sha256:${entry.name}`, size: found.size, modified: Math.trunc(found.mtimeMs) };
      }
    } catch (error) {
      throw storeFailure(error, this.#blobs);
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
   * The folder is made durable even when the blob was there: whoever put it there may not have come so far yet. A file of
   * another size under the digest is damaged, and replaced.
   */
  async #keep(temporary: string, digest: string, size: number): Promise<void> {
    const path = this.#pathOf(digest);
    const folder = dirname(path);
    if ((await this.stat(digest))?.size === size) {
      await this.#unlink(temporary);
    } else {
      await makeFolder(this.#files, folder);
      await this.#files.rename(temporary, path);
      this.#descriptors.forget(path);
    }
    await syncFolder(this.#files, folder);
  }

  /** A file in `tmp` belongs to the process in its name; a process id comes again, so age decides in the end. */
  async #removeLeftovers(now: number): Promise<void> {
    for await (const entry of await this.#files.opendir(this.#temporary)) {
      const path = join(this.#temporary, entry.name);
      const found = await this.#files.stat(path).catch(() => undefined);
      if (!found?.isFile()) continue;
      const abandoned = now - found.mtimeMs > ABANDONED_AFTER;
      if (abandoned || !isAnotherLiveProcess(Number.parseInt(entry.name, 10))) await this.#unlink(path);
    }
  }

  /** False when there was none. */
  async #unlink(path: string): Promise<boolean> {
    try {
      await this.#files.unlink(path);
      return true;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** A digest becomes a path only in this shape, so nothing leaves the folder. */
  #pathOf(digest: string): string {
    const [, first, second] = DIGEST.exec(digest) ?? [];
    if (!first || !second) throw new TypeError(`not a SHA-256 digest: ${digest}`);
    return join(this.#blobs, first, second, digest.slice('sha256:'.length));
  }
}

function ignore(): void {}

function isAnotherLiveProcess(pid: number): boolean {
  if (!(pid > 0) || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
