import { mkdir } from 'node:fs/promises';
import { JournalLoader } from './journal-loader.ts';
import {
  adoptSegments,
  type OpenSegment,
  type SegmentFiles,
  startSegment,
  systemSegmentFiles,
} from './journal-segment.ts';
import { type Ledger, LedgerError, type PullRow } from './ledger.ts';

export interface JournalSettings {
  /** Made when it is not there. */
  readonly dir: string;
  readonly ledger: Pick<Ledger, 'loadJournal' | 'journalPositions' | 'forgetJournal'>;
  readonly now: () => number;
  /** `done` waits until the rows are on the disk, so that they survive a loss of power too. */
  readonly strict?: boolean;
  /** Bytes from which on a segment is closed and a new one begun. */
  readonly segmentBytes?: number;
  /** Told once each time writing or loading begins to fail, and of every line that is no pull. */
  readonly onFailure?: (error: Error) => void;
  readonly files?: SegmentFiles;
  /** Whether the process has better to do than loading rows into the ledger; they wait a while then. */
  readonly busy?: () => boolean;
}

/** `error`: the row is not in the journal yet; it is held in memory and written as soon as that works again. */
type Done = (error?: Error) => void;

const SEGMENT_BYTES = 16 * 1024 * 1024;
const HELD_BYTES = 16 * 1024 * 1024;
const RETRY_MS = 1000;

/** Opens a journal and takes over what dead processes left in its folder. Throws `LedgerError` when it cannot be written. */
export async function openJournal(settings: JournalSettings): Promise<Journal> {
  const files = settings.files ?? systemSegmentFiles;
  try {
    await mkdir(settings.dir, { recursive: true });
    const loader = new JournalLoader(
      settings.ledger,
      settings.dir,
      settings.onFailure ?? (() => {}),
      settings.busy ?? (() => false),
    );
    loader.adopt(await adoptSegments(settings.dir, await settings.ledger.journalPositions()));
    return new Journal(settings, files, loader);
  } catch (error) {
    throw cannotWrite(settings.dir, error);
  }
}

/**
 * Pulls on their way into the ledger. A row is in a file before anybody is told, so the end of the process loses none; it
 * reaches the ledger in batches later, and no request waits for that.
 */
export class Journal {
  readonly #settings: JournalSettings;
  readonly #files: SegmentFiles;
  readonly #loader: JournalLoader;
  #segment: OpenSegment;
  #lines: string[] = [];
  #done: Done[] = [];
  /** Lines that could not be written yet, already answered with an error. */
  #held: string[] = [];
  #heldBytes = 0;
  #lost = 0;
  #scheduled = false;
  #syncing: Promise<void> | undefined;
  #failure: LedgerError | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(settings: JournalSettings, files: SegmentFiles, loader: JournalLoader) {
    this.#settings = settings;
    this.#files = files;
    this.#loader = loader;
    this.#segment = startSegment(files, settings.dir, settings.now());
    this.#loader.follow(this.#segment);
  }

  /** Where it writes. */
  get dir(): string {
    return this.#settings.dir;
  }

  append(row: PullRow): void {
    this.#add(JSON.stringify(row), undefined);
  }

  /**
   * `done` is called once the row is written, rows of one turn of the event loop by one write. It is called with an error
   * when they could not be, so that the caller decides whether the transfer may end.
   */
  appendThen(row: PullRow, done: Done): void {
    this.#add(JSON.stringify(row), done);
  }

  /** `members`: the row's other fields as JSON without the braces, so that what never changes is serialised once. */
  appendRaw(id: string, members: string, done: Done): void {
    this.#add(`{"id":"${id}",${members}}`, done);
  }

  /** Everything appended so far is in the ledger. Rejects when it cannot be now; it is tried again later all the same. */
  async drain(): Promise<void> {
    while (this.#lines.length > 0) {
      this.#flush();
      await this.#syncing;
    }
    if (this.#failure) throw this.#failure;
    await this.#loader.drain();
  }

  /** Rows appended and not in the ledger yet. */
  get lag(): number {
    return this.#lines.length + this.#held.length + this.#loader.lag;
  }

  /** Milliseconds for which the oldest of them has been waiting. */
  get oldestAge(): number {
    return this.#loader.oldestAge;
  }

  /** Rows given up because neither the disk nor memory had room for them. */
  get lost(): number {
    return this.#lost;
  }

  /** Why rows cannot be written, or reach the ledger, at the moment. */
  get failed(): Error | undefined {
    return this.#failure ?? this.#loader.failed;
  }

  /** Rows that cannot be loaded now stay in the folder for the next who opens it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.drain().catch(() => {});
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#segment.close();
    await this.#loader.close();
  }

  #add(line: string, done: Done | undefined): void {
    if (this.#closed) throw new Error('the journal is closed');
    this.#lines.push(line);
    if (done) this.#done.push(done);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#lines.length + this.#held.length === 0 || this.#syncing) return;
    const [lines, done] = [this.#lines, this.#done];
    this.#lines = [];
    this.#done = [];
    try {
      this.#write([...this.#held, ...lines]);
    } catch (error) {
      this.#hold(lines, error);
      for (const tell of done) tell(this.#failure);
      return;
    }
    this.#held = [];
    this.#heldBytes = 0;
    if (this.#settings.strict) this.#syncing = this.#sync(done);
    else this.#written(done);
  }

  #write(lines: readonly string[]): void {
    if (this.#segment.size >= (this.#settings.segmentBytes ?? SEGMENT_BYTES)) this.#turnOver();
    this.#segment.append(Buffer.from(`${lines.join('\n')}\n`), lines.length);
  }

  /** Where there is no room for another file there may be for more rows in this one. */
  #turnOver(): void {
    let next: OpenSegment;
    try {
      next = startSegment(this.#files, this.#settings.dir, this.#settings.now());
    } catch {
      return;
    }
    this.#segment.close();
    this.#segment = next;
    this.#loader.follow(next);
  }

  /** Rows that come meanwhile are written together when the disk has answered. */
  async #sync(done: readonly Done[]): Promise<void> {
    const failure = await this.#segment.sync().catch((error: unknown) => cannotWrite(this.#settings.dir, error));
    this.#syncing = undefined;
    if (failure) {
      this.#fail(failure);
      for (const tell of done) tell(failure);
    } else {
      this.#written(done);
    }
    this.#flush();
  }

  #written(done: readonly Done[]): void {
    this.#failure = undefined;
    this.#loader.wake();
    for (const tell of done) tell();
  }

  #hold(lines: readonly string[], error: unknown): void {
    for (const line of lines) {
      if (this.#heldBytes + line.length > HELD_BYTES) {
        this.#lost += 1;
      } else {
        this.#held.push(line);
        this.#heldBytes += line.length;
      }
    }
    this.#fail(cannotWrite(this.#settings.dir, error));
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      if (!this.#closed) this.#flush();
    }, RETRY_MS).unref();
  }

  #fail(error: LedgerError): void {
    const news = this.#failure === undefined;
    this.#failure = error;
    if (news) this.#settings.onFailure?.(error);
  }
}

function cannotWrite(dir: string, cause: unknown): LedgerError {
  if (cause instanceof LedgerError) return cause;
  const what = cause instanceof Error ? cause.message : String(cause);
  const advice = 'free space, or make the folder writable';
  return new LedgerError(`the journal of pulls in ${dir} cannot be written (${what}): ${advice}`, { cause });
}
