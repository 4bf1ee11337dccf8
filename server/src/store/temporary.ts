import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { DiskUpload, type Place } from './disk-upload.ts';
import { codeOf, storeFailure } from './failure.ts';
import { type Files, makeFolder, removeFile } from './files.ts';

const ABANDONED_AFTER = 24 * 3_600_000;

/** The folder of what is on its way into a store. */
export class Temporary {
  readonly #folder: string;
  readonly #files: Files;

  constructor(data: string, files: Files) {
    this.#folder = resolve(data, 'tmp');
    this.#files = files;
  }

  /** Makes the folder and removes what a dead process left half written. */
  async open(now: number): Promise<void> {
    await makeFolder(this.#files, this.#folder);
    await this.#removeLeftovers(now);
  }

  /** Throws `StoreError`. */
  async begin(place: Omit<Place, 'discard'>, algorithms: readonly string[]): Promise<DiskUpload> {
    const path = join(this.#folder, `${process.pid}-${randomUUID()}`);
    // What cannot be removed now is removed when the folder is opened next.
    const discard = (temporary: string) => removeFile(this.#files, temporary).then(ignore, ignore);
    try {
      return new DiskUpload(path, await this.#files.open(path, 'wx+'), { ...place, discard }, algorithms);
    } catch (error) {
      throw storeFailure(error, path);
    }
  }

  /** A file belongs to the process in its name; a process id comes again, so age decides in the end. */
  async #removeLeftovers(now: number): Promise<void> {
    for await (const entry of await this.#files.opendir(this.#folder)) {
      const path = join(this.#folder, entry.name);
      const found = await this.#files.stat(path).catch(() => undefined);
      if (!found?.isFile()) continue;
      const abandoned = now - found.mtimeMs > ABANDONED_AFTER;
      if (abandoned || !isAnotherLiveProcess(Number.parseInt(entry.name, 10))) await removeFile(this.#files, path);
    }
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
