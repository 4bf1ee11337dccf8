import { LRUCache } from 'lru-cache';
import { challengesOf } from './challenge.ts';
import { basicOf, type Demand, requestToken, type Token } from './token-request.ts';
import { type Route, type Upstream, UpstreamError, type UpstreamRequest, type UpstreamResponse } from './upstream.ts';

/** Scopes and tokens of one route that are kept in mind. */
const MOST = 2000;

/** The same door for routes with `tokens`: a 401 that asks for a token is answered with one (Docker Registry token authentication). */
export function withTokens(upstream: Upstream, now: () => number): Upstream {
  const conversations = new WeakMap<Route, Conversation>();
  const conversationOf = (route: Route): Conversation => {
    const known = conversations.get(route) ?? new Conversation(upstream, route, now);
    conversations.set(route, known);
    return known;
  };
  return {
    request: (request) => {
      const isOwn = request.route.tokens !== undefined && isAt(request.url, request.route.origin);
      return isOwn ? conversationOf(request.route).request(request) : upstream.request(request);
    },
    resting: (route) => upstream.resting?.(route) ?? false,
    close: () => upstream.close(),
  };
}

/** What a request is sent with. */
interface Pass {
  readonly authorization: string;
  /** Of the demand it answers. */
  readonly key: string;
  /** Nothing better is to be had for that demand: when it is refused, that is the answer. */
  readonly last: boolean;
}

const BASIC = 'basic';
/** Without anything, with a token that was kept, with a new one. */
const MOST_ATTEMPTS = 3;

/** What one route has learned of its registry. It ends with the route, so other credentials begin anew. */
class Conversation {
  readonly #upstream: Upstream;
  readonly #route: Route;
  readonly #now: () => number;
  /** What the registry wanted for a request's scope, so that the next one brings it. */
  readonly #demands = new LRUCache<string, Demand>({ max: MOST });
  readonly #tokens = new LRUCache<string, Token>({ max: MOST });
  readonly #underWay = new Map<string, Promise<Token>>();
  #takesBasic = false;

  constructor(upstream: Upstream, route: Route, now: () => number) {
    this.#upstream = upstream;
    this.#route = route;
    this.#now = now;
  }

  async request(request: UpstreamRequest): Promise<UpstreamResponse> {
    let pass = await this.#known(request.scope);
    for (let attempt = 1; ; attempt++) {
      const response = await this.#upstream.request(pass ? withPass(request, pass) : request);
      if (response.status !== 401) return response;
      if (pass) this.#refused(pass);
      const mayTry = attempt < MOST_ATTEMPTS && isAt(response.url, this.#route.origin);
      const next = mayTry ? await this.#next(response, request.scope, pass) : undefined;
      if (!next) return response;
      pass = next;
    }
  }

  /** What the registry wants to see; undefined: the 401 stands. */
  async #next(
    response: UpstreamResponse,
    scope: string | undefined,
    pass: Pass | undefined,
  ): Promise<Pass | undefined> {
    const wanted = await this.#wanted(response, scope);
    if (wanted === undefined || (pass?.last && pass.key === keyOf(wanted))) return undefined;
    // The realm may be on the same host: the connection is given back before it is asked.
    await response.discard();
    return wanted === BASIC ? this.#basic() : this.#pass(wanted, pass);
  }

  /** Undefined: nothing is known, or the realm that was known does not answer and the registry may name another. */
  async #known(scope: string | undefined): Promise<Pass | undefined> {
    if (this.#takesBasic) return this.#basic();
    const demand = scope === undefined ? undefined : this.#demands.get(scope);
    if (scope === undefined || demand === undefined) return undefined;
    try {
      return await this.#pass(demand, undefined);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      this.#demands.delete(scope);
      return undefined;
    }
  }

  /** Undefined: nothing that could be answered. */
  async #wanted(response: UpstreamResponse, scope: string | undefined): Promise<Demand | typeof BASIC | undefined> {
    const challenges = challengesOf(response.headers['www-authenticate'] ?? '');
    const bearer = challenges?.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'));
    if (bearer) return this.#remembered(bearer.parameters, scope);
    if (challenges) {
      const isBasic = challenges.some(({ scheme }) => scheme === 'basic');
      return isBasic && basicOf(this.#route) !== undefined ? BASIC : undefined;
    }
    await response.discard();
    const { host } = new URL(this.#route.origin);
    throw new UpstreamError('protocol', `${host} answered 401 with a WWW-Authenticate header that cannot be read.`);
  }

  #remembered(parameters: ReadonlyMap<string, string>, scope: string | undefined): Demand {
    const demand = {
      realm: parameters.get('realm') ?? '',
      service: parameters.get('service'),
      scope: parameters.get('scope') ?? scope,
    };
    if (scope !== undefined) this.#demands.set(scope, demand);
    return demand;
  }

  #basic(): Pass {
    this.#takesBasic = true;
    return { authorization: basicOf(this.#route) ?? '', key: BASIC, last: true };
  }

  /** A token that was kept may have been withdrawn: only one that was asked for now, or after a refusal, is the last. */
  async #pass(demand: Demand, refused: Pass | undefined): Promise<Pass> {
    const key = keyOf(demand);
    const kept = this.#tokens.get(key);
    if (kept && this.#now() < kept.freshUntil) return { authorization: bearer(kept), key, last: refused !== undefined };
    const token = await this.#asked(key, demand);
    return { authorization: bearer(token), key, last: true };
  }

  /** However many want it, it is asked for once. */
  #asked(key: string, demand: Demand): Promise<Token> {
    const underWay = this.#underWay.get(key);
    if (underWay) return underWay;
    const asking = requestToken(this.#upstream, this.#route, demand, this.#now)
      .then((token) => {
        this.#tokens.set(key, token);
        return token;
      })
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, asking);
    return asking;
  }

  /** A token is dropped, unless another request has already had it replaced. */
  #refused({ key, authorization }: Pass): void {
    if (key === BASIC) this.#takesBasic = false;
    const kept = this.#tokens.get(key);
    if (kept && bearer(kept) === authorization) this.#tokens.delete(key);
  }
}

function keyOf(demand: Demand | typeof BASIC): string {
  return demand === BASIC ? BASIC : JSON.stringify([demand.realm, demand.service, demand.scope]);
}

function bearer({ value }: Token): string {
  return `Bearer ${value}`;
}

function withPass(request: UpstreamRequest, { authorization }: Pass): UpstreamRequest {
  return { ...request, headers: { ...request.headers, authorization } };
}

function isAt(address: string, origin: string): boolean {
  return URL.canParse(address) && new URL(address).origin === origin;
}
