import { mkdir, open, opendir, readdir, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './failure.ts';

/** The file system as the disk store uses it, so that a test can let it fail. */
export const systemFiles = { mkdir, open, opendir, readdir, rename, stat, unlink };

export type Files = typeof systemFiles;

/** A name is durable only when the folder that holds it is. */
export async function syncFolder(files: Files, folder: string): Promise<void> {
  const handle = await files.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the folder and those above it, each durable in its parent. */
export async function makeFolder(files: Files, folder: string): Promise<void> {
  const first = await files.mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(files, dirname(made));
}

/** False when there was none. */
export async function removeFile(files: Files, path: string): Promise<boolean> {
  try {
    await files.unlink(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
