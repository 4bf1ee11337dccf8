import { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestKind } from './metrics.ts';

/** Attributes of a span. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Where traces go; there is none where nobody asked for them. */
export interface Tracing {
  /** Runs as a span below the one it is called in. What it resolves to may add to what the span says. */
  span<Result>(
    name: string,
    kind: 'internal' | 'client',
    attributes: Attributes,
    run: () => Promise<Result>,
    described?: (result: Result) => Attributes,
  ): Promise<Result>;
}

/** What is noted of one request on its way: the access log and the metrics are written from it when it has ended. */
export interface Trail {
  readonly requestId: string;
  readonly tracing?: Tracing;
  /** Absent: a request of the management API, or one that found nothing. */
  kind?: RequestKind;
  repository?: string;
  format?: string;
  result?: string;
  principal?: string;
  consumer?: string;
  client?: string;
  address?: string;
  /** The repository that had it. */
  member?: string;
  /** Host that was asked for it, and how long its answers took, in milliseconds. */
  upstream?: string;
  upstreamMs?: number;
  rule?: string;
  decision?: string;
  decisionId?: string;
  /** It waited for what another had already asked for. */
  joined?: boolean;
  /** Body bytes sent. */
  bytes?: number;
  /** `performance.now()` when the headers went. */
  firstByteAt?: number;
  /** Of the management API. */
  route?: string;
  changes?: Readonly<Record<string, unknown>>[];
}

/** Of the request that runs; work behind it keeps the trail of the request that began it. */
export const trails = new AsyncLocalStorage<Trail>();

/** Adds to what is known of the request that runs, if any does. */
export function note(what: Partial<Omit<Trail, 'requestId' | 'tracing'>>): void {
  const trail = trails.getStore();
  if (trail) Object.assign(trail, what);
}

/** So many changes of one request are written; the rest is in the configuration's own history. */
const MOST_CHANGES = 20;

export function noteChange(change: Readonly<Record<string, unknown>>): void {
  const trail = trails.getStore();
  if (!trail) return;
  trail.changes ??= [];
  if (trail.changes.length < MOST_CHANGES) trail.changes.push(change);
}

export function noteUpstream(host: string, milliseconds: number): void {
  const trail = trails.getStore();
  if (!trail) return;
  trail.upstream = host;
  trail.upstreamMs = (trail.upstreamMs ?? 0) + milliseconds;
}

/** A span of the request that runs, where it is traced. */
export function traced<Result>(
  name: string,
  kind: 'internal' | 'client',
  attributes: Attributes,
  run: () => Promise<Result>,
  described?: (result: Result) => Attributes,
): Promise<Result> {
  const tracing = trails.getStore()?.tracing;
  return tracing ? tracing.span(name, kind, attributes, run, described) : run();
}
