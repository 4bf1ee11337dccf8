import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Nginx, nginxMissing } from './nginx.ts';
import { type PostgresServer, postgresMissing, startPostgres } from './postgres.ts';
import { RedisServer, redisMissing } from './redis.ts';
import { ServerProcess } from './server-process.ts';

/** What is missing to start them, or undefined. */
export function replicasMissing(): string | undefined {
  return postgresMissing() ?? redisMissing() ?? nginxMissing();
}

export interface ReplicaSettings {
  /** Default: a folder that all have. */
  readonly storage?: string;
  readonly defaults?: boolean;
}

/** Several servers of one installation behind one address: a PostgreSQL, a Redis, a place for blobs and one for journals. */
export class Replicas {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  readonly servers: readonly ServerProcess[];
  readonly url: string;
  readonly #opened: AsyncDisposableStack;

  static async start({ storage, defaults = false }: ReplicaSettings = {}): Promise<Replicas> {
    await using opened = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'entrepot-shared-'));
    opened.defer(() => rm(folder, { recursive: true, force: true }));
    const postgres = await startPostgres();
    opened.defer(() => postgres.stop());
    const redis = await RedisServer.start();
    opened.defer(() => redis.stop());
    const nginx = await Nginx.prepare();
    opened.defer(() => nginx.stop());
    const settings = [
      ['--database-url', await postgres.database()],
      ['--redis-url', redis.url],
      ['--storage-url', storage ?? `file:${join(folder, 'blobs')}`],
      ['--journal', join(folder, 'journal')],
      ['--secret-key', 'the-secret-key-of-this-installation'],
      ['--base-url', nginx.url],
      ['--defaults', String(defaults)],
      ['--log-format', 'json'],
    ].flat();
    // At once: on an empty database each finds the other at work.
    const servers = await Promise.all([ServerProcess.start(...settings), ServerProcess.start(...settings)]);
    for (const server of servers) opened.defer(() => server.stop());
    await nginx.start(servers.map(({ url }) => url));
    return new Replicas({ postgres, redis, servers, url: nginx.url }, opened.move());
  }

  private constructor(
    { postgres, redis, servers, url }: Pick<Replicas, 'postgres' | 'redis' | 'servers' | 'url'>,
    opened: AsyncDisposableStack,
  ) {
    this.postgres = postgres;
    this.redis = redis;
    this.servers = servers;
    this.url = url;
    this.#opened = opened;
  }

  async stop(): Promise<void> {
    await this.#opened.disposeAsync();
  }
}
