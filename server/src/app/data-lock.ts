import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { link, open, readFile, rename, stat, unlink, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** Held by the one process that uses a data folder. */
export interface DataLock {
  release(): Promise<void>;
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** When the process began, as the system counts; '' where it does not say. */
  readonly began: string;
  /** Where its process id means something: two containers may have one host name, and each a process 1. '' where it does not say. */
  readonly pids: string;
}

const BEAT = 5_000;
/** A lock of another host (a container on the same volume) counts as left behind when its owner was silent so long. */
const SILENT = 20_000;

/**
 * Takes `<data>/lock`. On the same host the owner is asked for by its process id, so that a killed one is followed at once;
 * on another host its heartbeat decides. Throws a sentence naming the owner when it lives.
 */
export async function lockData(data: string): Promise<DataLock> {
  const path = join(data, 'lock');
  const mine = JSON.stringify(self());
  for (let attempt = 0; attempt < 5; attempt += 1) {
    if (await created(path, mine)) return held(path, mine);
    const found = await readFile(path, 'utf8').catch(missing);
    if (found === undefined) continue;
    const owner = ownerOf(found);
    if (owner && (await alive(owner, path))) {
      throw new Error(
        `${data} is in use by the Entrepot with process id ${owner.pid} on ${owner.host}: stop it first, or give this one another data folder (ENTREPOT_DATA)`,
      );
    }
    await removeStale(path, found);
  }
  throw new Error(`${path} changes hands all the time: is something starting Entrepot again and again?`);
}

/** The name appears with its content behind it, so nobody ever reads half a lock. */
async function created(path: string, content: string): Promise<boolean> {
  const temporary = `${path}.${randomUUID()}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.close();
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(temporary);
  }
}

/** Two may find the same stale lock: whoever moves away a newer one by mistake puts it back. */
async function removeStale(path: string, stale: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    return missing(error);
  }
  if ((await readFile(aside, 'utf8')) !== stale) await link(aside, path).catch(() => {});
  await unlink(aside);
}

function held(path: string, mine: string): DataLock {
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), BEAT).unref();
  return {
    release: async () => {
      clearInterval(beat);
      if ((await readFile(path, 'utf8').catch(missing)) === mine) await unlink(path).catch(missing);
    },
  };
}

async function alive({ pid, host, began, pids }: Owner, path: string): Promise<boolean> {
  if (host !== hostname() || pids !== pidNamespace()) {
    const found = await stat(path).catch(missing);
    return found !== undefined && Date.now() - found.mtimeMs < SILENT;
  }
  if (pid === process.pid) return began === beginningOf(pid) && began !== '';
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return began === '' || began === beginningOf(pid);
}

function self(): Owner {
  return { pid: process.pid, host: hostname(), began: beginningOf(process.pid), pids: pidNamespace() };
}

/** pid_namespaces(7). */
function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** Process ids are used again: the start time, field 22 of proc_pid_stat(5), tells which process it was. */
function beginningOf(pid: number): string {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return line.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function ownerOf(content: string): Owner | undefined {
  try {
    const { pid, host, began = '', pids = pidNamespace() } = JSON.parse(content) as Partial<Owner>;
    return typeof pid === 'number' && typeof host === 'string' ? { pid, host, began, pids } : undefined;
  } catch {
    return undefined;
  }
}

function missing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw error;
}
