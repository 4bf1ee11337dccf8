import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Of a disk in memory while it has room; only what is written takes any. */
const ROOM = '4g';
const TRIES = 100;

/** Why no disk of its own can be mounted here; undefined: it can. */
export function diskMissing(): string | undefined {
  if (process.platform !== 'linux') return 'a disk in memory is mounted on Linux only';
  return process.getuid?.() === 0 ? undefined : 'only root may mount a disk in memory';
}

/** Mounts a disk in memory over the folder. */
export async function mountDisk(folder: string): Promise<void> {
  await run('mount', ['-t', 'tmpfs', '-o', `size=${ROOM},mode=0750`, 'entrepot-test', folder]);
}

export async function unmountDisk(folder: string): Promise<void> {
  await run('umount', ['--lazy', folder]);
}

/** The disk becomes as small as what is on it: nothing can be added. */
export async function fillDisk(folder: string): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    const { bsize, blocks, bfree } = await statfs(folder);
    try {
      await run('mount', ['-o', `remount,size=${Math.max(1, blocks - bfree) * bsize}`, folder]);
      return;
    } catch (error) {
      // Something was written in the meantime: it does not fit.
      if (tried === TRIES) throw error;
    }
  }
}

export async function freeDisk(folder: string): Promise<void> {
  await run('mount', ['-o', `remount,size=${ROOM}`, folder]);
}
