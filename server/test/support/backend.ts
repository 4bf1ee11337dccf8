import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a server behind a proxy was asked. */
export interface Asked {
  readonly method: string;
  /** As it came, nothing decoded. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  /** Bytes of the body so far. */
  readonly bytes: number;
  /** Hex, of the whole body; undefined as long as it has not ended. */
  readonly sha256: string | undefined;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on loopback that keeps what it was asked, and answers `ok` unless told otherwise. */
export class Backend {
  readonly asked: Asked[] = [];
  /** After the request's headers; whoever sets it answers. */
  answer: Answer | undefined;
  readonly #server = createServer((request, response) => this.#take(request, response));
  #port = 0;

  static async start(): Promise<Backend> {
    const backend = new Backend();
    await backend.up();
    return backend;
  }

  private constructor() {}

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** What was asked of an address that has these words. */
  of(words: string): readonly Asked[] {
    return this.asked.filter(({ url }) => url.includes(words));
  }

  async up(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Connections are refused from now on. */
  async down(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', headers } = request;
    const asked: { -readonly [Key in keyof Asked]: Asked[Key] } = { method, url, headers, bytes: 0, sha256: undefined };
    this.asked.push(asked);
    const hash = createHash('sha256');
    request.on('data', (chunk: Buffer) => {
      asked.bytes += chunk.length;
      hash.update(chunk);
    });
    request.on('end', () => {
      asked.sha256 = hash.digest('hex');
      if (!this.answer) response.end('ok');
    });
    request.on('error', () => {});
    this.answer?.(request, response);
  }
}
