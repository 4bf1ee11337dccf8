import { Gauge, type Registry } from 'prom-client';
import type { Stats } from '../ledger/ledger.ts';
import { gauge, total } from './process-metrics.ts';

export interface UpstreamState {
  readonly name: string;
  readonly healthy: boolean;
  readonly resting: boolean;
  readonly message?: string;
}

export interface Stated {
  readonly journal: { readonly lag: number; readonly lost: number; readonly oldestAge: number };
  readonly upstreams: () => readonly UpstreamState[];
  readonly inFlight: () => number;
  readonly followers: () => number;
  /** Bytes of memory by what they hold. */
  readonly hot: () => Readonly<Record<string, number>>;
  readonly parts: () => Promise<ReadonlyMap<string, { readonly status: string }>>;
  readonly stats: () => Promise<Pick<Stats, 'blobs' | 'bytes'>>;
  /** Characters of the log that nobody took. */
  readonly logDropped: () => number;
  readonly now: () => number;
}

/** Milliseconds for which a count of the store holds: it goes over a whole table. */
const COUNTED = 60_000;

/** What is read when somebody asks: nothing is counted for it in between. */
export function stateMetrics(registry: Registry, state: Stated): void {
  const { journal, now } = state;
  gauge(registry, 'entrepot_journal_lag_rows', 'Pulls that are recorded and not in the ledger yet.', () => journal.lag);
  const age = 'For how long the oldest of them has been waiting.';
  gauge(registry, 'entrepot_journal_oldest_age_seconds', age, () => journal.oldestAge / 1000);
  total(
    registry,
    'entrepot_journal_lost_rows_total',
    'Pulls that were given up because neither disk nor memory had room for them.',
    () => journal.lost,
  );
  const upstream = (name: string, help: string, read: (upstream: UpstreamState) => boolean) =>
    byLabel(registry, name, help, 'repository', () => state.upstreams().map((one) => [one.name, read(one) ? 1 : 0]));
  upstream(
    'entrepot_upstream_healthy',
    '0 while the last answer of a remote’s upstream was a failure.',
    (one) => one.healthy,
  );
  upstream(
    'entrepot_upstream_breaker_open',
    '1 while a remote’s upstream is left alone after failures.',
    (one) => one.resting,
  );
  byLabel(registry, 'entrepot_part_healthy', '0 while a part of /health does not work.', 'part', async () =>
    [...(await state.parts())].map(([name, { status }]) => [name, status === 'ok' ? 1 : 0]),
  );
  gauge(registry, 'entrepot_requests_in_flight', 'Requests that have begun and not ended.', state.inFlight);
  gauge(registry, 'entrepot_event_followers', 'Open streams of events.', state.followers);
  byLabel(registry, 'entrepot_memory_hot_bytes', 'Memory that holds answers kept ready.', 'cache', () =>
    Object.entries(state.hot()),
  );
  const counted = held(state.stats, now);
  gauge(registry, 'entrepot_store_blobs', 'Blobs that the ledger knows of.', async () => (await counted()).blobs);
  gauge(
    registry,
    'entrepot_store_bytes',
    'Bytes of the blobs that the ledger knows of.',
    async () => (await counted()).bytes,
  );
  total(
    registry,
    'entrepot_log_dropped_bytes_total',
    'Log that was let go because nobody took it from standard output.',
    state.logDropped,
  );
}

function byLabel(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  values: () => readonly (readonly [string, number])[] | Promise<readonly (readonly [string, number])[]>,
): void {
  new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    async collect() {
      const read = await values();
      this.reset();
      for (const [value, number] of read) this.set({ [label]: value }, number);
    },
  });
}

/** Asked for again only after a while, and once however many wait. */
function held<Value>(read: () => Promise<Value>, now: () => number): () => Promise<Value> {
  let known: { readonly at: number; readonly value: Promise<Value> } | undefined;
  return () => {
    if (known && now() - known.at < COUNTED && now() >= known.at) return known.value;
    const value = read();
    known = { at: now(), value };
    value.catch(() => {
      known = undefined;
    });
    return value;
  };
}
