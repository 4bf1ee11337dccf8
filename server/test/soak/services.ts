import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { type Radosgw, startRadosgw } from '../support/radosgw.ts';
import { RedisServer } from '../support/redis.ts';
import { type SlowProxy, startSlowProxy } from '../support/slow-proxy.ts';
import type { Service, Way } from './installation.ts';

export interface StartedService extends Service {
  /** What servers are told, by the names of the settings. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Milliseconds by which each answer of it comes later. */
const SLOW = { database: 1500, store: 3000, coordination: 2000 };

export async function startDatabase(opened: AsyncDisposableStack): Promise<StartedService> {
  const server = await startPostgres();
  opened.defer(() => server.stop());
  const proxy = await proxied(server, opened);
  const url = new URL(await server.database());
  url.port = String(proxy.port);
  return {
    name: 'PostgreSQL',
    part: 'database',
    settings: { database_url: url.href },
    ways: { 'is stopped': stopped(server), 'passes nothing': held(proxy), 'is slow': slowed(proxy, SLOW.database) },
  };
}

export interface StartedStore extends StartedService {
  readonly server: Radosgw;
  readonly bucket: string;
}

export async function startStore(opened: AsyncDisposableStack): Promise<StartedStore> {
  const server = await startRadosgw();
  opened.defer(() => server.stop());
  const proxy = await proxied(server, opened);
  const bucket = await server.bucket();
  return {
    name: 'S3',
    part: 'store',
    server,
    bucket,
    settings: { storage_url: server.url(bucket, proxy.port) },
    ways: {
      'is stopped': stopped(server),
      'is frozen': frozen(server),
      'refuses connections': way(
        true,
        () => proxy.refuse(),
        () => proxy.heal(),
      ),
      'is slow': slowed(proxy, SLOW.store),
      'is full': way(
        true,
        () => server.limit(bucket, 1000),
        () => server.limit(bucket, undefined),
      ),
    },
  };
}

export async function startCoordination(opened: AsyncDisposableStack): Promise<StartedService> {
  const server = await RedisServer.start();
  opened.defer(() => server.stop());
  const proxy = await proxied(server, opened);
  const upAgain = { down: () => server.down(), up: () => server.restart() };
  return {
    name: 'Redis',
    part: 'coordination',
    settings: { redis_url: `redis://127.0.0.1:${proxy.port}` },
    ways: { 'is stopped': stopped(upAgain), 'is frozen': frozen(server), 'is slow': slowed(proxy, SLOW.coordination) },
  };
}

async function proxied({ port }: { readonly port: number }, opened: AsyncDisposableStack): Promise<SlowProxy> {
  const proxy = await startSlowProxy({ port });
  opened.defer(() => proxy.stop());
  return proxy;
}

function way(shows: boolean, make: () => unknown, heal: () => unknown): Way {
  return {
    shows,
    begin: async () => {
      await make();
      return async () => {
        await heal();
      };
    },
  };
}

const stopped = (server: Pick<PostgresServer, 'down' | 'up'>): Way =>
  way(
    true,
    () => server.down(),
    () => server.up(),
  );

const frozen = (server: Pick<Radosgw, 'freeze' | 'thaw'>): Way =>
  way(
    true,
    () => server.freeze(),
    () => server.thaw(),
  );

const held = (proxy: SlowProxy): Way =>
  way(
    true,
    () => proxy.hold(),
    () => proxy.heal(),
  );

const slowed = (proxy: SlowProxy, ms: number): Way =>
  way(
    false,
    () => proxy.delay(ms),
    () => proxy.heal(),
  );
