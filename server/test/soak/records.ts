import { once } from 'node:events';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** One request, as its client saw it. */
export interface Recorded {
  /** `X-Request-Id` of the answer. */
  readonly id?: string;
  readonly what: string;
  readonly server: number;
  readonly method: string;
  /** Below the server's root. */
  readonly path: string;
  readonly status: number;
  readonly complete: boolean;
  readonly size: number;
  readonly sha256: string;
  readonly began: number;
  readonly ended: number;
  /** The client got all of a file: there has to be a row of it. */
  readonly pulled?: true;
  readonly trouble?: string;
}

/** Requests as lines of a file: there are more of them than memory should hold. */
export class Records {
  readonly path: string;
  readonly #stream: WriteStream;
  count = 0;

  constructor(path: string) {
    this.path = path;
    this.#stream = createWriteStream(path);
  }

  add(one: Recorded): void {
    this.count += 1;
    this.#stream.write(`${JSON.stringify(one)}\n`);
  }

  async close(): Promise<void> {
    this.#stream.end();
    await once(this.#stream, 'close');
  }

  async *all(): AsyncIterable<Recorded> {
    const lines = createInterface({ input: createReadStream(this.path), crlfDelay: Number.POSITIVE_INFINITY });
    for await (const line of lines) yield JSON.parse(line) as Recorded;
  }
}
