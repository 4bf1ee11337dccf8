import type { WorkerCalls } from './worker-calls.ts';

type Thread = Pick<WorkerCalls, 'call' | 'close' | 'busy' | 'ended'>;

interface Reader {
  readonly calls: Thread;
  ready: boolean;
}

/** How long the reading thread outlives the last call, in milliseconds: each thread is 25 MB of memory. */
const LINGERS = 60_000;

/**
 * One thread that writes, always, and one that reads as long as there is much to do: a long listing holds up no write. While
 * the reader is not there the writer answers; it is started by a read that would have to wait.
 */
export class SqliteThreads {
  readonly #writer: Thread;
  readonly #reading: () => Thread;
  readonly #lingers: number;
  #reader: Reader | undefined;
  #last = 0;
  #timer: NodeJS.Timeout | undefined;
  #ending: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(writer: Thread, reading: () => Thread, lingers = LINGERS) {
    this.#writer = writer;
    this.#reading = reading;
    this.#lingers = lingers;
  }

  write(name: string, args: readonly unknown[]): Promise<unknown> {
    return this.#writer.call(name, args);
  }

  read(name: string, args: readonly unknown[]): Promise<unknown> {
    this.#last = performance.now();
    if (this.#reader?.calls.ended) this.#end();
    if (!this.#reader && this.#writer.busy && !this.#closed) this.#reader = this.#started();
    return this.#reader?.ready ? this.#reader.calls.call(name, args) : this.#writer.call(name, args);
  }

  /** The writer last: the file's last user folds the write-ahead log into it. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#end();
    await this.#ending;
    await this.#writer.close();
  }

  /** A reader that cannot be had is tried again with the next call; until then the writer says what is wrong. */
  #started(): Reader {
    const reader = { calls: this.#reading(), ready: false };
    reader.calls.call('open').then(
      () => {
        reader.ready = true;
      },
      () => {
        if (this.#reader === reader) this.#end();
      },
    );
    this.#watch(this.#lingers);
    return reader;
  }

  #watch(after: number): void {
    this.#timer = setTimeout(() => {
      const idle = performance.now() - this.#last;
      if (idle >= this.#lingers) this.#end();
      else this.#watch(this.#lingers - idle);
    }, after).unref();
  }

  /** What was asked is still answered. */
  #end(): void {
    const reader = this.#reader;
    if (!reader) return;
    this.#reader = undefined;
    clearTimeout(this.#timer);
    this.#ending = Promise.all([this.#ending, reader.calls.close().catch(() => {})]);
  }
}
