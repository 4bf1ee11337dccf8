import { mkdir, open, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BlobsBehind } from './installation.ts';

const DAYS = 3 * 24 * 3600;

/** A folder of blobs: `sha256/ab/cd/<hex>`. */
export class BlobsOnDisk implements BlobsBehind {
  readonly #folder: string;

  constructor(data: string) {
    this.#folder = join(data, 'blobs', 'sha256');
  }

  async *list(): AsyncIterable<{ readonly sha256: string; readonly size: number }> {
    const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!/^[0-9a-f]{64}$/.test(entry.name)) continue;
      const bytes = await this.read(entry.name);
      if (bytes) yield { sha256: entry.name, size: bytes.length };
    }
  }

  read(sha256: string): Promise<Buffer | undefined> {
    return readFile(this.#pathOf(sha256)).catch(() => undefined);
  }

  async write(sha256: string, bytes: Buffer): Promise<void> {
    // In its place, as a disk does it: whoever has it open sees it too.
    const file = await open(this.#pathOf(sha256), 'r+');
    try {
      await file.write(bytes, 0, bytes.length, 0);
      await file.truncate(bytes.length);
    } finally {
      await file.close();
    }
  }

  async remove(sha256: string): Promise<void> {
    await rm(this.#pathOf(sha256), { force: true });
  }

  async plant(sha256: string, bytes: Buffer): Promise<boolean> {
    const path = this.#pathOf(sha256);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
    const then = Date.now() / 1000 - DAYS;
    await utimes(path, then, then);
    return true;
  }

  #pathOf(sha256: string): string {
    return join(this.#folder, sha256.slice(0, 2), sha256.slice(2, 4), sha256);
  }
}
