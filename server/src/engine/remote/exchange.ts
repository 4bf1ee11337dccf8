import { type Upstream, UpstreamError, type UpstreamResponse } from '../../upstream/upstream.ts';
import type { Events } from '../events.ts';
import { Fault } from '../fault.ts';
import { HEADER_LINES, type Place } from '../format.ts';
import type { Metrics } from '../metrics.ts';
import { traced } from '../trail.ts';
import type { RemoteSettings } from './remote-settings.ts';

export type Answer =
  | { readonly kind: 'body'; readonly response: UpstreamResponse; readonly place: Place }
  | { readonly kind: 'unchanged'; readonly headers: Readonly<Record<string, string>>; readonly place: Place }
  /** The upstream itself says that there is none. */
  | { readonly kind: 'absent'; readonly status: number };

export interface UpstreamStatus {
  /** False while the upstream's last answer was a failure. */
  readonly healthy: boolean;
  /** It is left alone for a while. */
  readonly resting: boolean;
  readonly lastFetchAt?: number;
  readonly lastError?: string;
}

/** Not found, gone, and not to be had for legal reasons. */
const ABSENT: readonly number[] = [404, 410, 451];

/** One remote's conversation with its upstream: turns what came back into what it means. */
export class Exchange {
  #last: { readonly at: number; readonly failure?: string } | undefined;

  constructor(
    readonly settings: RemoteSettings,
    readonly upstream: Upstream,
    readonly metrics: Metrics,
    readonly now: () => number,
    readonly events: Events,
  ) {}

  /** How the last request went. */
  status(): UpstreamStatus {
    const resting = this.upstream.resting?.(this.settings.route) ?? false;
    if (!this.#last) return { healthy: true, resting };
    const { at, failure } = this.#last;
    return {
      healthy: failure === undefined,
      resting,
      lastFetchAt: at,
      ...(failure === undefined ? {} : { lastError: failure }),
    };
  }

  /** The first of the places that exists; 'unchanged' only for a request with conditions. Throws `upstream_unavailable` when one cannot say. */
  async get(places: readonly Place[], headers: Readonly<Record<string, string>>): Promise<Answer> {
    let absent: Answer | undefined;
    for (const place of places) {
      const response = await this.send(place, headers);
      if (place.method === 'HEAD' && saysNothing(response, place)) {
        await response.discard();
        continue;
      }
      if (response.status === 200) return { kind: 'body', response: await documentOf(response, place), place };
      await response.discard();
      if (response.status === 304 && conditional(headers))
        return { kind: 'unchanged', headers: response.headers, place };
      if (!ABSENT.includes(response.status)) throw this.refused(response);
      absent = { kind: 'absent', status: response.status };
    }
    if (absent || places.length === 0) return absent ?? { kind: 'absent', status: 404 };
    throw new Fault('upstream_unavailable', `The upstream of "${this.settings.name}" does not say what it has.`);
  }

  /** Whether the first of the places that exists is there, without its bytes; undefined: the upstream does not say. */
  async head(places: readonly Place[]): Promise<UpstreamResponse | 'absent' | undefined> {
    for (const place of places) {
      const response = await this.send({ ...place, method: 'HEAD' }, {});
      await response.discard();
      if (response.status === 200) return response;
      if (!ABSENT.includes(response.status)) return undefined;
    }
    return places.length === 0 ? undefined : 'absent';
  }

  /** Any status resolves. Throws `upstream_unavailable` when there was no answer. */
  async send(place: Place, headers: Readonly<Record<string, string>>): Promise<UpstreamResponse> {
    const began = performance.now();
    try {
      const response = await this.#asked(place, headers);
      this.#went(
        `${Math.floor(response.status / 100)}xx`,
        began,
        response.status >= 500 ? `it answered ${response.status}` : undefined,
      );
      return response;
    } catch (error) {
      this.#went(
        error instanceof UpstreamError ? error.failure : 'internal',
        began,
        error instanceof Error ? error.message : String(error),
      );
      throw this.failed(error);
    }
  }

  #asked(place: Place, headers: Readonly<Record<string, string>>): Promise<UpstreamResponse> {
    const { name, route } = this.settings;
    const url = `${place.origin ?? this.settings.url}/${place.path ?? ''}`;
    const method = place.method ?? 'GET';
    const request = {
      url,
      method,
      headers: { ...headers, ...place.headers },
      ...(place.body === undefined ? {} : { body: place.body }),
      ...(place.scope === undefined ? {} : { scope: place.scope }),
      route,
    };
    return traced(
      `upstream ${method}`,
      'client',
      { 'entrepot.repository': name, 'http.request.method': method, 'server.address': new URL(url).host },
      () => this.upstream.request(request),
      ({ status }) => ({ 'http.response.status_code': status }),
    );
  }

  /** What a failure of the conversation means to the caller; anything but an upstream's failure is passed through. */
  failed(error: unknown): unknown {
    if (!(error instanceof UpstreamError)) return error;
    const code = error.failure === 'too_large' ? 'too_large' : 'upstream_unavailable';
    return new Fault(code, `The upstream of "${this.settings.name}" could not be used: ${error.message}`, {
      cause: error,
    });
  }

  /** An answer that is none: the upstream's own failure, or its refusal of us. */
  refused(response: UpstreamResponse): Fault {
    const retryAfter = Number.parseInt(response.headers['retry-after'] ?? '', 10);
    return new Fault(
      'upstream_unavailable',
      `The upstream of "${this.settings.name}" answered ${explained(response.status)}.`,
      {
        details: {
          upstreamStatus: response.status,
          ...(Number.isFinite(retryAfter) ? { retryAfter: Math.min(retryAfter, 3600) } : {}),
        },
      },
    );
  }

  #went(outcome: string, began: number, failure: string | undefined): void {
    this.metrics.upstream(this.settings.name, outcome, (performance.now() - began) / 1000);
    const at = this.now();
    const wasDown = this.#last?.failure !== undefined;
    this.#last = { at, ...(failure === undefined ? {} : { failure }) };
    const isDown = failure !== undefined;
    if (isDown === wasDown) return;
    const { name: repository } = this.settings;
    const details = isDown ? { reason: failure } : {};
    this.events.emit({ kind: isDown ? 'upstream_down' : 'upstream_up', at, repository, details });
  }
}

/** There are registries that take no HEAD, or leave out what it is asked for. */
function saysNothing({ status, headers }: UpstreamResponse, { take = [] }: Place): boolean {
  if (status === 400 || status === 405 || status === 501) return true;
  return status === 200 && take.some((name) => headers[name] === undefined);
}

/** The answer's headers are the document of a HEAD. */
async function documentOf(response: UpstreamResponse, place: Place): Promise<UpstreamResponse> {
  if (place.method !== 'HEAD') return response;
  await response.discard();
  const lines = (place.take ?? []).map((name) => `${name}: ${response.headers[name]}\n`).join('');
  const { 'content-length': _, 'content-encoding': __, ...headers } = response.headers;
  return {
    headers: { ...headers, 'content-type': HEADER_LINES },
    url: response.url,
    status: response.status,
    timings: response.timings,
    body: async function* () {
      yield Buffer.from(lines);
    },
    discard: async () => {},
  };
}

function conditional(headers: Readonly<Record<string, string>>): boolean {
  return headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined;
}

function explained(status: number): string {
  if (status === 401 || status === 403) return `${status}: check the remote's credentials`;
  if (status === 429) return '429: it limits how often it may be asked';
  if (status === 304) return '304 to a request without conditions';
  return String(status);
}
