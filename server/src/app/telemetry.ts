import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Context,
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Log } from '../engine/log.ts';
import type { Attributes, Trail } from '../engine/trail.ts';
import type { RequestTracing } from './requests.ts';
import { shownPath } from './shown-url.ts';
import { VERSION } from './version.ts';

export interface TelemetrySettings {
  /** `/v1/traces` is added. */
  readonly endpoint: string;
  /** Share of the requests without a trace of their own that begin one: 0 to 1. */
  readonly sample: number;
}

export interface Telemetry {
  readonly tracing: RequestTracing;
  /** Sends what is waiting, as far as that works. */
  close(): Promise<void>;
}

/** Milliseconds between two complaints that traces cannot be sent. */
const COMPLAINT = 60_000;

/** Sends spans of every request to a collector. Loaded only where somebody asked for it. */
export function openTelemetry({ endpoint, sample }: TelemetrySettings, log: Log): Telemetry {
  complainTo(log);
  const contexts = new AsyncLocalStorageContextManager().enable();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'entrepot', 'service.version': VERSION }).merge(
      detectResources({ detectors: [envDetector] }),
    ),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sample) }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: 5000 }),
      }),
    ],
  });
  return {
    tracing: new SpanTracing(provider.getTracer('entrepot', VERSION), contexts),
    close: async () => {
      await provider.shutdown().catch(() => {});
      contexts.disable();
    },
  };
}

class SpanTracing implements RequestTracing {
  readonly #tracer: Tracer;
  readonly #contexts: AsyncLocalStorageContextManager;
  readonly #propagator = new W3CTraceContextPropagator();

  constructor(tracer: Tracer, contexts: AsyncLocalStorageContextManager) {
    this.#tracer = tracer;
    this.#contexts = contexts;
  }

  request(request: IncomingMessage, trail: Trail, response: ServerResponse, run: () => void): void {
    const parent = this.#propagator.extract(ROOT_CONTEXT, request.headers, HEADERS);
    const { method = 'GET' } = request;
    const span = this.#tracer.startSpan(
      method,
      {
        kind: SpanKind.SERVER,
        attributes: {
          'http.request.method': method,
          'url.path': shownPath((request.url ?? '').split('?', 1)[0] ?? ''),
          'entrepot.request_id': trail.requestId,
        },
      },
      parent,
    );
    response.once('close', () => {
      span.updateName(`${method} ${trail.kind ?? trail.route ?? ''}`.trim());
      span.setAttributes({
        'http.response.status_code': response.statusCode,
        ...(trail.repository === undefined ? {} : { 'entrepot.repository': trail.repository }),
        ...(trail.format === undefined ? {} : { 'entrepot.format': trail.format }),
        ...(trail.result === undefined ? {} : { 'entrepot.result': trail.result }),
      });
      if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
    this.#contexts.with(trace.setSpan(parent, span), run);
  }

  async span<Result>(
    name: string,
    kind: 'internal' | 'client',
    attributes: Attributes,
    run: () => Promise<Result>,
    described?: (result: Result) => Attributes,
  ): Promise<Result> {
    const parent: Context = this.#contexts.active();
    const kinds = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT };
    const span = this.#tracer.startSpan(name, { kind: kinds[kind], attributes }, parent);
    try {
      const result = await this.#contexts.with(trace.setSpan(parent, span), run);
      if (described) span.setAttributes(described(result));
      return result;
    } catch (error) {
      failed(span, error);
      throw error;
    } finally {
      span.end();
    }
  }
}

/** Messages of faults say which host and what to check, never a credential. */
function failed(span: Span, error: unknown): void {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  span.setAttribute('error.type', name);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

const HEADERS: TextMapGetter<IncomingMessage['headers']> = {
  get: (headers, name) => headers[name],
  keys: (headers) => Object.keys(headers),
};

function complainTo(log: Log): void {
  let complainedAt = Number.NEGATIVE_INFINITY;
  const complain = (message: string): void => {
    if (performance.now() - complainedAt < COMPLAINT) return;
    complainedAt = performance.now();
    log.warn('traces cannot be sent', { reason: message.slice(0, 500) });
  };
  const silent = () => {};
  diag.setLogger(
    { error: complain, warn: silent, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
  );
}
