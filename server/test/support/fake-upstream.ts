import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type Answer, deliver, NOT_RECORDED, plain, type Reply, replyTo } from './fake-upstream-answer.ts';
import { readFixtures, withAddress } from './fake-upstream-fixtures.ts';
import { Gate, type Hold } from './fake-upstream-gate.ts';
import { type Quirk, quirkAnswer, SECOND_OF_CIRCLE } from './fake-upstream-quirks.ts';

export interface SeenRequest {
  readonly method: string;
  /** With its query, as it was sent. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** Epoch milliseconds. */
  readonly at: number;
}

interface Recording {
  readonly method: string;
  readonly path: string;
  readonly reply: Reply | ((request: SeenRequest) => Reply | Promise<Reply>);
  used: boolean;
}

interface Switch {
  readonly quirk: Quirk;
  left: number;
}

/**
 * An upstream that says only what was recorded. A request nobody recorded is answered 599 and makes `verify` throw; so
 * does a recording nobody asked for.
 */
export class FakeUpstream {
  readonly requests: SeenRequest[] = [];
  readonly #recordings = new Map<string, Recording>();
  readonly #quirks = new Map<string, Switch[]>();
  readonly #gates = new Map<string, Gate>();
  readonly #unexpected: string[] = [];
  readonly #broken: unknown[] = [];
  readonly #sockets = new Set<Socket>();
  #server = this.#newServer();
  #port = 0;

  static async start(): Promise<FakeUpstream> {
    const fake = new FakeUpstream();
    await fake.up();
    return fake;
  }

  private constructor() {}

  /** `http://127.0.0.1:<port>`, the same for its whole life. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /**
   * Serves a folder of recorded exchanges (`fake-upstream-fixtures.ts` says what is in it).
   * `only`: paths of those to serve, so that the others do not count as unused.
   */
  load(folder: string | URL, only?: readonly string[]): this {
    for (const { method, path, reply } of readFixtures(folder)) {
      if (!only || only.includes(path)) this.respond(path, reply, method);
    }
    return this;
  }

  /** What is said to `path` (with its query) from now on; GET answers HEAD too. */
  respond(path: string, reply: Recording['reply'], method = 'GET'): this {
    this.#recordings.set(`${method} ${path}`, { method, path, reply, used: false });
    return this;
  }

  /** There never was such a path: requests for it are unexpected again. */
  forget(path: string, method = 'GET'): this {
    this.#recordings.delete(`${method} ${path}`);
    return this;
  }

  /** `path`: with its query, or `*`. `times`: for so many requests. Several quirks of one path follow one another. */
  quirk(path: string, quirk: Quirk, times = Number.POSITIVE_INFINITY): this {
    this.#quirks.set(path, [...(this.#quirks.get(path) ?? []), { quirk, left: times }]);
    return this;
  }

  /** Ends the quirks of one path, or all. */
  calm(path?: string): this {
    if (path === undefined) this.#quirks.clear();
    else this.#quirks.delete(path);
    return this;
  }

  /** Keeps the answers to `path` (or `*`) back until the gate is opened. */
  hold(path: string, hold: Hold = {}): Gate {
    const gate = new Gate(hold, () => this.#gates.delete(path));
    this.#gates.set(path, gate);
    return gate;
  }

  /** How often a path was asked for, by any method or one. */
  count(path: string, method?: string): number {
    return this.requests.filter((seen) => seen.path === path && (method === undefined || seen.method === method))
      .length;
  }

  /** The port refuses connections; those that are open are cut. */
  async down(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Back on the same port. */
  async up(): Promise<void> {
    if (this.#server.listening) return;
    this.#server = this.#newServer();
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const gate of this.#gates.values()) gate.open();
    await this.down();
  }

  /** Throws when something was asked for that nobody recorded, or recorded that nobody asked for. */
  verify(): void {
    const unused = [...this.#recordings.values()]
      .filter(({ used }) => !used)
      .map(({ method, path }) => `${method} ${path}`);
    const problems = [
      ...this.#unexpected.map((what) => `not recorded: ${what}`),
      ...unused.map((what) => `recorded, never asked for: ${what}`),
      ...this.#broken.map((error) => `could not be answered: ${String(error)}`),
    ];
    if (problems.length > 0) throw new Error(`The fake upstream was not used as recorded:\n  ${problems.join('\n  ')}`);
  }

  #newServer() {
    const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        this.#broken.push(error);
        response.destroy();
      });
    });
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    return server;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/', headers } = request;
    const seen: SeenRequest = { method, path, headers, body: await buffer(request), at: Date.now() };
    this.requests.push(seen);
    const gate = this.#gates.get(path) ?? this.#gates.get('*');
    await gate?.pass('headers');
    const answer = await this.#answer(seen);
    await deliver(answer, { method, response, hold: gate });
  }

  async #answer(seen: SeenRequest): Promise<Answer> {
    const recording = this.#recordings.get(`${seen.method} ${seen.path}`) ?? this.#headOf(seen);
    if (recording) recording.used = true;
    const quirk = this.#takeQuirk(seen.path);
    const recorded = async (change = (reply: Reply): Reply => reply): Promise<Answer> => {
      if (!recording) {
        this.#unexpected.push(`${seen.method} ${seen.path}`);
        return plain(NOT_RECORDED, `${seen.method} ${seen.path} was not recorded.\n`);
      }
      const reply = typeof recording.reply === 'function' ? await recording.reply(seen) : recording.reply;
      return replyTo(seen, change(withAddress(reply, this.url)));
    };
    return quirk ? quirkAnswer(quirk, { seen, url: this.url, recorded }) : recorded();
  }

  #headOf({ method, path }: SeenRequest): Recording | undefined {
    return method === 'HEAD' ? this.#recordings.get(`GET ${path}`) : undefined;
  }

  #takeQuirk(seen: string): Quirk | undefined {
    const path = seen.replace(SECOND_OF_CIRCLE, '');
    const switches = [...(this.#quirks.get(path) ?? []), ...(this.#quirks.get('*') ?? [])];
    const found = switches.find(({ left }) => left > 0);
    if (found) found.left -= 1;
    return found?.quirk;
  }
}
