import { once } from 'node:events';
import { createServer, type IncomingMessage, request as open, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';

/** Of one connection only (RFC 9110 §7.6.1). */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'te', 'trailer', 'upgrade'];

/**
 * The way to an upstream that speaks plain HTTP, which a test can cut: a proxy on loopback for a remote's `proxy_url`
 * that is asked by whole addresses. It knows no host by name.
 */
export class ForwardProxy {
  readonly #server = createServer((request, response) => {
    this.#forward(request, response).catch(() => response.destroy());
  });
  #isCut = false;
  #asked = 0;

  static async start(): Promise<ForwardProxy> {
    const proxy = new ForwardProxy();
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor() {}

  /** For `proxy_url`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Requests so far, also those refused while cut. */
  get asked(): number {
    return this.#asked;
  }

  /** From now on nothing gets through; what is under way breaks. */
  cut(): void {
    this.#isCut = true;
    this.#server.closeAllConnections();
  }

  join(): void {
    this.#isCut = false;
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#asked += 1;
    if (this.#isCut) {
      response.destroy();
      return;
    }
    const { method = 'GET', url = '' } = request;
    const upstream = open(url, { method, headers: endToEnd(request), agent: false }).end();
    response.once('close', () => upstream.destroy());
    const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
    response.writeHead(answer.statusCode ?? 502, endToEnd(answer));
    await pipeline(answer, response);
  }
}

function endToEnd({ headers }: IncomingMessage): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name)));
}
