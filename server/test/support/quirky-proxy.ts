import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { request as requestSecurely } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

/** What it does to an answer that the upstream gives as it should. */
export type ProxyQuirk =
  /** `retryAfter`: seconds. */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: number }
  /** The connection ends before anything is said. */
  | { readonly kind: 'drop' }
  /** The connection ends in the middle of the body, whose whole length is declared. */
  | { readonly kind: 'cut' }
  /** A web page with status 200. */
  | { readonly kind: 'login_page' }
  /** Milliseconds before the first byte. */
  | { readonly kind: 'slow'; readonly firstByteMs: number }
  /** To a second address of the same file, here. */
  | { readonly kind: 'redirect' }
  /** No ETag and no Last-Modified, and conditions ignored. */
  | { readonly kind: 'no_validators' }
  /** Another ETag with every answer, strong and weak by turns, and conditions ignored. */
  | { readonly kind: 'changing_etag' };

/** Paths begin as they do below the upstream's address; each of them meets the quirk `times` times, and then the next rule. */
export interface ProxyRule {
  readonly paths: RegExp;
  readonly quirk: ProxyQuirk;
  /** Default: always. */
  readonly times?: number;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Of one connection (RFC 9110 §7.6.1), or of the body as it was framed there. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'content-length'];
/** Every client is given the whole of what there is, and it is asked for only once. */
const NOT_PASSED = ['host', 'range', 'if-none-match', 'if-modified-since', 'if-range'];

/** Mark of the second address. */
const AGAIN = 'again=1';
/** `/elsewhere/0/…`: below the first origin that the upstream has named. */
const ELSEWHERE = /^\/elsewhere\/(\d+)(?=\/)/;

const LOGIN_PAGE =
  '<!doctype html>\n<html><head><title>Sign in</title></head><body><form method="post"></form></body></html>\n';

/**
 * An upstream with quirks: an HTTP server on loopback that passes on what another says, which it asks only once for each
 * file, so that two runs differ by the quirks alone. What the upstream redirects to, or names in cargo's `config.json`, is
 * reached through it as well.
 */
export class QuirkyProxy {
  readonly #upstream: string;
  readonly #server = createServer((asked, response) => {
    this.#answer(asked, response).catch(() => response.destroy());
  });
  readonly #known = new Map<string, Promise<Answer>>();
  readonly #origins: string[] = [];
  #rules: { readonly rule: ProxyRule; readonly met: Map<string, number> }[] = [];
  #tags = 0;

  /** `upstream`: its address, without a trailing slash. */
  static async start(upstream: string): Promise<QuirkyProxy> {
    const proxy = new QuirkyProxy(upstream);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor(upstream: string) {
    this.#upstream = upstream;
  }

  /** Stands for the upstream's address; without a trailing slash. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Rules that no request has met so far. */
  get unmet(): readonly ProxyRule[] {
    return this.#rules.filter(({ met }) => met.size === 0).map(({ rule }) => rule);
  }

  /** In place of the rules of before; of those for one path the first that is not used up counts. */
  rules(...rules: readonly ProxyRule[]): void {
    this.#rules = rules.map((rule) => ({ rule, met: new Map() }));
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = firstAddress(asked.url ?? '/');
    const quirk = this.#next(path);
    switch (quirk?.kind) {
      case 'status': {
        if (quirk.retryAfter !== undefined) response.setHeader('retry-after', quirk.retryAfter);
        response.writeHead(quirk.status).end(`status ${quirk.status}\n`);
        return;
      }
      case 'drop':
        response.destroy();
        return;
      case 'login_page':
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(LOGIN_PAGE);
        return;
      case 'redirect':
        response.writeHead(302, { location: secondAddress(path) }).end();
        return;
      case 'slow':
        await delay(quirk.firstByteMs);
        break;
      case 'cut':
      case 'no_validators':
      case 'changing_etag':
      case undefined:
        break;
    }
    this.#send(asked, response, await this.#ask(asked, path), quirk);
  }

  #send(asked: IncomingMessage, response: ServerResponse, answer: Answer, quirk: ProxyQuirk | undefined): void {
    const { status, body } = answer;
    const headers = this.#validated(answer.headers, quirk);
    if (status === 200 && isUnchanged(asked.headers, headers)) {
      response.writeHead(304, headers).end();
      return;
    }
    const length = asked.method === 'HEAD' ? answer.headers['content-length'] : String(body.length);
    response.writeHead(status, { ...headers, ...(length === undefined ? {} : { 'content-length': length }) });
    if (quirk?.kind !== 'cut' || body.length === 0) response.end(body);
    else response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
  }

  #validated(headers: IncomingHttpHeaders, quirk: ProxyQuirk | undefined): IncomingHttpHeaders {
    const own = without(headers, HOP_BY_HOP);
    if (quirk?.kind !== 'no_validators' && quirk?.kind !== 'changing_etag') return own;
    const bare = without(own, ['etag', 'last-modified']);
    if (quirk.kind === 'no_validators') return bare;
    this.#tags += 1;
    return { ...bare, etag: `${this.#tags % 2 === 0 ? 'W/' : ''}"${this.#tags}"` };
  }

  #next(path: string): ProxyQuirk | undefined {
    for (const { rule, met } of this.#rules) {
      const count = met.get(path) ?? 0;
      if (count >= (rule.times ?? Number.POSITIVE_INFINITY) || !rule.paths.test(path)) continue;
      met.set(path, count + 1);
      return rule.quirk;
    }
    return undefined;
  }

  /** What may be otherwise the next time is not remembered. */
  #ask(asked: IncomingMessage, path: string): Promise<Answer> {
    const key = `${asked.method} ${path} ${asked.headers.accept}`;
    const known = this.#known.get(key);
    if (known) return known;
    const answer = this.#fetch(asked, path);
    this.#known.set(key, answer);
    const forget = () => this.#known.delete(key);
    answer.then(({ status }) => status >= 429 && forget(), forget);
    return answer;
  }

  async #fetch({ method = 'GET', headers }: IncomingMessage, path: string): Promise<Answer> {
    const elsewhere = ELSEWHERE.exec(path);
    const base = elsewhere ? this.#origins[Number(elsewhere[1])] : this.#upstream;
    const url = `${base}${path.replace(ELSEWHERE, '')}`;
    const open = url.startsWith('https:') ? requestSecurely : request;
    const sent = open(url, { method, headers: without(headers, [...HOP_BY_HOP, ...NOT_PASSED]) }).end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const { statusCode: status = 502, headers: said } = answer;
    const body = await buffer(answer);
    if (said.location !== undefined) {
      const location = this.#here(new URL(said.location, url).href);
      return { status, headers: { ...said, location }, body };
    }
    if (!path.endsWith('/config.json')) return { status, headers: said, body };
    return { status, headers: said, body: Buffer.from(this.#here(body.toString())) };
  }

  /** The text with addresses of this server in place of others. */
  #here(text: string): string {
    return text.replace(/https?:\/\/[^/"\s]+/g, (address) => {
      const { origin } = new URL(address);
      if (!this.#origins.includes(origin)) this.#origins.push(origin);
      return `${this.url}/elsewhere/${this.#origins.indexOf(origin)}`;
    });
  }
}

function secondAddress(path: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}${AGAIN}`;
}

function firstAddress(path: string): string {
  return path.replace(new RegExp(`[?&]${AGAIN}$`), '');
}

function without(headers: IncomingHttpHeaders, names: readonly string[]): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

/** Conditions as we send them: what we were told, unchanged (RFC 9110 §13.1). */
function isUnchanged(asked: IncomingHttpHeaders, { etag, 'last-modified': modified }: IncomingHttpHeaders): boolean {
  if (asked['if-none-match'] !== undefined) return asked['if-none-match'] === etag;
  return modified !== undefined && asked['if-modified-since'] === modified;
}
