import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { isPrivateHost } from './addresses.ts';
import { Channel, type ChannelLimits } from './channel.ts';
import { type Lookup, lookupByTheSystem, privateMessage } from './dial.ts';
import { type Hop, isRedirect, MOST_REDIRECTS, redirected } from './redirect.ts';
import { HttpResponse } from './response.ts';
import type { Rests } from './rests.ts';
import { Retries, type Retrying } from './retry.ts';
import { withTokens } from './tokens.ts';
import {
  type Route,
  type Upstream,
  type UpstreamAttempt,
  UpstreamError,
  type UpstreamRequest,
  type UpstreamResponse,
} from './upstream.ts';

export interface UpstreamOptions {
  /** `entrepot/<version> (+…)`. */
  readonly userAgent: string;
  readonly now?: () => number;
  readonly lookup?: Lookup;
  readonly limits?: Partial<ChannelLimits>;
  readonly retrying?: Partial<Retrying>;
  /** With the other processes of this installation. */
  readonly rests?: Rests | undefined;
  /** Told of every attempt when it has ended, in the asynchronous context of who asked. */
  readonly observe?: (attempt: UpstreamAttempt) => void;
}

/** Origins that are kept in mind, with their connections. */
const MOST_CHANNELS = 256;
const LIMITS: ChannelLimits = { concurrency: 48, failures: 5, rest: 10_000 };
const RETRYING: Retrying = { attempts: 2, budget: 3000, delay: 200 };

export function createUpstream(options: UpstreamOptions): Upstream {
  return withTokens(new HttpUpstream(options), options.now ?? Date.now);
}

class HttpUpstream implements Upstream {
  readonly #options: UpstreamOptions;
  readonly #now: () => number;
  readonly #channels = new LRUCache<string, Channel>({
    max: MOST_CHANNELS,
    dispose: (channel) => void channel.retire(),
  });
  readonly #routes = new WeakMap<Route, string>();

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    options.rests?.follow((key, rest) => {
      const breaker = this.#channels.peek(key)?.breaker;
      if (rest) breaker?.restAlso(rest);
      else breaker?.wake();
    });
  }

  async request(request: UpstreamRequest): Promise<UpstreamResponse> {
    const { route, signal } = request;
    const retries = new Retries({ ...RETRYING, ...this.#options.retrying }, this.#now);
    const began = performance.now();
    const seen = new Set<string>();
    let hop = firstHop(request);
    for (;;) {
      const current = hop;
      seen.add(current.url.href);
      let attempt = 0;
      const ask = (): Promise<HttpResponse> => this.#attempt(current, route, signal, { began, attempt: ++attempt });
      const response = current.method === 'POST' ? await ask() : await retries.run(ask);
      if (!isRedirect(response.status)) return response;
      await response.discard();
      hop = redirected(current, response.status, response.headers['location']);
      if (seen.size > MOST_REDIRECTS || seen.has(hop.url.href)) throw tooManyRedirects(request.url, seen.size);
    }
  }

  resting(route: Route): boolean {
    return this.#channels.peek(`${route.origin} ${this.#routeKey(route)}`)?.breaker.resting ?? false;
  }

  async close(): Promise<void> {
    const channels = [...this.#channels.values()];
    await Promise.all(channels.map((channel) => channel.close()));
  }

  async #attempt(
    hop: Hop,
    route: Route,
    signal: AbortSignal | undefined,
    { began, attempt }: { readonly began: number; readonly attempt: number },
  ): Promise<HttpResponse> {
    const { observe } = this.#options;
    if (!observe) return this.#ask(hop, route, signal, began);
    const sent = performance.now();
    const { method, url } = hop;
    const { remote } = route;
    const asked = { method, host: url.host, path: url.pathname, attempt, ...(remote === undefined ? {} : { remote }) };
    try {
      const response = await this.#ask(hop, route, signal, began);
      const milliseconds = performance.now() - sent;
      const within = AsyncLocalStorage.snapshot();
      response.ended((bytes) => within(observe, { ...asked, status: response.status, milliseconds, bytes }));
      return response;
    } catch (error) {
      const failure = error instanceof UpstreamError ? error.failure : 'internal';
      observe({ ...asked, failure, milliseconds: performance.now() - sent, bytes: 0 });
      throw error;
    }
  }

  async #ask(hop: Hop, route: Route, signal: AbortSignal | undefined, began: number): Promise<HttpResponse> {
    const { url } = hop;
    if (!route.allowPrivateNetwork && isPrivateHost(url.hostname))
      throw new UpstreamError('private_address', privateMessage(url.hostname));
    const channel = this.#channel(route, url.origin);
    const headers = {
      'user-agent': this.#options.userAgent,
      accept: '*/*',
      'accept-encoding': 'identity',
      ...(url.origin === route.origin ? route.headers : {}),
      ...hop.headers,
    };
    const sent = performance.now();
    const answer = await channel.send({ ...hop, headers }, signal);
    const connect = channel.connectTime(sent);
    const timings = { firstByte: performance.now() - began, ...(connect === undefined ? {} : { connect }) };
    return new HttpResponse(answer, url.href, timings, channel.peer, hop);
  }

  #channel(route: Route, origin: string): Channel {
    const key = `${origin} ${this.#routeKey(route)}`;
    const known = this.#channels.get(key);
    if (known) return known;
    const { lookup = lookupByTheSystem, limits } = this.#options;
    const { concurrency } = route;
    const own = { ...LIMITS, ...limits, ...(concurrency === undefined ? {} : { concurrency }) };
    const { rests } = this.#options;
    const channel = new Channel({ route, origin, lookup }, own, {
      now: this.#now,
      broke: (rest) => rests?.begun(key, rest),
      recovered: () => rests?.ended(key),
    });
    this.#channels.set(key, channel);
    void rests?.of(key).then((rest) => rest && channel.breaker.restAlso(rest));
    return channel;
  }

  /** Routes that dial alike, and as often at once, share connections. */
  #routeKey(route: Route): string {
    const known = this.#routes.get(route);
    if (known !== undefined) return known;
    const { allowPrivateNetwork, caPem, clientCert, proxyUrl, timeouts, concurrency } = route;
    const parts = [
      allowPrivateNetwork,
      caPem,
      clientCert && [route.origin, clientCert],
      proxyUrl,
      timeouts,
      concurrency,
    ];
    const key = createHash('sha256').update(JSON.stringify(parts)).digest('base64');
    this.#routes.set(route, key);
    return key;
  }
}

function firstHop({ url: address, method = 'GET', headers = {}, body }: UpstreamRequest): Hop {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new UpstreamError('protocol', 'The address to fetch is no http or https URL.');
  url.username = '';
  url.password = '';
  url.hash = '';
  return { url, method, headers, ...(body === undefined ? {} : { body }) };
}

function tooManyRedirects(from: string, count: number): UpstreamError {
  const { host } = new URL(from);
  return new UpstreamError(
    'redirect_loop',
    `${host} redirects in a circle or too often (${count} addresses were tried).`,
  );
}
