import { appendFile, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from './failure.ts';
import type { Segment } from './journal-segment.ts';
import type { Ledger } from './ledger.ts';

/** Rows of a moment are loaded together. */
const GATHER_MS = 50;
const RETRY_MS = 1000;
const MARK_MS = 1000;
/** While the server is busy, loading waits: so long at a time, in all at most so long, and never with more rows than this behind. */
const YIELD_MS = 250;
const LONGEST_YIELD_MS = 10_000;
const MOST_BEHIND = 200_000;
/** About four thousand rows: their places in the indexes are scattered, so that many at once cost less each. */
const BATCH_BYTES = 2 * 1024 * 1024;
/** Lines that are no pull, kept for a person to look at. */
const REJECTED = 'rejected.ndjson';

interface Taken {
  readonly segment: Segment;
  /** Bytes of it that are in the ledger. */
  loaded: number;
}

interface Waiting {
  /** Rows, counted since the journal was opened. */
  readonly until: number;
  resolve(): void;
  reject(error: Error): void;
}

/** Carries rows from segments into the ledger, in order, and removes the segments that are through. */
export class JournalLoader {
  readonly #ledger: Pick<Ledger, 'loadJournal' | 'forgetJournal'>;
  readonly #dir: string;
  readonly #onFailure: (error: Error) => void;
  readonly #busy: () => boolean;
  readonly #segments: Taken[] = [];
  /** How many rows there were when, about every second while there are some to load. */
  readonly #marks: { readonly rows: number; readonly at: number }[] = [];
  #rowsOfRemoved = 0;
  #rowsLoaded = 0;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failure: Error | undefined;
  #closed = false;
  /** Milliseconds of `performance.now()`. */
  #lastLoaded = performance.now();

  /** `busy`: whether there is better to do than loading. */
  constructor(
    ledger: Pick<Ledger, 'loadJournal' | 'forgetJournal'>,
    dir: string,
    onFailure: (error: Error) => void,
    busy: () => boolean,
  ) {
    this.#ledger = ledger;
    this.#dir = dir;
    this.#onFailure = onFailure;
    this.#busy = busy;
  }

  /** Segments of dead processes: they come before what this one writes. */
  adopt(segments: readonly Segment[]): void {
    for (const segment of segments) this.follow(segment);
    this.wake();
  }

  follow(segment: Segment): void {
    this.#segments.push({ segment, loaded: segment.loaded });
  }

  /** There are more rows. */
  wake(after = GATHER_MS): void {
    this.#mark();
    if (this.#closed || this.#running) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#yields()) this.wake(YIELD_MS);
      else this.#load();
    }, after).unref();
  }

  /** Every row that is in a segment now is in the ledger. */
  drain(): Promise<void> {
    if (this.lag === 0) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ until: this.#rows, resolve, reject });
    this.#load();
    return promise;
  }

  get lag(): number {
    return this.#rows - this.#rowsLoaded;
  }

  /** Milliseconds for which the oldest row has been waiting, to a second. */
  get oldestAge(): number {
    const [oldest] = this.#marks;
    return oldest && this.lag > 0 ? performance.now() - oldest.at : 0;
  }

  get failed(): Error | undefined {
    return this.#failure;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
    this.#load();
    await this.#running;
  }

  get #rows(): number {
    return this.#segments.reduce((sum, { segment }) => sum + segment.rows, this.#rowsOfRemoved);
  }

  #mark(): void {
    const at = performance.now();
    const last = this.#marks.at(-1);
    if (this.lag > 0 && (!last || at - last.at >= MARK_MS)) this.#marks.push({ rows: this.#rows, at });
  }

  #load(): void {
    this.#running ??= this.#loadAll()
      .then(
        () => this.#succeeded(),
        (error: unknown) => this.#failed(error),
      )
      .then(() => {
        this.#running = undefined;
        if (this.lag > 0 || this.#failure) this.wake(this.#pause());
      });
  }

  async #loadAll(): Promise<void> {
    for (let first = this.#segments[0]; first; first = this.#segments[0]) {
      if (this.#yields()) return;
      if (first.loaded < first.segment.size) await this.#loadSome(first);
      else if (first.segment.closed) await this.#remove(first);
      else return;
    }
  }

  async #loadSome(taken: Taken): Promise<void> {
    const { segment } = taken;
    const bytes = await readLines(segment.path, taken.loaded, segment.size);
    const position = { segment: segment.name, offset: taken.loaded + bytes.length };
    const rejected = await this.#ledger.loadJournal(bytes, position);
    if (rejected.length > 0) await this.#reject(rejected, segment.name);
    this.#succeeded();
    this.#lastLoaded = performance.now();
    taken.loaded += bytes.length;
    this.#rowsLoaded += countLines(bytes);
    while (this.#marks[0] && this.#marks[0].rows <= this.#rowsLoaded) this.#marks.shift();
    const through = this.#waiting.filter(({ until }) => until <= this.#rowsLoaded);
    this.#waiting = this.#waiting.filter(({ until }) => until > this.#rowsLoaded);
    for (const { resolve } of through) resolve();
  }

  /**
   * The position goes first: when the process ends in between, the segment is read again and each of its rows found to be
   * there. The other way round a position of no file would stay for ever.
   */
  async #remove({ segment }: Taken): Promise<void> {
    await this.#ledger.forgetJournal(segment.name);
    await unlink(segment.path).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
    this.#rowsOfRemoved += segment.rows;
    this.#segments.shift();
  }

  async #reject(lines: readonly string[], segment: string): Promise<void> {
    const path = join(this.#dir, REJECTED);
    await appendFile(path, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
    this.#onFailure(new Error(`${lines.length} lines of ${segment} are no pulls and were put into ${path}`));
  }

  /** Nobody waits for rows, and they do not wait too long themselves. */
  #yields(): boolean {
    if (this.#closed || this.#waiting.length > 0 || this.lag >= MOST_BEHIND) return false;
    return performance.now() - this.#lastLoaded < LONGEST_YIELD_MS && this.#busy();
  }

  #pause(): number {
    if (this.#failure) return RETRY_MS;
    return this.#waiting.length > 0 ? 0 : GATHER_MS;
  }

  #succeeded(): void {
    this.#failure = undefined;
  }

  #failed(cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    if (!this.#failure) this.#onFailure(error);
    this.#failure = error;
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting = [];
  }
}

/** Whole lines from `start` on, a batch of them; `end` is the end of one. */
async function readLines(path: string, start: number, end: number): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    for (let length = Math.min(BATCH_BYTES, end - start); ; length = Math.min(length * 2, end - start)) {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafeSlow(length), 0, length, start);
      const last = buffer.subarray(0, bytesRead).lastIndexOf(10);
      if (last >= 0) return buffer.subarray(0, last + 1);
      if (length === end - start) throw new Error(`${path} was cut off at ${start + bytesRead} of ${end} bytes`);
    }
  } finally {
    await handle.close();
  }
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count += 1;
  return count;
}
