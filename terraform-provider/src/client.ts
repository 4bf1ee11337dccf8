import { once } from 'node:events';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import * as tls from 'node:tls';
import type { Json } from './schema.ts';

/** A declared resource as the management API answers it. */
export interface Envelope {
  readonly name: string;
  readonly spec: Readonly<Record<string, Json>>;
  readonly status: Readonly<Record<string, Json>>;
  readonly revision: number;
  readonly managed_by?: string;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface Connection {
  /** Where Entrepot serves, with no slash at its end. */
  readonly url: string;
  readonly token: string;
  /** Where the token came from, for messages. */
  readonly tokenSource: string;
  readonly caPem?: string;
  readonly userAgent: string;
}

/** An answer of the server that is not a success. */
export class ApiError extends Error {
  readonly status: number;
  readonly errors: readonly { readonly path: readonly (string | number)[]; readonly message: string }[];

  constructor(status: number, problem: Readonly<Record<string, unknown>>) {
    super(
      typeof problem.detail === 'string' ? problem.detail : String(problem.title ?? `The server answered ${status}`),
    );
    this.status = status;
    this.errors = Array.isArray(problem.errors) ? problem.errors : [];
  }
}

/** No answer of Entrepot: nobody there, or somebody else. The message says what to do. */
export class ConnectionError extends Error {}

interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: Json;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

const ATTEMPTS = 4;
const ANSWER_WITHIN_MS = 60_000;

/** The management API of one server. Its methods throw ApiError and ConnectionError. */
export class ManagementClient {
  readonly #connection: Connection;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(connection: Connection) {
    this.#connection = connection;
    const pool = { keepAlive: true, maxSockets: 16 };
    this.#agent = connection.url.startsWith('https:')
      ? new HttpsAgent({ ...pool, ...(connection.caPem && { ca: [...trusted(), connection.caPem] }) })
      : new HttpAgent(pool);
  }

  /** Undefined when there is none of that name. */
  async get(collection: string, name: string): Promise<Envelope | undefined> {
    const answer = await this.#call({ method: 'GET', path: pathOf(collection, name) });
    return answer.status === 404 ? undefined : this.#envelope(answer);
  }

  /** ApiError 409 when the name is taken. */
  async create(collection: string, spec: Json): Promise<Envelope> {
    return this.#envelope(await this.#call({ method: 'POST', path: `/${collection}`, body: spec }));
  }

  /** ApiError 412 when the resource is no longer at `revision`, 404 when it is gone. */
  async replace(collection: string, name: string, spec: Json, revision: number | undefined): Promise<Envelope> {
    const headers = revision === undefined ? { 'if-match': '*' } : { 'if-match': `"${revision}"` };
    return this.#envelope(await this.#call({ method: 'PUT', path: pathOf(collection, name), body: spec, headers }));
  }

  /** What the server would say to a create, or to a replace of `name`; it changes nothing. Undefined when it would do. */
  async rehearse(collection: string, spec: Json, name: string | undefined): Promise<ApiError | undefined> {
    const [method, path] =
      name === undefined ? (['POST', `/${collection}`] as const) : (['PUT', pathOf(collection, name)] as const);
    try {
      this.#succeeded(await this.#send({ method, path: `${path}?dry_run=true`, body: spec }));
      return undefined;
    } catch (error) {
      return error instanceof ApiError ? error : undefined;
    }
  }

  /** What is still referred to serves until its last reference goes; what is gone already is no error. */
  async remove(collection: string, name: string): Promise<void> {
    const answer = await this.#call({ method: 'DELETE', path: `${pathOf(collection, name)}?in_use=retire` });
    if (answer.status !== 404) this.#succeeded(answer);
  }

  #envelope(answer: Answer): Envelope {
    this.#succeeded(answer);
    const body = jsonOf(answer);
    if (typeof body?.name !== 'string' || typeof body.spec !== 'object') throw this.#stranger(answer);
    return { ...body, status: body.status ?? {} } as unknown as Envelope;
  }

  #succeeded(answer: Answer): void {
    if (answer.status >= 200 && answer.status < 300) return;
    const problem = jsonOf(answer);
    if (problem === undefined) throw this.#stranger(answer);
    if (answer.status !== 401) throw new ApiError(answer.status, problem);
    const detail = `The server does not accept the token from ${this.#connection.tokenSource}. Set the provider's token, or ENTREPOT_TOKEN, to a current one.`;
    throw new ApiError(answer.status, { ...problem, detail });
  }

  #stranger(answer: Answer): ConnectionError {
    const { url } = this.#connection;
    const location = answer.headers.location;
    if (location)
      return new ConnectionError(
        `${url} redirects to ${location}. Set the provider's url (or ENTREPOT_URL) to the address behind the redirect.`,
      );
    return new ConnectionError(
      `What answers at ${url} (status ${answer.status}) is not Entrepot's management API. Check the provider's url, or ENTREPOT_URL, and any proxy in between.`,
    );
  }

  /** Asks again when the server is starting or busy, and when no connection came about: then nothing was done. */
  async #call(call: Call): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const last = attempt === ATTEMPTS;
      try {
        const answer = await this.#send(call);
        if (last || (answer.status !== 429 && answer.status !== 503)) return answer;
        await sleep(retryAfterMs(answer) ?? pauseMs(attempt));
      } catch (error) {
        if (last || !mayRepeat(call, error))
          throw new ConnectionError(explain(this.#connection.url, error), { cause: error });
        await sleep(pauseMs(attempt));
      }
    }
  }

  async #send(call: Call): Promise<Answer> {
    const url = new URL(`${this.#connection.url}/api/v2${call.path}`);
    const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    const headers = {
      ...call.headers,
      accept: 'application/json',
      authorization: `Bearer ${this.#connection.token}`,
      'user-agent': this.#connection.userAgent,
      ...(body && { 'content-type': 'application/json', 'content-length': String(body.length) }),
    };
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method: call.method,
      headers,
      agent: this.#agent,
    });
    request.setTimeout(ANSWER_WITHIN_MS, () =>
      request.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS / 1000} s`)),
    );
    // once the answer has begun, its own stream reports what breaks
    request.on('error', () => undefined);
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() };
  }
}

function pathOf(collection: string, name: string): string {
  return `/${collection}/${encodeURIComponent(name)}`;
}

function jsonOf(answer: Answer): Record<string, Json> | undefined {
  if (!/^application\/([\w.-]+\+)?json/.test(answer.headers['content-type'] ?? '')) return undefined;
  try {
    const body: unknown = JSON.parse(answer.text);
    return typeof body === 'object' && body !== null ? (body as Record<string, Json>) : undefined;
  } catch {
    return undefined;
  }
}

/** The system's authorities; Node before 22.15 tells only of those that it brings. */
function trusted(): readonly string[] {
  return (tls as Partial<typeof tls>).getCACertificates?.('default') ?? tls.rootCertificates;
}

function retryAfterMs(answer: Answer): number | undefined {
  const seconds = Number(answer.headers['retry-after']);
  return seconds >= 0 ? Math.min(seconds, 10) * 1000 : undefined;
}

function pauseMs(attempt: number): number {
  return 200 * 3 ** (attempt - 1);
}

function mayRepeat(call: Call, error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ECONNREFUSED' || (call.method === 'GET' && (code === 'ECONNRESET' || code === 'EPIPE'));
}

function explain(url: string, error: unknown): string {
  const code = codeOf(error);
  const settings = "the provider's url (or ENTREPOT_URL)";
  if (code === 'ECONNREFUSED')
    return `Nothing answers at ${url}. Start Entrepot there, or set ${settings} to where it serves.`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `The host of ${url} has no address. Check ${settings}.`;
  if (/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code)) {
    return `The certificate of ${url} is not trusted (${code}). Give the authority that signed it as the provider's ca_pem.`;
  }
  if (code === 'EPROTO' || /SSL/.test(code))
    return `${url} does not speak HTTPS. Check whether its address begins with http: or https:.`;
  return `The connection to ${url} failed: ${error instanceof Error ? error.message : String(error)}.`;
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
