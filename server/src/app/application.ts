import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { Access } from '../access/access.ts';
import { type AdminToken, adminToken } from '../access/admin-token.ts';
import { Health } from '../api/health-checks.ts';
import { Renderer } from '../engine/answer/renderer.ts';
import { Engine } from '../engine/engine.ts';
import type { Events } from '../engine/events.ts';
import type { AnyFormat } from '../engine/format.ts';
import { Metrics } from '../engine/metrics.ts';
import { formats } from '../formats/all.ts';
import { createUpstream } from '../upstream/http-upstream.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { callers } from './caller.ts';
import { Configuration } from './configuration.ts';
import { registerDataPlane } from './data-plane.ts';
import { defaultUpstream } from './default-upstream.ts';
import { makeDefaults } from './defaults.ts';
import { EventFeed } from './event-feed.ts';
import { EventLog } from './event-log.ts';
import { closeHttpServer, createHttpServer } from './http-server.ts';
import { type Identify, Lane } from './lane.ts';
import { createLog, type ServerLog } from './log.ts';
import { originFor, publicOrigin } from './origin.ts';
import { createRegistry, gauge } from './process-metrics.ts';
import type { Settings } from './settings.ts';
import { Simulations } from './simulation/simulations.ts';
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
  // Its modules load while other threads open the ledger.
  const management = import('./management-server.ts');
  const storage = await openStorage(settings, { log, now, between: overrides, opened });
  const token = await adminToken(settings.data, settings.adminToken);
  if (token.exposed) log.warn(`${token.path} can be read by others than its owner: chmod 600 it`);
  const access = new Access(token.value, settings.anonymous, {
    now,
    ...(settings.secretKey === undefined ? {} : { secretKey: settings.secretKey }),
  });
  const upstream = overrides.upstream ?? createUpstream({ userAgent: `entrepot/${VERSION}` });
  opened.defer(() => upstream.close());

  const registry = createRegistry();
  const metrics = new Metrics(registry);
  const events = new EventLog({ ledger: storage.ledger, log, now });
  opened.defer(() => events.close());
  const feed = new EventFeed(storage.ledger, now);
  const engine = createEngine(settings, storage, { upstream, metrics, events, log, now, opened });
  const configuration = await Configuration.open({
    ledger: storage.ledger,
    serve: (repositories, policy) => engine.configure(repositories, policy),
    events,
    log,
    now,
  });
  const watching = setInterval(() => void engine.watch(), WATCH);
  watching.unref();
  opened.defer(() => clearInterval(watching));
  if (settings.defaults) await makeDefaults({ configuration, ledger: storage.ledger, formats, log });

  const upstreams = () => upstreamsOf(configuration, engine);
  gauge(registry, { journal: storage.journal, upstreams });
  const health = createHealth(storage, upstreams, now);
  const identify: Identify = (headers) => identified(access, headers);
  const nextRequestId = requestIds();
  const callerOf = callers(settings.trustedProxies);
  const lane = new Lane({ identify, callerOf, nextRequestId, now, memory: settings.memory.hot / 4 });
  const tls = settings.tls && new Tls(settings.tls, log);
  if (tls) opened.defer(() => tls.close());
  const addresses = { baseUrl: settings.baseUrl, hosts: settings.hosts, listening: '' };

  const simulations = new Simulations({ ...storage, configuration, formats: byId(), now });

  const site = {
    version: VERSION,
    get origin() {
      return publicOrigin(addresses);
    },
  };
  const { createManagementServer } = await management;
  const app = await createManagementServer({
    deps: { ...storage, access, now, configuration, engine, feed, health, log, metrics: registry, simulations, site },
    nextRequestId,
    server: (handler) =>
      createHttpServer({ lane: (request, response) => lane.handle(request, response), handler, tls }),
    before: (fastify) =>
      registerDataPlane(fastify, {
        engine,
        lane,
        identify,
        access,
        metrics,
        log,
        nextRequestId,
        now,
        callerOf,
        origin: (caller) => originFor(caller, addresses),
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
  readonly upstream: Upstream;
  readonly metrics: Metrics;
  readonly events: Events;
  readonly log: ServerLog;
  readonly now: () => number;
  readonly opened: AsyncDisposableStack;
}

function createEngine(
  settings: Settings,
  { store, ledger, journal }: Storage,
  { opened, ...parts }: EngineParts,
): Engine {
  const known = byId();
  return new Engine({
    ...parts,
    formats: known,
    store,
    ledger,
    journal,
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
  { store, ledger, journal }: Storage,
  upstreams: () => ReturnType<typeof upstreamsOf>,
  now: () => number,
): Health {
  const parts = [
    { name: 'database', check: () => ledger.check() },
    { name: 'store', check: () => store.check() },
    {
      name: 'journal',
      check: async () => {
        if (journal.failed) throw journal.failed;
      },
    },
  ];
  return new Health({ parts, upstreams, now });
}

function upstreamsOf(configuration: Configuration, engine: Engine) {
  const remotes = [...configuration.snapshot.resources.values()].filter(({ kind }) => kind === 'remote');
  return remotes.map(({ name }) => {
    const { healthy, lastError } = engine.status(name);
    return { name, healthy, ...(lastError === undefined ? {} : { message: lastError }) };
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
