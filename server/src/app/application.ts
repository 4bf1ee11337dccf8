import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { Access } from '../access/access.ts';
import type { AdminToken } from '../access/admin-token.ts';
import { Health } from '../api/health-checks.ts';
import { Renderer } from '../engine/answer/renderer.ts';
import { Engine } from '../engine/engine.ts';
import type { Events } from '../engine/events.ts';
import type { AnyFormat } from '../engine/format.ts';
import type { Metrics } from '../engine/metrics.ts';
import { Objects } from '../engine/objects.ts';
import { formats } from '../formats/all.ts';
import { Backups } from '../maintenance/backup.ts';
import type { Space } from '../space/space.ts';
import { createUpstream } from '../upstream/http-upstream.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { callers } from './caller.ts';
import { Configuration } from './configuration.ts';
import { byOne, inTurn } from './coordination.ts';
import { registerDataPlane } from './data-plane.ts';
import { defaultUpstream } from './default-upstream.ts';
import { makeDefaults } from './defaults.ts';
import { EventFeed } from './event-feed.ts';
import { EventLog } from './event-log.ts';
import { closeHttpServer, createHttpServer } from './http-server.ts';
import { openKeys } from './keys.ts';
import { type Identify, Lane } from './lane.ts';
import { createLog, type ServerLog } from './log.ts';
import { Operations } from './operations.ts';
import { originFor, publicOrigin } from './origin.ts';
import { CONFIGURATION, Replicas } from './replicas.ts';
import { Respite } from './respite.ts';
import type { Settings } from './settings.ts';
import { SharedRests } from './shared-rests.ts';
import { Simulations } from './simulation/simulations.ts';
import { growing, openSpace, requireSound, sparing } from './space.ts';
import { type Between, openStorage, type Storage } from './storage.ts';
import { Tls } from './tls.ts';
import { VERSION } from './version.ts';

export interface Application {
  /** Where it listens, without a trailing slash. */
  readonly url: string;
  readonly version: string;
  readonly adminToken: AdminToken;
  readonly log: ServerLog;
  /** Takes no more requests, lets transfers end (at most `patience` milliseconds, default 30 s), writes what is to be written. */
  close(patience?: number): Promise<void>;
}

export interface Overrides extends Between {
  readonly upstream?: Upstream;
  readonly log?: ServerLog;
  readonly now?: () => number;
}

const PATIENCE = 30_000;
/** Between two looks at which names are due to be watched, in milliseconds. */
const WATCH = 15_000;
/** Threads for documents too big for the serving thread. */
const RENDERERS = 2;

/** Everything, wired by hand: reading this is reading how the parts hang together. Serves when it resolves. */
export async function createApplication(settings: Settings, overrides: Overrides = {}): Promise<Application> {
  const opened = new AsyncDisposableStack();
  try {
    return await opening(settings, overrides, opened);
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

async function opening(settings: Settings, overrides: Overrides, opened: AsyncDisposableStack): Promise<Application> {
  const now = overrides.now ?? Date.now;
  const log = overrides.log ?? (await createLog(settings.log));
  opened.defer(() => log.close());
  const nextRequestId = requestIds();
  const callerOf = callers(settings.trustedProxies);
  const operations = await Operations.open(settings, { log, now, callerOf, nextRequestId, opened });
  // Its modules load while other threads open the ledger.
  const management = import('./management-server.ts');
  const between = operations.between(overrides);
  const storage = sparing(await openStorage(settings, { log, now, between, opened }), settings, now);
  const { adminToken: token, tokenKey } = await openKeys(settings, storage.ledger);
  if (token.exposed) log.warn(`${token.path} can be read by others than its owner: chmod 600 it`);
  const access = new Access(token.value, settings.anonymous, { now, secretKey: tokenKey });
  const { coordination } = storage;
  const rests = coordination.shared ? new SharedRests(coordination, now) : undefined;
  const userAgent = `entrepot/${VERSION}`;
  const upstream = overrides.upstream ?? createUpstream({ userAgent, observe: operations.attempted, rests });
  opened.defer(() => upstream.close());

  const { metrics, registry } = operations;
  const events = new EventLog({ ledger: storage.ledger, log, now });
  opened.defer(() => events.close());
  const feed = new EventFeed(storage.ledger, now);
  const objects = new Objects(storage.ledger, storage.store, { now });
  const space = openSpace(settings, {
    ...storage,
    objects,
    evicted: (repository, paths) => engine.evicted(repository, paths),
    configuration: () => configuration,
    registry,
    events,
    log,
    now,
  });
  opened.defer(() => space.close());
  const told = growing(events, space);
  const engine = createEngine(settings, storage, { objects, upstream, metrics, events: told, log, now, opened });
  const configuration = await Configuration.open({
    ledger: storage.ledger,
    serve: (...declared) => engine.configure(...declared),
    changed: (revision) => void coordination.publish(CONFIGURATION, { revision }),
    events,
    log,
    now,
  });
  const replicas = coordination.shared ? new Replicas({ ...storage, configuration, engine, objects, log }) : undefined;
  opened.defer(() => replicas?.close());
  const watching = setInterval(() => void byOne(coordination, 'watch', () => engine.watch()), WATCH);
  watching.unref();
  opened.defer(() => clearInterval(watching));
  opened.defer(new Respite().watch());
  if (settings.defaults) {
    await inTurn(coordination, 'defaults', async () => {
      await configuration.refresh((await storage.ledger.marks()).revision);
      await makeDefaults({ configuration, ledger: storage.ledger, formats, log });
    });
  }

  space.start();

  const upstreams = () => upstreamsOf(configuration, engine);
  const health = createHealth(storage, { space, replicas }, upstreams, now);
  const identify: Identify = (headers) => identified(access, headers);
  const { answered, declines, requests } = operations;
  const memory = settings.memory.hot / 4;
  const lane = new Lane({ identify, callerOf, nextRequestId, now, memory, answered, declines });
  operations.show({
    journal: storage.journal,
    upstreams,
    followers: () => feed.followers,
    hot: () => ({ ...lane.used, renditions: engine.serving.renditions.used }),
    parts: () => health.checks(),
    stats: () => storage.ledger.stats(),
  });
  const tls = settings.tls && new Tls(settings.tls, log);
  if (tls) opened.defer(() => tls.close());
  const addresses = { baseUrl: settings.baseUrl, hosts: settings.hosts, listening: '' };

  const backups = new Backups({
    from: settings.database,
    store: storage.store,
    data: settings.data,
    journal: storage.journal.dir,
    version: VERSION,
    now,
    drain: () => storage.journal.drain(),
  });
  const simulations = new Simulations({ ...storage, configuration, formats: byId(), now });

  const site = {
    version: VERSION,
    get origin() {
      return publicOrigin(addresses);
    },
  };
  const limits = settings.storageMaxSize === undefined ? {} : { store: settings.storageMaxSize };
  const { createManagementServer } = await management;
  const app = await createManagementServer({
    deps: {
      ...storage,
      access,
      backups,
      now,
      configuration,
      engine,
      feed,
      health,
      log,
      metrics: registry,
      simulations,
      site,
      space,
      limits,
    },
    nextRequestId,
    server: (handler) =>
      createHttpServer({
        lane: (request, response) => lane.handle(request, response),
        handler: (request, response) => requests.follow(request, response, handler),
        tls,
      }),
    before: (fastify) =>
      registerDataPlane(fastify, {
        engine,
        lane,
        identify,
        access,
        metrics,
        log,
        now,
        callerOf,
        origin: (caller) => originFor(caller, addresses),
        redirect: settings.storage.kind === 's3' && settings.storage.redirect,
      }),
  });
  opened.defer(() => app.close());
  const server = app.getHttpServer();
  await app.listen(settings.listen.port, settings.listen.host);
  addresses.listening = listeningUrl(settings, server.address() as AddressInfo);
  health.accept();
  return {
    url: addresses.listening,
    version: VERSION,
    adminToken: token,
    log,
    close: async (patience = PATIENCE) => {
      health.refuse('it is shutting down');
      feed.close();
      await closeHttpServer(server, patience);
      await opened.disposeAsync();
    },
  };
}

interface EngineParts {
  readonly objects: Objects;
  readonly upstream: Upstream;
  readonly metrics: Metrics;
  readonly events: Events;
  readonly log: ServerLog;
  readonly now: () => number;
  readonly opened: AsyncDisposableStack;
}

function createEngine(
  settings: Settings,
  { store, ledger, journal, coordination }: Storage,
  { opened, ...parts }: EngineParts,
): Engine {
  const known = byId();
  return new Engine({
    ...parts,
    formats: known,
    store,
    ledger,
    journal,
    coordination,
    renderer: new Renderer(known, renderers(opened)),
    publicUpstream: defaultUpstream,
    memory: settings.memory.hot / 2,
    strictAudit: settings.audit.durability === 'strict',
    refusalHelp: settings.refusalHelp,
  });
}

function byId(): ReadonlyMap<string, AnyFormat> {
  return new Map(formats.map((format) => [format.id, format]));
}

/** Made with the first document that needs them. */
function renderers(opened: AsyncDisposableStack): ConstructorParameters<typeof Renderer>[1] {
  let pool: ReturnType<typeof open> | undefined;
  const open = async () => {
    const { createRenderPool } = await import('./render-pool.ts');
    const created = createRenderPool(RENDERERS);
    opened.defer(() => created.close());
    return created;
  };
  return () => {
    pool ??= open();
    return pool;
  };
}

function createHealth(
  { store, ledger, journal, coordination, presence }: Storage,
  { space, replicas }: { readonly space: Space; readonly replicas: Replicas | undefined },
  upstreams: () => ReturnType<typeof upstreamsOf>,
  now: () => number,
): Health {
  const parts = [
    {
      name: 'database',
      check: async () => {
        await presence.check();
        await ledger.check();
      },
    },
    { name: 'store', check: () => store.check() },
    { name: 'blobs', isOptional: true, check: () => requireSound(space) },
    {
      name: 'journal',
      check: async () => {
        if (journal.failed) throw journal.failed;
      },
    },
    { name: 'configuration', check: async () => replicas?.check() },
    {
      name: 'coordination',
      isOptional: true,
      check: async () => {
        const reason = await coordination.alone();
        if (reason !== undefined) throw new Error(`Redis cannot be used, this process acts alone: ${reason}`);
      },
    },
  ];
  return new Health({ parts, upstreams, now });
}

function upstreamsOf(configuration: Configuration, engine: Engine) {
  const remotes = [...configuration.snapshot.resources.values()].filter(({ kind }) => kind === 'remote');
  return remotes.map(({ name }) => {
    const { healthy, resting, lastError } = engine.status(name);
    return { name, healthy, resting, ...(lastError === undefined ? {} : { message: lastError }) };
  });
}

const LONGEST_CONSUMER = 200;

/** What the pull is for, as the caller says it: a CI job, a service. */
function identified(access: Access, headers: Parameters<Identify>[0]): ReturnType<Identify> {
  const who = access.principalOf(headers);
  const consumer = headers['x-entrepot-consumer'];
  if (!who || typeof consumer !== 'string' || consumer === '') return who;
  return { ...who, consumer: consumer.slice(0, LONGEST_CONSUMER) };
}

/** Unlike those of any other run, so that a request id leads to one line of one log. */
function requestIds(): () => string {
  const run = randomBytes(5).toString('hex');
  let last = 0;
  return () => {
    last += 1;
    return `${run}-${last.toString(36)}`;
  };
}

function listeningUrl({ listen, tls }: Settings, { port }: AddressInfo): string {
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  return `${tls ? 'https' : 'http'}://${host}:${port}`;
}
