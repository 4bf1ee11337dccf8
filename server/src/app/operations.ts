import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Registry } from 'prom-client';
import { Metrics } from '../engine/metrics.ts';
import { noteUpstream, trails } from '../engine/trail.ts';
import type { UpstreamAttempt } from '../upstream/upstream.ts';
import { AccessLog, type Hit } from './access-log.ts';
import { ApiMetrics } from './api-metrics.ts';
import type { Caller } from './caller.ts';
import type { ServerLog } from './log.ts';
import { LoopDelay } from './loop-delay.ts';
import { type PortMetrics, portMetrics } from './metered-ports.ts';
import { processMetrics } from './process-metrics.ts';
import { Requests, type RequestTracing } from './requests.ts';
import type { Settings } from './settings.ts';
import { type Stated, stateMetrics } from './state-metrics.ts';
import type { Between } from './storage.ts';

export interface OperationsDeps {
  readonly log: ServerLog;
  readonly now: () => number;
  readonly callerOf: (request: IncomingMessage) => Caller;
  readonly nextRequestId: () => string;
  readonly opened: AsyncDisposableStack;
}

/** What whoever runs it sees of it: metrics, access log, traces. */
export class Operations {
  readonly registry = new Registry();
  readonly metrics = new Metrics(this.registry);
  readonly requests: Requests;
  /** For the lane: told of every answer. */
  readonly answered: ((hit: Hit) => void) | undefined;
  /** For the lane: what belongs to a trace takes the way on which spans are made. */
  readonly declines: ((headers: IncomingHttpHeaders) => boolean) | undefined;
  readonly #ports: PortMetrics = portMetrics(this.registry);
  readonly #accessLog: AccessLog | undefined;
  readonly #deps: OperationsDeps;

  static async open(settings: Settings, deps: OperationsDeps): Promise<Operations> {
    if (!settings.telemetry) return new Operations(settings, deps, undefined);
    const { openTelemetry } = await import('./telemetry.ts');
    const telemetry = openTelemetry(settings.telemetry, deps.log);
    deps.opened.defer(() => telemetry.close());
    return new Operations(settings, deps, telemetry.tracing);
  }

  private constructor({ log: { access, level } }: Settings, deps: OperationsDeps, tracing: RequestTracing | undefined) {
    this.#deps = deps;
    const { log, now, opened } = deps;
    const accessLog =
      access && (level === 'debug' || level === 'info')
        ? new AccessLog((lines) => log.lines(lines), now, level === 'debug')
        : undefined;
    opened.defer(() => accessLog?.flush());
    this.#accessLog = accessLog;
    this.answered = accessLog && ((hit) => accessLog.hit(hit));
    this.declines = tracing && ((headers) => headers['traceparent'] !== undefined);
    const loop = new LoopDelay();
    opened.defer(() => loop.close());
    processMetrics(this.registry, loop);
    const api = new ApiMetrics(this.registry);
    this.requests = new Requests({ ...deps, metrics: this.metrics, api, accessLog, tracing });
  }

  /** Around what tests put between, so that what fails there is counted. */
  between({ ledger, store }: Between): Between {
    return {
      ledger: (real) => this.#ports.ledger(ledger?.(real) ?? real),
      store: (real) => this.#ports.store(store?.(real) ?? real),
    };
  }

  /** For the door to upstreams: told of each attempt. */
  readonly attempted = (attempt: UpstreamAttempt): void => {
    const { remote, host, bytes, milliseconds } = attempt;
    noteUpstream(host, milliseconds);
    if (remote !== undefined) {
      if (bytes > 0) this.metrics.received(remote, bytes);
      if (attempt.attempt > 1) this.metrics.retried(remote);
    }
    this.#accessLog?.upstream(attempt, trails.getStore()?.requestId);
  };

  /** What is read when somebody asks. */
  show(state: Omit<Stated, 'inFlight' | 'logDropped' | 'now'>): void {
    const { log, now } = this.#deps;
    const { requests } = this;
    stateMetrics(this.registry, { ...state, now, inFlight: () => requests.inFlight, logDropped: () => log.dropped });
  }
}
