import { createClient, type RedisClientType } from 'redis';

export type RedisClient = RedisClientType;

export interface LinkSettings {
  /** `redis[s]://[user[:password]@]host[:port][/database]`. */
  readonly url: string;
  readonly channel: string;
  readonly heard: (text: string) => void;
  /** Each time the connection is there. */
  readonly connected: () => void;
  /** Each time it is gone, and when the first attempt fails; once until it is there again. */
  readonly lost: (reason: string) => void;
}

/** Who waits for an answer longer than this goes on without; milliseconds. */
const PATIENCE = 800;
const BEAT = 2000;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 1000;

/**
 * One connection to a Redis server, for commands and for messages (RESP3). A command that is not answered in time ends the
 * connection, so that no late answer is taken for another's; a new one is made in the background.
 */
export class RedisLink {
  readonly #settings: LinkSettings;
  #client: RedisClient | undefined;
  #reason: string | undefined = 'it was not connected yet';
  #pause = FIRST_PAUSE;
  #timer: NodeJS.Timeout | undefined;
  #told = false;
  #closed = false;

  constructor(settings: LinkSettings) {
    this.#settings = settings;
  }

  /** Why it is not connected; undefined: it is. */
  get down(): string | undefined {
    return this.#reason;
  }

  /** Resolves after the first attempt, however that ends. */
  async open(): Promise<void> {
    await this.#connect();
  }

  /** Undefined when there was no answer in time. */
  async call<Result>(command: (client: RedisClient) => Promise<Result>): Promise<Result | undefined> {
    const client = this.#client;
    if (!client) return undefined;
    try {
      return await inTime(command(client));
    } catch (error) {
      this.#lose(client, error);
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    if (client) destroy(client);
  }

  async #connect(): Promise<void> {
    const client: RedisClient = createClient({
      url: this.#settings.url,
      RESP: 3,
      disableOfflineQueue: true,
      maintNotifications: 'disabled',
      socket: { connectTimeout: PATIENCE, reconnectStrategy: false },
    }) as RedisClient;
    client.on('error', (error) => this.#lose(client, error));
    client.on('end', () => this.#lose(client, new Error('the connection ended')));
    try {
      await inTime(client.connect());
      await inTime(client.subscribe(this.#settings.channel, this.#settings.heard));
    } catch (error) {
      this.#lose(client, error);
      return;
    }
    if (this.#closed || !client.isReady) return destroy(client);
    this.#client = client;
    this.#reason = undefined;
    this.#told = false;
    this.#pause = FIRST_PAUSE;
    this.#again(BEAT, () => this.#beat());
    this.#settings.connected();
  }

  async #beat(): Promise<void> {
    await this.call((client) => client.ping());
    if (this.#client) this.#again(BEAT, () => this.#beat());
  }

  /** Of a connection that is gone already nothing is heard any more. */
  #lose(client: RedisClient, error: unknown): void {
    destroy(client);
    if (this.#closed || (this.#client !== undefined && this.#client !== client)) return;
    this.#client = undefined;
    this.#reason = error instanceof Error ? error.message : String(error);
    if (!this.#told) this.#settings.lost(this.#reason);
    this.#told = true;
    this.#again(this.#pause * (0.5 + Math.random()), () => this.#connect());
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  #again(after: number, then: () => Promise<void>): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void then(), after).unref();
  }
}

function destroy(client: RedisClient): void {
  client.removeAllListeners();
  client.on('error', () => {});
  try {
    client.destroy();
  } catch {
    // It is closed already.
  }
}

/** The client's own timeout counts only until a command is sent. */
async function inTime<Result>(work: Promise<Result>): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`it did not answer within ${PATIENCE} ms`)), PATIENCE);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}
