import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

export interface Gauged {
  /** Pulls that are not in the ledger yet, and such as were given up. */
  readonly journal: { readonly lag: number; readonly lost: number };
  readonly upstreams: () => readonly { readonly name: string; readonly healthy: boolean }[];
}

/** What is read when somebody asks: nothing is counted for it in between. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

export function gauge(registry: Registry, { journal, upstreams }: Gauged): void {
  new Gauge({
    name: 'entrepot_journal_lag_rows',
    help: 'Pulls that are recorded and not in the ledger yet.',
    registers: [registry],
    collect() {
      this.set(journal.lag);
    },
  });
  new Gauge({
    name: 'entrepot_journal_lost_rows',
    help: 'Pulls that were given up because neither disk nor memory had room for them.',
    registers: [registry],
    collect() {
      this.set(journal.lost);
    },
  });
  new Gauge({
    name: 'entrepot_upstream_healthy',
    help: '0 while the last answer of a remote’s upstream was a failure.',
    labelNames: ['repository'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { name, healthy } of upstreams()) this.set({ repository: name }, healthy ? 1 : 0);
    },
  });
}
