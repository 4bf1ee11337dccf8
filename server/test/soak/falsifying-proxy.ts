import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What becomes of the body that a server answered to a path; or the status that is answered instead. */
export type Falsify = (path: string, body: Buffer) => Buffer | number;

/** In front of a server that does what it should, so that it does not. */
export class FalsifyingProxy {
  readonly #server;
  readonly #target: string;
  readonly #falsify: Falsify;

  static async start(target: string, falsify: Falsify): Promise<FalsifyingProxy> {
    const proxy = new FalsifyingProxy(target, falsify);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor(target: string, falsify: Falsify) {
    this.#target = target;
    this.#falsify = falsify;
    this.#server = createServer((from, to) => {
      this.#pass(from, to).catch(() => to.destroy());
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #pass(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = from;
    const sent = request(`${this.#target}${url}`, { method, headers, agent: false });
    from.pipe(sent);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const body = await buffer(answer);
    const { statusCode: status = 0 } = answer;
    const falsified = status === 200 && method === 'GET' ? this.#falsify(url.split('?', 1)[0] ?? '', body) : body;
    if (typeof falsified === 'number') return void to.writeHead(falsified).end();
    const { 'transfer-encoding': _, connection: __, ...described } = answer.headers;
    const length = method === 'HEAD' || status === 304 ? {} : { 'content-length': falsified.length };
    to.writeHead(status, { ...described, ...length }).end(falsified);
  }
}
