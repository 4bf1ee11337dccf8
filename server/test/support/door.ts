import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream';

/** An HTTP proxy on loopback behind which every host is one and the same server: gives it a public name. */
export class Door {
  readonly #server = createServer();
  readonly #sockets = new Set<Socket>();

  /** `to`: `http://127.0.0.1:<port>`. */
  static async start(to: string): Promise<Door> {
    const door = new Door(new URL(to));
    door.#server.listen(0, '127.0.0.1');
    await once(door.#server, 'listening');
    return door;
  }

  private constructor({ hostname, port }: URL) {
    this.#server.on('connection', (socket: Socket) => this.#keep(socket));
    this.#server.on('connect', (_request, client: Socket, head: Buffer) => {
      const server = connect(Number(port), hostname, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        server.write(head);
        pipeline(server, client, server, () => {});
      });
      server.once('error', () => client.destroy());
      this.#keep(server);
    });
    this.#server.on('request', ({ url = '/', method, headers }, response) => {
      const { pathname, search } = new URL(url, 'http://upstream.test');
      const passed = request({ hostname, port, path: `${pathname}${search}`, method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      passed.once('error', () => response.destroy());
      passed.end();
    });
  }

  /** For `proxy_url`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
  }
}
