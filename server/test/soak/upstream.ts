import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Answer, deliver, plain, type Reply, replyTo } from '../support/fake-upstream-answer.ts';
import type { Ecosystem } from './ecosystem.ts';
import type { World } from './world.ts';

export const MOODS = ['refuses', 'errors', 'hangs', 'cuts', 'slow', 'wrong'] as const;
/** How the upstream is: away, answering 5xx, silent, breaking off bodies, slow, or sending other bytes than it announced. */
export type Mood = (typeof MOODS)[number];

const SEEN = { body: Buffer.alloc(0), at: 0 };

/** One server that is the upstream of every format, each in a folder named after it. Keeps nothing but the world. */
export class Upstream {
  readonly #world: World;
  readonly #ecosystems: ReadonlyMap<string, Ecosystem>;
  readonly #sockets = new Set<Socket>();
  readonly #hung = new Set<() => void>();
  #server = this.#newServer();
  #port = 0;
  #mood: Mood | undefined;
  requests = 0;

  static async start(world: World, ecosystems: readonly Ecosystem[]): Promise<Upstream> {
    const upstream = new Upstream(world, ecosystems);
    await upstream.#listen();
    return upstream;
  }

  private constructor(world: World, ecosystems: readonly Ecosystem[]) {
    this.#world = world;
    this.#ecosystems = new Map(ecosystems.map((ecosystem) => [ecosystem.format, ecosystem]));
  }

  urlOf(format: string): string {
    return `http://127.0.0.1:${this.#port}/${format}`;
  }

  /** From now on, until the next; undefined: all is well. */
  async become(mood: Mood | undefined): Promise<void> {
    this.#mood = mood;
    if (mood === 'refuses') await this.#close();
    else if (!this.#server.listening) await this.#listen();
    if (mood !== 'hangs') for (const release of [...this.#hung]) release();
  }

  async stop(): Promise<void> {
    await this.become('refuses');
  }

  #newServer() {
    const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    return server;
  }

  async #listen(): Promise<void> {
    this.#server = this.#newServer();
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async #close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const { method = 'GET', url: path = '/', headers } = request;
    request.resume();
    const mood = this.#mood;
    if (mood === 'hangs') return this.#hang(response);
    const answer = this.#said(path, { ...SEEN, method, path, headers }, mood);
    await deliver(answer, { method, response, hold: undefined });
  }

  #said(path: string, seen: Parameters<typeof replyTo>[0], mood: Mood | undefined): Answer {
    if (mood === 'errors') return plain(503, 'it is being mended\n');
    const [, format = '', rest = ''] = /^\/([^/]+)(\/[^?]*)/.exec(path) ?? [];
    const ecosystem = this.#ecosystems.get(format);
    const reply = ecosystem?.answer(rest, this.#folder(ecosystem));
    if (!reply || !ecosystem) return plain(404, 'there never was such a thing\n');
    const answer = replyTo(seen, mood === 'wrong' ? wrong(reply, ecosystem) : reply);
    const size = answer.body instanceof Uint8Array ? answer.body.length : 0;
    if (mood === 'cuts' && size > 1) return { ...answer, manner: { cutAfter: Math.floor(size / 2) } };
    if (mood !== 'slow') return answer;
    return { ...answer, manner: { firstByteMs: 300, pieceMs: 50, pieceSize: Math.ceil(size / 10) || 1 } };
  }

  #folder({ format }: Ecosystem) {
    return {
      url: this.urlOf(format),
      releases: (name: string) => {
        const found = this.#world.of(format, name);
        return found && this.#world.releases(found, Date.now());
      },
    };
  }

  /** Nothing is said, until the mood is another; then the connection breaks. */
  async #hang(response: ServerResponse): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#hung.add(resolve);
    response.once('close', resolve);
    await promise;
    this.#hung.delete(resolve);
    response.destroy();
  }
}

/** A file with one bit flipped, where that can be told; a document that cannot be read. */
function wrong({ etag: _, lastModified: __, ...reply }: Reply, { announces }: Ecosystem): Reply {
  const { body = '' } = reply;
  if (typeof body === 'string') return { ...reply, body: `${body.slice(0, -Math.ceil(body.length / 3))}{"broken` };
  if (!announces) return reply;
  const bytes = Buffer.from(body);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return { ...reply, body: bytes };
}
