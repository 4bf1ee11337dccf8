import { Worker } from 'node:worker_threads';
import { BlobGoing, LedgerError, RevisionConflict } from './ledger.ts';

export interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: Failure };

/** What a thread that mostly waits may fill before it collects; the default is several times as much. */
const YOUNG_MB = 4;

/** An error as plain data: its class does not cross threads. */
export type Failure =
  | { readonly is: 'conflict'; readonly kind: string; readonly resource: string; readonly actual: number | 'absent' }
  | { readonly is: 'going'; readonly digest: string }
  | { readonly is: 'failed'; readonly message: string; readonly detail: string | undefined };

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Calls by name into a worker thread; answered in their order. */
export class WorkerCalls {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #gone?: LedgerError;
  #id = 0;

  constructor(entry: URL, workerData: unknown, name: string) {
    this.#worker = new Worker(entry, { workerData, name, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
    this.#worker.on('message', (answer: Answer) => this.#answered(answer));
    this.#worker.on('error', (error) => this.#lost(error));
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#lost(new Error('the thread has ended'));
        resolve();
      });
    });
  }

  call(method: string, args: readonly unknown[] = []): Promise<unknown> {
    if (this.#gone) return Promise.reject(this.#gone);
    return new Promise((resolve, reject) => {
      this.#id += 1;
      this.#waiting.set(this.#id, { resolve, reject });
      this.#worker.postMessage({ id: this.#id, method, args } satisfies Call);
    });
  }

  /** Whoever calls now waits for others. */
  get busy(): boolean {
    return this.#waiting.size > 0;
  }

  /** It answers no more. */
  get ended(): boolean {
    return this.#gone !== undefined;
  }

  /** After the calls made so far. */
  async close(): Promise<void> {
    if (!this.#gone) await this.call('close');
    await this.#ended;
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('failure' in answer) waiting?.reject(errorOf(answer.failure));
    else waiting?.resolve(answer.value);
  }

  #lost(cause: unknown): void {
    this.#gone ??= new LedgerError('the database thread has ended: restart Entrepot', { cause });
    for (const { reject } of this.#waiting.values()) reject(this.#gone);
    this.#waiting.clear();
  }
}

function errorOf(failure: Failure): Error {
  if (failure.is === 'conflict') return new RevisionConflict(failure.kind, failure.resource, failure.actual);
  if (failure.is === 'going') return new BlobGoing(failure.digest);
  return new LedgerError(failure.message, { cause: failure.detail });
}
