import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream';

/**
 * The way to the public registries, which a test can cut: an HTTP proxy on loopback for a remote's `proxy_url`. It counts
 * what is asked of it and knows no host by name.
 */
export class PublicUpstream {
  readonly #server = createServer((_request, response) => {
    response.writeHead(405).end('Only CONNECT is served here.\n');
  });
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  #asked = 0;

  static async start(): Promise<PublicUpstream> {
    const upstream = new PublicUpstream();
    upstream.#server.listen(0, '127.0.0.1');
    await once(upstream.#server, 'listening');
    return upstream;
  }

  private constructor() {
    this.#server.on('connection', (socket: Socket) => this.#keep(socket));
    this.#server.on('connect', (request, client: Socket, head: Buffer) => {
      this.#asked += 1;
      if (this.#isCut) client.destroy();
      else this.#join(request.url ?? '', client, head);
    });
  }

  /** For `proxy_url`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections asked for so far, also those refused while cut. */
  get asked(): number {
    return this.#asked;
  }

  /** From now on nothing gets through; what is under way breaks. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  join(): void {
    this.#isCut = false;
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(authority: string, client: Socket, head: Buffer): void {
    const { hostname, port } = new URL(`http://${authority}`);
    const upstream = connect({ host: hostname, port: Number(port || 443) }, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      pipeline(upstream, client, upstream, () => {});
    });
    upstream.once('error', () => client.destroy());
    client.once('error', () => upstream.destroy());
    this.#keep(upstream);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}
