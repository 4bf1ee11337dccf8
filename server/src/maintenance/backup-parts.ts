import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isPartName, type Part } from './archive.ts';

/** A part of a backup, as a file of its own that nobody changes any more. */
export interface Gathered {
  readonly name: string;
  readonly path: string;
}

/** Files with keys, in the data folder. */
const SECRETS = ['admin-token', 'secret-key'];

export async function written(name: string, path: string, content: string | Uint8Array): Promise<Gathered> {
  await writeFile(path, content, { flag: 'wx', mode: 0o600 });
  return { name, path };
}

export async function hashOf(path: string): Promise<Pick<Part, 'size' | 'sha256'>> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { size, sha256: hash.digest('hex') };
}

/** Rows that are not in the ledger yet, in whole lines; `loaded`: how many bytes of a segment are. */
export async function copyJournal(
  dir: string,
  folder: string,
  loaded: Readonly<Record<string, number>>,
): Promise<Gathered[]> {
  const copied: Gathered[] = [];
  await mkdir(join(folder, 'journal'), { mode: 0o700 });
  // In folders of their own where several processes have the same journal folder.
  for (const path of (await namesIn(dir)).sort()) {
    const segment = basename(path);
    const name = `journal/${segment}`;
    if (!isPartName(name) || copied.some((part) => part.name === name)) continue;
    const bytes = await readIfThere(join(dir, path));
    const lines = bytes.subarray(loaded[segment] ?? 0, bytes.lastIndexOf(10) + 1);
    if (lines.length > 0) copied.push(await written(name, join(folder, name), lines));
  }
  return copied;
}

export async function copySecrets(data: string, folder: string): Promise<Gathered[]> {
  const copied: Gathered[] = [];
  await mkdir(join(folder, 'secrets'), { mode: 0o700 });
  for (const secret of SECRETS) {
    const bytes = await readIfThere(join(data, secret));
    const name = `secrets/${secret}`;
    if (bytes.length > 0) copied.push(await written(name, join(folder, name), bytes));
  }
  return copied;
}

/** Empty where there is none: a segment that is through is removed at any time. */
function readIfThere(path: string): Promise<Buffer> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}
