import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Tls } from './tls.ts';

export interface HttpServerSettings {
  /** Answers what it can at once; true when it has, or is about to. */
  readonly lane: (...of: Parameters<RequestListener>) => boolean;
  /** Everything else. */
  readonly handler: RequestListener;
  readonly tls: Tls | undefined;
}

/** Characters of a request's address. */
const LONGEST_ADDRESS = 8 * 1024;

const LIMITS: ServerOptions = {
  maxHeaderSize: 32 * 1024,
  /** Milliseconds: a client gets so long to send its headers, and its whole request: a large layer over a slow line takes hours. */
  headersTimeout: 30_000,
  requestTimeout: 6 * 3_600_000,
  keepAliveTimeout: 75_000,
};

/** The one server: the lane in front of everything. Nothing listens for `upgrade`: such a request is answered as any other. */
export function createHttpServer({ lane, handler, tls }: HttpServerSettings): Server {
  const listener: RequestListener = (request, response) => {
    if ((request.url?.length ?? 0) > LONGEST_ADDRESS) {
      const body = JSON.stringify({
        type: 'about:blank',
        title: 'URI Too Long',
        status: 414,
        detail: `The address is longer than ${LONGEST_ADDRESS} characters.`,
        code: 'invalid',
      });
      response.writeHead(414, {
        'content-type': 'application/problem+json',
        'content-length': Buffer.byteLength(body),
        connection: 'close',
      });
      response.end(body);
      return;
    }
    if (!lane(request, response)) handler(request, response);
  };
  // 'checkContinue': not answered with 100 here; whoever reads the body invites it, after whoever may refuse it.
  if (!tls) return createServer(LIMITS, listener).on('checkContinue', listener);
  const server = createTlsServer({ ...LIMITS, ...tls.current() }, listener).on('checkContinue', listener);
  tls.onChange((files) => server.setSecureContext(files));
  return server;
}

/** Takes no more connections and lets transfers end, at most `patience` milliseconds. */
export async function closeHttpServer(server: Server, patience: number): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection that is kept alive becomes idle only when its transfer ends.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  const out = setTimeout(() => server.closeAllConnections(), patience);
  server.closeIdleConnections();
  await closed;
  clearInterval(idle);
  clearTimeout(out);
}
