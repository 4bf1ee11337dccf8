import { Counter, Histogram, type Registry } from 'prom-client';

/** What the engine counts, in Prometheus' conventions; `docs/operations.md` lists them. */
export class Metrics {
  readonly #requests: Counter<'repository' | 'kind' | 'result'>;
  readonly #bytes: Counter<'repository'>;
  readonly #upstream: Histogram<'repository' | 'outcome'>;
  readonly #alerts: Counter<'kind'>;
  readonly #decisions: Counter<'repository' | 'rule' | 'decision'>;

  constructor(registry: Registry) {
    this.#requests = new Counter({
      name: 'entrepot_requests_total',
      help: 'Requests answered, by repository, what was asked for, and the cache result or fault.',
      labelNames: ['repository', 'kind', 'result'],
      registers: [registry],
    });
    this.#bytes = new Counter({
      name: 'entrepot_served_bytes_total',
      help: 'Body bytes sent to clients.',
      labelNames: ['repository'],
      registers: [registry],
    });
    this.#upstream = new Histogram({
      name: 'entrepot_upstream_seconds',
      help: 'Time until an upstream answered with headers, or failed.',
      labelNames: ['repository', 'outcome'],
      buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
      registers: [registry],
    });
    this.#alerts = new Counter({
      name: 'entrepot_alerts_total',
      help: 'Alerts raised: public packages under private names, versions with two contents.',
      labelNames: ['kind'],
      registers: [registry],
    });
    this.#decisions = new Counter({
      name: 'entrepot_decisions_total',
      help: 'Requests that a rule refused, an exemption let through, or a rule that only observes would have refused.',
      labelNames: ['repository', 'rule', 'decision'],
      registers: [registry],
    });
  }

  /** Bound once, so that counting costs no label look-up. */
  requests(repository: string, kind: string, result: string): { inc(): void } {
    return this.#requests.labels({ repository, kind, result });
  }

  bytes(repository: string): { inc(bytes: number): void } {
    return this.#bytes.labels({ repository });
  }

  /** `rule`: kind and name of a declared resource; absent: of what no rule may let through. */
  decision(repository: string, rule: string | undefined, decision: 'refused' | 'observed' | 'exempted'): void {
    this.#decisions.labels({ repository, rule: rule ?? 'none', decision }).inc();
  }

  alert(kind: string): void {
    this.#alerts.labels({ kind }).inc();
  }

  /** `outcome`: a status class as `2xx`, or the kind of failure. */
  upstream(repository: string, outcome: string, seconds: number): void {
    this.#upstream.labels({ repository, outcome }).observe(seconds);
  }
}
