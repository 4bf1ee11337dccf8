import type { Registry } from 'prom-client';
import { type Cell, Counts, type Timing, Timings } from './cells.ts';

/** What a request was for, and what came of it. */
export interface Answered {
  readonly repository: string;
  readonly format: string;
  readonly kind: RequestKind;
  readonly method: 'read' | 'write';
  /** Cache result, outcome of a publication, or code of a fault. */
  readonly result: string;
}

/** `root`: of a protocol, none of the repositories; `unknown`: an address that means nothing there. */
export type RequestKind = 'artifact' | 'index' | 'call' | 'publish' | 'root' | 'unknown';

/** Seconds: from an answer out of memory to a large file over a slow line. */
const REQUEST = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];
const UPSTREAM = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];

/** What the engine counts, in Prometheus' conventions; `docs/operations.md` lists them. */
export class Metrics {
  readonly #requests: Counts<keyof Answered>;
  readonly #durations: Timings<'kind' | 'result'>;
  readonly #bytes: Counts<'repository'>;
  readonly #joined: Counts<'kind'>;
  readonly #upstream: Timings<'repository' | 'outcome'>;
  readonly #received: Counts<'repository'>;
  readonly #retries: Counts<'repository'>;
  readonly #alerts: Counts<'kind'>;
  readonly #decisions: Counts<'repository' | 'rule' | 'decision'>;

  constructor(registry: Registry) {
    this.#requests = new Counts(registry, {
      name: 'entrepot_requests_total',
      help: 'Requests for packages, by what was asked for and what came of it.',
      labels: ['repository', 'format', 'kind', 'method', 'result'],
    });
    const duration = {
      name: 'entrepot_request_duration_seconds',
      help: 'Time from the request until its answer was handed to the connection, or broke off.',
      labels: ['kind', 'result'],
    } as const;
    this.#durations = new Timings(registry, duration, REQUEST);
    this.#bytes = new Counts(registry, {
      name: 'entrepot_served_bytes_total',
      help: 'Body bytes of packages sent to clients.',
      labels: ['repository'],
    });
    this.#joined = new Counts(registry, {
      name: 'entrepot_joined_requests_total',
      help: 'Requests that waited for what another had already asked for.',
      labels: ['kind'],
    });
    const upstream = {
      name: 'entrepot_upstream_request_duration_seconds',
      help: 'Time until an upstream answered with headers, or failed, repetitions included.',
      labels: ['repository', 'outcome'],
    } as const;
    this.#upstream = new Timings(registry, upstream, UPSTREAM);
    this.#received = new Counts(registry, {
      name: 'entrepot_upstream_received_bytes_total',
      help: 'Body bytes received from upstreams.',
      labels: ['repository'],
    });
    this.#retries = new Counts(registry, {
      name: 'entrepot_upstream_retries_total',
      help: 'Requests to upstreams that were repeated.',
      labels: ['repository'],
    });
    this.#alerts = new Counts(registry, {
      name: 'entrepot_alerts_total',
      help: 'Alerts raised: public packages under private names, versions with two contents.',
      labels: ['kind'],
    });
    this.#decisions = new Counts(registry, {
      name: 'entrepot_decisions_total',
      help: 'Requests that a rule refused, an exemption let through, or a rule that only observes would have refused.',
      labels: ['repository', 'rule', 'decision'],
    });
  }

  requests(answered: Answered): Cell {
    return this.#requests.of(answered);
  }

  duration(kind: RequestKind, result: string): Timing {
    return this.#durations.of({ kind, result });
  }

  bytes(repository: string): Cell {
    return this.#bytes.of({ repository });
  }

  joined(kind: RequestKind): void {
    this.#joined.of({ kind }).inc();
  }

  /** `rule`: kind and name of a declared resource; absent: of what no rule may let through. */
  decision(repository: string, rule: string | undefined, decision: 'refused' | 'observed' | 'exempted'): void {
    this.#decisions.of({ repository, rule: rule ?? 'none', decision }).inc();
  }

  alert(kind: string): void {
    this.#alerts.of({ kind }).inc();
  }

  /** `outcome`: a status class as `2xx`, or the kind of failure. */
  upstream(repository: string, outcome: string, seconds: number): void {
    this.#upstream.of({ repository, outcome }).observe(seconds);
  }

  received(repository: string, bytes: number): void {
    this.#received.of({ repository }).inc(bytes);
  }

  retried(repository: string): void {
    this.#retries.of({ repository }).inc();
  }
}
