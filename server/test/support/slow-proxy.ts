import { once } from 'node:events';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The way to a TCP service on loopback (PostgreSQL, S3, Redis), which can be made bad and good again while clients use it. */
export interface SlowProxy {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Connections taken since the start. */
  readonly taken: number;
  /** What the service says reaches the client `ms` later, also on connections that are open; 0: at once. */
  delay(ms: number): void;
  /** Connections are taken and nothing passes either way, until `heal`. */
  hold(): void;
  /** Nobody listens: new connections are refused, open ones are cut. */
  refuse(): Promise<void>;
  /** Breaks every open connection now; new ones pass. */
  cut(): void;
  /** Every connection is broken once `bytes` of what the service says on it have passed, counted from now, until `heal`. */
  cutAfter(bytes: number): void;
  /** As in the beginning: what is held passes, nothing is delayed, and new connections are taken on the same port. */
  heal(): Promise<void>;
  stop(): Promise<void>;
}

export async function startSlowProxy(target: { readonly host?: string; readonly port: number }): Promise<SlowProxy> {
  const proxy = new Proxy(target.host ?? '127.0.0.1', target.port);
  await proxy.heal();
  return proxy;
}

class Proxy implements SlowProxy {
  readonly host = '127.0.0.1';
  port = 0;
  taken = 0;
  readonly #to: { readonly host: string; readonly port: number };
  readonly #open = new Set<() => void>();
  #server: Server | undefined;
  #delayMs = 0;
  #gate = Promise.resolve();
  #openGate: () => void = () => {};
  #allowance: { readonly bytes: number; readonly passed: Map<Socket, number> } | undefined;

  constructor(host: string, port: number) {
    this.#to = { host, port };
  }

  delay(ms: number): void {
    this.#delayMs = ms;
  }

  hold(): void {
    this.#openGate();
    const gate = Promise.withResolvers<void>();
    this.#gate = gate.promise;
    this.#openGate = gate.resolve;
  }

  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.close();
    this.cut();
    if (server) await once(server, 'close');
  }

  cut(): void {
    for (const close of [...this.#open]) close();
  }

  cutAfter(bytes: number): void {
    this.#allowance = { bytes, passed: new Map() };
  }

  async heal(): Promise<void> {
    this.#delayMs = 0;
    this.#allowance = undefined;
    this.#openGate();
    if (this.#server) return;
    this.#server = createServer((client) => this.#take(client)).listen(this.port, this.host);
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    this.port = address.port;
  }

  async stop(): Promise<void> {
    await this.refuse();
    this.#openGate();
  }

  #take(client: Socket): void {
    this.taken += 1;
    const service = dial(this.#to);
    const close = (): void => {
      this.#open.delete(close);
      client.destroy();
      service.destroy();
    };
    this.#open.add(close);
    for (const socket of [client, service]) socket.setNoDelay(true).on('error', close).on('close', close);
    void this.#pass(client, service, false).catch(close);
    void this.#pass(service, client, true).catch(close);
  }

  /** Chunks in their order, each as late as it should be: a delay makes nothing slower but the first of them. */
  async #pass(from: Socket, to: Socket, isAnswer: boolean): Promise<void> {
    let last = Promise.resolve();
    for await (const chunk of from as AsyncIterable<Buffer>) {
      const due = Date.now() + (isAnswer ? this.#delayMs : 0);
      const before = last;
      last = (async () => {
        await before;
        await this.#gate;
        if (due > Date.now()) await sleep(due - Date.now());
        await this.#write(to, chunk, isAnswer ? from : undefined);
      })();
      last.catch(() => from.destroy());
      if (due <= Date.now()) await last;
    }
    await last;
    to.end();
  }

  async #write(to: Socket, chunk: Buffer, service: Socket | undefined): Promise<void> {
    if (to.destroyed) throw new Error('gone');
    const allowed = service ? this.#allowed(service, chunk.length) : chunk.length;
    const waits = !to.write(chunk.subarray(0, allowed));
    if (allowed < chunk.length) {
      // What may still pass is sent before the connection breaks.
      await sleep(20);
      throw new Error('cut');
    }
    if (waits) await Promise.race([once(to, 'drain'), once(to, 'close')]);
  }

  #allowed(service: Socket, length: number): number {
    const allowance = this.#allowance;
    if (!allowance) return length;
    const passed = allowance.passed.get(service) ?? 0;
    allowance.passed.set(service, passed + length);
    return Math.max(0, Math.min(length, allowance.bytes - passed));
  }
}
