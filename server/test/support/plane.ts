import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fastify } from 'fastify';
import { Registry } from 'prom-client';
import { Access } from '../../src/access/access.ts';
import { ApiMetrics } from '../../src/app/api-metrics.ts';
import { callers } from '../../src/app/caller.ts';
import { registerDataPlane } from '../../src/app/data-plane.ts';
import { Lane } from '../../src/app/lane.ts';
import { policyRevision } from '../../src/app/policy.ts';
import { createRenderPool } from '../../src/app/render-pool.ts';
import { Requests } from '../../src/app/requests.ts';
import { loadSettings } from '../../src/app/settings.ts';
import { openLedger, openStore } from '../../src/app/storage.ts';
import { Renderer } from '../../src/engine/answer/renderer.ts';
import { type DeclaredRepository, Engine } from '../../src/engine/engine.ts';
import type { EngineEvent } from '../../src/engine/events.ts';
import type { AnyFormat } from '../../src/engine/format.ts';
import { Metrics } from '../../src/engine/metrics.ts';
import type { PolicyRevision } from '../../src/engine/source.ts';
import { formats } from '../../src/formats/all.ts';
import type { Ledger, PullRow, ResourceRow } from '../../src/ledger/ledger.ts';
import { effective, validate } from '../../src/schema/schema.ts';
import type { Store } from '../../src/store/store.ts';
import { createUpstream } from '../../src/upstream/http-upstream.ts';
import { homeOf } from './services.ts';

export interface Logged {
  readonly level: string;
  readonly message: string;
}

export interface PlaneOptions {
  readonly store?: (store: Store) => Store;
  readonly ledger?: (ledger: Ledger) => Ledger;
  readonly refusalHelp?: string;
  readonly redirect?: boolean;
}

/** Engine, lane and data plane over a real store and ledger, without the management API; the clock is the test's. */
export class Plane {
  readonly pulls: PullRow[] = [];
  readonly logged: Logged[] = [];
  /** What the engine told whoever watches. */
  readonly events: EngineEvent[] = [];
  /** Milliseconds that the server's clock is ahead of the machine's. */
  ahead = 0;
  readonly #folder: string;
  readonly #close: (() => Promise<unknown>)[] = [];
  #declared: DeclaredRepository[] = [];
  readonly #rules = new Map<string, ResourceRow>();
  #policy: PolicyRevision | undefined;
  url = '';
  engine!: Engine;
  store!: Store;
  ledger!: Ledger;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(options: PlaneOptions = {}): Promise<Plane> {
    const plane = new Plane(await mkdtemp(join(tmpdir(), 'entrepot-plane-')));
    await plane.#start(options);
    return plane;
  }

  /** A remote of the upstream at `url` on this machine. */
  remote(name: string, format: string, url: string, spec: Readonly<Record<string, unknown>> = {}): this {
    const declared = { name, format, url, allow_private_network: true, ...spec };
    validate('remote', declared);
    return this.#declare({ kind: 'remote', name, spec: effective('remote', declared) });
  }

  virtual(
    name: string,
    format: string,
    members: readonly string[],
    spec: Readonly<Record<string, unknown>> = {},
  ): this {
    const declared = { name, format, members, ...spec };
    validate('virtual', declared);
    return this.#declare({ kind: 'virtual', name, spec: effective('virtual', declared) });
  }

  hosted(name: string, format: string, spec: Readonly<Record<string, unknown>> = {}): this {
    const declared = { name, format, ...spec };
    validate('hosted', declared);
    return this.#declare({ kind: 'hosted', name, spec: effective('hosted', declared) });
  }

  /** A block, cooldown, exemption or freeze, from now on. */
  rule(kind: string, spec: Readonly<Record<string, unknown>>): this {
    validate(kind, spec);
    const name = String(spec['name']);
    const common = { revision: 1, managedBy: 'api', retiring: false, createdAt: 0, updatedAt: 0 } as const;
    this.#rules.set(`${kind} ${name}`, { kind, name, spec, ...common });
    return this.#configured();
  }

  lift(kind: string, name: string): this {
    this.#rules.delete(`${kind} ${name}`);
    return this.#configured();
  }

  withdraw(name: string): this {
    this.#declared = this.#declared.filter((one) => one.name !== name);
    return this.#configured();
  }

  #configured(): this {
    this.#policy = policyRevision(this.#rules.values(), this.#policy);
    this.engine.configure(this.#declared, this.#policy);
    return this;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Response> {
    return fetch(`${this.url}${path}`, { method, headers, redirect: 'manual' });
  }

  async stop(): Promise<void> {
    await this.#end();
    // What was under way may still be writing.
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }

  /** Another process on the same folder, with the same declarations. */
  async restart(options: PlaneOptions = {}): Promise<void> {
    await this.#end();
    await this.#start(options);
    this.#configured();
  }

  async #end(): Promise<void> {
    for (const close of this.#close.splice(0).reverse()) await close();
  }

  #declare(one: DeclaredRepository): this {
    this.#declared = [...this.#declared.filter(({ name }) => name !== one.name), one];
    return this.#configured();
  }

  async #start({ refusalHelp, redirect = false, ...faults }: PlaneOptions): Promise<void> {
    const now = () => Date.now() + this.ahead;
    const flags = { data: this.#folder, ...(await homeOf(this.#folder)) };
    const settings = loadSettings({ flags, env: {}, cwd: this.#folder });
    const store = await openStore(settings);
    const ledger = await openLedger(settings);
    this.store = faults.store?.(store) ?? store;
    this.ledger = faults.ledger?.(ledger) ?? ledger;
    const upstream = createUpstream({ userAgent: 'entrepot/test', retrying: { delay: 1 } });
    const known = new Map(formats.map((format): [string, AnyFormat] => [format.id, format]));
    let pool: ReturnType<typeof createRenderPool> | undefined;
    const renderer = new Renderer(known, async () => {
      pool ??= createRenderPool(1);
      return pool;
    });
    const registry = new Registry();
    const metrics = new Metrics(registry);
    const log = Object.fromEntries(
      ['debug', 'info', 'warn', 'error'].map((level) => [
        level,
        (message: string) => this.logged.push({ level, message }),
      ]),
    ) as unknown as Parameters<typeof registerDataPlane>[1]['log'];
    const journal = {
      appendThen: (row: PullRow, done: () => void) => {
        this.pulls.push(row);
        setImmediate(done);
      },
      appendRaw: (id: string, members: string, done: () => void) => {
        this.pulls.push(JSON.parse(`{"id":"${id}",${members}}`));
        setImmediate(done);
      },
    };
    this.engine = new Engine({
      formats: known,
      store: this.store,
      ledger: this.ledger,
      upstream,
      journal,
      renderer,
      metrics,
      events: { emit: (event) => void this.events.push(event) },
      log,
      now,
      memory: 64e6,
      publicUpstream: () => undefined,
      refusalHelp,
    });
    let begun = 0;
    const nextRequestId = () => `r${++begun}`;
    const identify = () => ({ principal: 'anonymous' });
    const access = new Access('entrepot-of-tests', 'read', { now });
    const callerOf = callers([]);
    const lane = new Lane({ identify, callerOf, nextRequestId, now, memory: 64e6 });
    const api = new ApiMetrics(registry);
    const unwatched = { accessLog: undefined, tracing: undefined };
    const requests = new Requests({ callerOf, nextRequestId, metrics, api, ...unwatched });
    const app = fastify({
      serverFactory: (handler) =>
        createServer((request, response) =>
          lane.handle(request, response) ? undefined : requests.follow(request, response, handler),
        ),
      forceCloseConnections: true,
    });
    registerDataPlane(app, {
      engine: this.engine,
      lane,
      identify,
      access,
      metrics,
      log,
      now,
      origin: ({ host }) => `http://${host}`,
      callerOf,
      redirect,
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    this.url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
    this.#close.push(
      () => ledger.close(),
      () => store.close(),
      () => upstream.close(),
      async () => pool?.close(),
      () => app.close(),
    );
  }
}
