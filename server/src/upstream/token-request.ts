import { type Route, type Upstream, UpstreamError, type UpstreamResponse } from './upstream.ts';

/** What a registry wants a token of: the parameters of its `Bearer` challenge. */
export interface Demand {
  readonly realm: string;
  readonly service: string | undefined;
  /** Several are separated by blanks. */
  readonly scope: string | undefined;
}

export interface Token {
  readonly value: string;
  /** Epoch milliseconds. */
  readonly freshUntil: number;
}

/** Bytes of a token server's answer. */
const LONGEST_ANSWER = 64 * 1024;
/** Seconds: what the Docker Registry token specification says holds at least, and where nothing is said. */
const SHORTEST_LIFE = 60;
const LONGEST_HEADSTART = 30;

/**
 * Asks the realm for a token, with the remote's user name and password where it has them. Throws `UpstreamError` that names
 * the registry, the token server, and what to check.
 */
export async function requestToken(
  upstream: Upstream,
  route: Route,
  demand: Demand,
  now: () => number,
): Promise<Token> {
  const registry = new URL(route.origin);
  const realm = realmOf(demand, registry);
  const authorization = basicOf(route);
  if (authorization !== undefined && !mayHaveCredentials(realm, registry)) {
    throw failed(
      `${registry.host} wants a token of ${realm.host}, which is asked over plain http: the remote's user name and password are sent to another host over https only.`,
    );
  }
  const asked = now();
  try {
    const response = await upstream.request({
      url: realm.href,
      route,
      headers: { accept: 'application/json', ...(authorization === undefined ? {} : { authorization }) },
    });
    if (response.status !== 200) {
      await response.discard();
      throw failed(refusal(realm.host, response.status, authorization !== undefined));
    }
    return tokenIn(await textOf(response), realm.host, asked);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    throw new UpstreamError(error.failure, `There is no token for ${registry.host}: ${error.message}`, {
      cause: error,
    });
  }
}

/** Undefined: the remote has no user name and password. */
export function basicOf({ tokens }: Route): string | undefined {
  if (tokens?.username === undefined) return undefined;
  return `Basic ${Buffer.from(`${tokens.username}:${tokens.password ?? ''}`).toString('base64')}`;
}

function realmOf({ realm, service, scope }: Demand, { host }: URL): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw failed(`${host} wants a token of a realm that is no http or https address.`);
  url.username = '';
  url.password = '';
  url.hash = '';
  if (service !== undefined) url.searchParams.append('service', service);
  for (const one of scope?.split(' ') ?? []) if (one !== '') url.searchParams.append('scope', one);
  return url;
}

/** A registry names the realm: credentials follow it over a connection that says whose it is, or to the registry's own host. */
function mayHaveCredentials(realm: URL, registry: URL): boolean {
  return realm.protocol === 'https:' || (registry.protocol === 'http:' && realm.hostname === registry.hostname);
}

function refusal(host: string, status: number, withCredentials: boolean): string {
  if (status === 401 || status === 403) {
    return withCredentials
      ? `${host} answered ${status} to the remote's user name and password: check the remote's auth.`
      : `${host} answered ${status} to a request without user name and password: set the remote's auth.`;
  }
  return `${host} answered ${status}.`;
}

async function textOf(response: UpstreamResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body(LONGEST_ANSWER)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** `token`, or `access_token` as OAuth 2.0 has it; `expires_in` counts from when it was asked for, by our own clock. */
function tokenIn(text: string, host: string, asked: number): Token {
  const answer = parsed(text);
  const value = [answer['token'], answer['access_token']].find((one) => typeof one === 'string' && one !== '');
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value))
    throw failed(`${host} answered 200 with something that holds no token.`);
  const announced = answer['expires_in'];
  const life = typeof announced === 'number' && announced > SHORTEST_LIFE ? announced : SHORTEST_LIFE;
  const headstart = Math.min(life / 10, LONGEST_HEADSTART);
  return { value, freshUntil: asked + (life - headstart) * 1000 };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function failed(message: string): UpstreamError {
  return new UpstreamError('protocol', message);
}
