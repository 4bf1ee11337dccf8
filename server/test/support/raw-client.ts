import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection on which every byte is the test's own. */
export class RawClient {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  /** Also where it is broken off. */
  readonly #ended: Promise<unknown>;

  static async open(url: string): Promise<RawClient> {
    const { hostname, port } = new URL(url);
    const client = new RawClient(connect({ host: hostname, port: Number(port), allowHalfOpen: true }));
    await once(client.socket, 'connect');
    return client;
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    socket.on('error', () => {});
    this.#ended = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
  }

  send(text: string | Uint8Array): this {
    this.socket.write(text);
    return this;
  }

  /** What has been said so far. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Everything, once the server has ended it. */
  async all(): Promise<Buffer> {
    await this.#ended;
    this.close();
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** One request as it stands, and everything that is said to it. */
export async function rawly(url: string, request: string | Uint8Array): Promise<string> {
  const client = await RawClient.open(url);
  return (await client.send(request).all()).toString('latin1');
}
