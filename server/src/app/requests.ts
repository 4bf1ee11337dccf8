import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Metrics } from '../engine/metrics.ts';
import { type Tracing, type Trail, trails } from '../engine/trail.ts';
import type { AccessLog } from './access-log.ts';
import type { ApiMetrics } from './api-metrics.ts';
import type { Caller } from './caller.ts';
import { LONGEST_CLIENT } from './lane.ts';

/** Begins the span of a request, as a part of the trace that its caller says it belongs to. */
export interface RequestTracing extends Tracing {
  request(request: IncomingMessage, trail: Trail, response: ServerResponse, run: () => void): void;
}

export interface RequestsDeps {
  readonly callerOf: (request: IncomingMessage) => Caller;
  readonly nextRequestId: () => string;
  readonly metrics: Metrics;
  readonly api: ApiMetrics;
  readonly accessLog: AccessLog | undefined;
  readonly tracing: RequestTracing | undefined;
}

/** Follows each request that the lane does not answer from its beginning to its end. */
export class Requests {
  readonly #deps: RequestsDeps;
  #inFlight = 0;

  constructor(deps: RequestsDeps) {
    this.#deps = deps;
  }

  /** Requests that have begun and not ended. */
  get inFlight(): number {
    return this.#inFlight;
  }

  follow(request: IncomingMessage, response: ServerResponse, handler: RequestListener): void {
    const { callerOf, nextRequestId, tracing } = this.#deps;
    const began = performance.now();
    const { address, requestId = nextRequestId() } = callerOf(request);
    const client = request.headers['user-agent']?.slice(0, LONGEST_CLIENT);
    const trail: Trail = {
      requestId,
      ...(address === undefined ? {} : { address }),
      ...(client === undefined ? {} : { client }),
      ...(tracing ? { tracing } : {}),
    };
    this.#inFlight += 1;
    response.setHeader('x-request-id', requestId);
    response.once('close', () => this.#ended(request, response, trail, began));
    const run = () => trails.run(trail, () => handler(request, response));
    if (tracing) tracing.request(request, trail, response, run);
    else run();
  }

  #ended(request: IncomingMessage, response: ServerResponse, trail: Trail, began: number): void {
    this.#inFlight -= 1;
    const { metrics, api, accessLog } = this.#deps;
    const seconds = (performance.now() - began) / 1000;
    const { kind, repository = 'none', format = 'none', result = 'unknown', joined } = trail;
    const { method = 'GET' } = request;
    if (kind) {
      const isRead = method === 'GET' || method === 'HEAD';
      metrics.requests({ repository, format, kind, method: isRead ? 'read' : 'write', result }).inc();
      metrics.duration(kind, result).observe(seconds);
      if (joined) metrics.joined(kind);
    } else {
      api.request(trail.route ?? 'none', method, response.statusCode, seconds);
    }
    accessLog?.request(request, response, trail, began);
  }
}
