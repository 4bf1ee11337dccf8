import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Audited, audit } from './audit.ts';
import { Blocks } from './blocks.ts';
import { Client } from './client.ts';
import { Damage } from './damage.ts';
import { ECOSYSTEMS } from './ecosystems/all.ts';
import { type Finding, Findings } from './findings.ts';
import { Hot } from './hot.ts';
import type { Installation } from './installation.ts';
import { Judge } from './judge.ts';
import { type Memory, memoryOf } from './memory.ts';
import { Publications } from './publications.ts';
import { Records } from './records.ts';
import { declare } from './repositories.ts';
import { Counts, type Session } from './session.ts';
import { startSingle } from './single.ts';
import { Storm } from './storm.ts';
import { Upstream } from './upstream.ts';
import { MemoryWatch } from './watch.ts';
import { Weather } from './weather.ts';
import { World } from './world.ts';

export interface SoakOptions {
  readonly seed: string;
  readonly milliseconds: number;
  readonly clients: number;
  readonly topology: 'single' | 'replicas';
  /** The server's `main.js`. */
  readonly program: string;
  /** Everything of the run goes there; it is made. */
  readonly folder: string;
  readonly say: (line: string) => void;
  /** The address at which clients reach a server instead of its own. */
  readonly reach?: (url: string) => Promise<string>;
  /** Default: true. */
  readonly faults?: boolean;
  /** At least so many requests, however long they take; default: any. */
  readonly requests?: number;
  /** Ends it: what was started is stopped, and `soak` throws. */
  readonly signal?: AbortSignal;
}

export interface Outcome {
  readonly seed: string;
  readonly topology: string;
  readonly requests: number;
  readonly upstreamRequests: number;
  readonly actions: Counts['all'];
  readonly faults: Readonly<Record<string, number>>;
  readonly audited: Audited;
  readonly memory: readonly Memory[];
  /** Complete answers with the bytes of a blob that was harmed on purpose. */
  readonly harmedServed: number;
  readonly findings: readonly Finding[];
}

/** Mixed load, faults, and in the end an audit. Throws only when it could not be run. */
export async function soak(options: SoakOptions): Promise<Outcome> {
  await using opened = new AsyncDisposableStack();
  await mkdir(options.folder, { recursive: true });
  const session = await open(options, opened);
  const hot = new Hot(session);
  await declare(session);
  // Every server knows of it by then.
  await sleep(2 * session.judge.spread);
  await hot.publish();
  const storm = new Storm(session, hot);
  const watch = new MemoryWatch(session);
  opened.defer(() => watch.stop());
  await load(session, options, storm);
  session.say('everything is well again; the audit begins');
  const audited = await audit(session);
  watch.look();
  const memory = memoryOf(watch.samples, session.findings, options.milliseconds);
  await session.records.close();
  return {
    seed: options.seed,
    topology: options.topology,
    requests: session.records.count,
    upstreamRequests: session.upstream.requests,
    actions: session.counts.all,
    faults: Object.fromEntries(storm.counts),
    audited,
    memory,
    harmedServed: session.damage.served,
    findings: session.findings.all,
  };
}

async function open(options: SoakOptions, opened: AsyncDisposableStack): Promise<Session> {
  const { seed, folder, say, reach } = options;
  const world = new World(seed, ECOSYSTEMS, Date.now());
  const upstream = await Upstream.start(world, ECOSYSTEMS);
  opened.defer(() => upstream.stop());
  const installation = await install(options);
  opened.defer(() => installation.stop());
  const addresses = await Promise.all(installation.servers.map(async ({ url }) => (await reach?.(url)) ?? url));
  const [weather, blocks, damage, findings] = [new Weather(), new Blocks(), new Damage(), new Findings(say)];
  const spread = installation.servers.length > 1 ? 1000 : 0;
  return {
    ...{ seed, world, upstream, installation, addresses, weather, blocks, damage, findings, say },
    judge: new Judge({ world, weather, blocks, damage, findings, spread }),
    publications: new Publications(),
    records: new Records(join(folder, 'requests.ndjson')),
    counts: new Counts(),
  };
}

async function install({ topology, folder, program, faults = true }: SoakOptions): Promise<Installation> {
  const place = { folder, program, disks: faults };
  if (topology === 'single') return startSingle(place);
  const { startReplicas } = await import('./replicas.ts');
  return startReplicas(place);
}

async function load(session: Session, options: SoakOptions, storm: Storm): Promise<void> {
  const { clients, milliseconds, faults = true, requests = 0, signal } = options;
  const until = Date.now() + milliseconds;
  const over = new AbortController();
  const all = Promise.all(Array.from({ length: clients }, (_, nth) => new Client(session, nth).live(over.signal)));
  const time = async (): Promise<void> => {
    if (faults) await storm.rage(until);
    while (Date.now() < until || session.records.count < requests) await sleep(50);
  };
  try {
    await Promise.race([time(), all, ...(signal ? [interrupted(signal)] : [])]);
  } finally {
    over.abort();
    await all;
  }
}

function interrupted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('the soak was interrupted')), { once: true });
  });
}
