import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Serves the files of a folder as they are at the moment, with Last-Modified and ranges, as a mirror does. */
export class FolderServer {
  readonly #folder: string;
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch(() => response.destroy());
  });
  readonly #asked: string[] = [];
  #port = 0;

  static async start(folder: string): Promise<FolderServer> {
    const server = new FolderServer(folder);
    await server.join();
    return server;
  }

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** `http://127.0.0.1:<port>`, the same for its whole life. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Requests so far: `GET /dists/stable/InRelease`. */
  get asked(): readonly string[] {
    return this.#asked;
  }

  /** It is away until it is joined again. */
  async cut(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async join(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#asked.push(`${request.method} ${request.url}`);
    const { pathname } = new URL(request.url ?? '', this.url);
    const file = await open(join(this.#folder, normalize(decodeURIComponent(pathname)))).catch(() => undefined);
    const stat = await file?.stat();
    if (!file || !stat?.isFile()) {
      await file?.close();
      response.writeHead(404).end('There is no such file.\n');
      return;
    }
    const { size, mtime } = stat;
    const modified = mtime.toUTCString();
    const headers = { 'last-modified': modified, 'accept-ranges': 'bytes' };
    const since = Date.parse(request.headers['if-modified-since'] ?? '');
    const from = rangeOf(request, modified, size);
    if (since >= Date.parse(modified)) response.writeHead(304, headers);
    else if (from === undefined) response.writeHead(200, { ...headers, 'content-length': size });
    else {
      const range = `bytes ${from}-${size - 1}/${size}`;
      response.writeHead(206, { ...headers, 'content-length': size - from, 'content-range': range });
    }
    if (response.statusCode === 304 || request.method === 'HEAD' || size === 0) {
      await file.close();
      response.end();
      return;
    }
    await pipeline(createReadStream('', { fd: file, start: from ?? 0, end: size - 1 }), response);
  }
}

/** First byte that is asked for; undefined: the whole file is. */
function rangeOf({ headers }: IncomingMessage, modified: string, size: number): number | undefined {
  const from = /^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1];
  if (from === undefined || Number(from) >= size) return undefined;
  return headers['if-range'] === undefined || headers['if-range'] === modified ? Number(from) : undefined;
}
