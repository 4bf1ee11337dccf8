import { type IncomingHttpHeaders, request } from 'node:http';

/** What a client got, also when that was not all of it. */
export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether a client would believe that it has all of it. */
  readonly complete: boolean;
}

const NOTHING: Answered = { status: 0, headers: {}, body: Buffer.alloc(0), complete: false };

/** One request on a connection of its own; a connection that is broken off does not reject. */
export function ask(url: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Answered> {
  return new Promise((resolve) => {
    const asked = request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => {});
      response.on('close', () => {
        const { statusCode = 0, complete } = response;
        resolve({ status: statusCode, headers: response.headers, body: Buffer.concat(chunks), complete });
      });
    });
    asked.on('error', () => resolve(NOTHING));
    asked.end();
  });
}
