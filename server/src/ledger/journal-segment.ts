import { randomBytes } from 'node:crypto';
import { closeSync, createReadStream, fdatasync, fsync, openSync, writeSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { codeOf } from './failure.ts';
import type { JournalPosition } from './ledger.ts';

/** A file of rows, one JSON object a line. */
export interface Segment {
  readonly name: string;
  readonly path: string;
  /** Bytes of whole lines. */
  readonly size: number;
  /** Whole lines after `loaded` as it was at first. */
  readonly rows: number;
  /** Bytes that were in the ledger when this process took it up. */
  readonly loaded: number;
  /** Nothing will be added. */
  readonly closed: boolean;
}

/** The file system as a segment is written with, so that a test can let it fail. */
export const systemSegmentFiles = { openSync, writeSync, closeSync };
export type SegmentFiles = typeof systemSegmentFiles;

const NAME = /^pulls-\d{15}-(\d+)-[0-9a-f]{12}\.ndjson$/;
const syncData = promisify(fdatasync);
const syncFolder = promisify(fsync);
/** Of this process: the only ones with its id that nobody left behind. */
const beingWritten = new Set<string>();

/** Its name has the time, so that segments sort, and the process, so that another knows whether it still writes. */
export function startSegment(files: SegmentFiles, dir: string, now: number): OpenSegment {
  const time = String(Math.trunc(now)).padStart(15, '0');
  const name = `pulls-${time}-${process.pid}-${randomBytes(6).toString('hex')}.ndjson`;
  return new OpenSegment(files, name, join(dir, name));
}

export class OpenSegment implements Segment {
  readonly name: string;
  readonly path: string;
  readonly loaded = 0;
  readonly #files: SegmentFiles;
  readonly #descriptor: number;
  #size = 0;
  #rows = 0;
  #named = false;
  #closed = false;

  constructor(files: SegmentFiles, name: string, path: string) {
    this.name = name;
    this.path = path;
    this.#files = files;
    this.#descriptor = files.openSync(path, 'wx', 0o600);
    beingWritten.add(path);
  }

  get size(): number {
    return this.#size;
  }

  get rows(): number {
    return this.#rows;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** All or, for the reader, nothing: what a failed write left behind is written over by the next. */
  append(bytes: Buffer, rows: number): void {
    for (let done = 0; done < bytes.length; ) {
      done += this.#files.writeSync(this.#descriptor, bytes, done, bytes.length - done, this.#size + done);
    }
    this.#size += bytes.length;
    this.#rows += rows;
  }

  /** The rows outlive a loss of power; the first time, so does the file's name. */
  async sync(): Promise<void> {
    await syncData(this.#descriptor);
    if (this.#named) return;
    const folder = openSync(dirname(this.path), 'r');
    try {
      await syncFolder(folder);
    } finally {
      closeSync(folder);
    }
    this.#named = true;
  }

  close(): void {
    this.#closed = true;
    beingWritten.delete(this.path);
    this.#files.closeSync(this.#descriptor);
  }
}

/** The name of a segment that no process writes, whatever runs on the machine: above the highest process id, 2^22, of proc(5). */
export function leftBehind(name: string): string {
  return name.replace(/^(pulls-\d{15})-\d+-/, '$1-4194305-');
}

export function isSegment(name: string): boolean {
  return NAME.test(name);
}

/**
 * What processes that are gone left in the folder, oldest first; a last line that was torn off is no line. `all`: whoever asks
 * knows that nobody writes there any more.
 */
export async function adoptSegments(
  dir: string,
  positions: readonly JournalPosition[],
  whose: 'left behind' | 'all' = 'left behind',
): Promise<Segment[]> {
  const loaded = new Map(positions.map(({ segment, offset }) => [segment, offset]));
  const isWanted = (name: string) => (whose === 'all' ? isSegment(name) : isLeftBehind(dir, name));
  const names = (await readdir(dir)).filter(isWanted).sort();
  const segments: Segment[] = [];
  for (const name of names) {
    const path = join(dir, name);
    const from = Math.min(loaded.get(name) ?? 0, (await stat(path)).size);
    segments.push({ name, path, loaded: from, closed: true, ...(await wholeLines(path, from)) });
  }
  return segments;
}

function isLeftBehind(dir: string, name: string): boolean {
  const pid = Number(NAME.exec(name)?.[1] ?? 0);
  if (pid === 0) return false;
  return pid === process.pid ? !beingWritten.has(join(dir, name)) : !isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

async function wholeLines(path: string, from: number): Promise<{ size: number; rows: number }> {
  let [position, size, rows] = [from, from, 0];
  for await (const chunk of createReadStream(path, { start: from, highWaterMark: 1024 * 1024 })) {
    const bytes = chunk as Buffer;
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) {
      rows += 1;
      size = position + at + 1;
    }
    position += bytes.length;
  }
  return { size, rows };
}
