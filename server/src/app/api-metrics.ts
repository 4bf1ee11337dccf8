import type { Registry } from 'prom-client';
import { Counts, Timings } from '../engine/cells.ts';

const BOUNDS = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];

/** Of the management API. */
export class ApiMetrics {
  readonly #requests: Counts<'route' | 'method' | 'status'>;
  readonly #durations: Timings<'route'>;

  constructor(registry: Registry) {
    this.#requests = new Counts(registry, {
      name: 'entrepot_api_requests_total',
      help: 'Requests to the management API, health, metrics and pages, by route and status class.',
      labels: ['route', 'method', 'status'],
    });
    const duration = {
      name: 'entrepot_api_request_duration_seconds',
      help: 'Time until such a request was answered.',
      labels: ['route'],
    } as const;
    this.#durations = new Timings(registry, duration, BOUNDS);
  }

  /** `route`: a pattern, or `none`. */
  request(route: string, method: string, status: number, seconds: number): void {
    const known = METHODS.includes(method) ? method : 'other';
    this.#requests.of({ route, method: known, status: `${Math.floor(status / 100)}xx` }).inc();
    this.#durations.of({ route }).observe(seconds);
  }
}

/** A client may send any word. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];
