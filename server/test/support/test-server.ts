import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import supertest, { type Response } from 'supertest';
import { type Application, createApplication, type Overrides } from '../../src/app/application.ts';
import { loadSettings } from '../../src/app/settings.ts';
import { requireDescribed } from './described.ts';
import { homeOf } from './services.ts';

export interface TestServerOptions extends Overrides {
  /** As on the command line: `{ anonymous: 'none' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Default: a new folder, removed in the end. */
  readonly data?: string;
  /** Whether the first start makes repositories; default: no. */
  readonly defaults?: boolean;
}

export interface CallOptions {
  /** Sent as JSON; a string or buffer as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the admin token; null: none. */
  readonly token?: string | null;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD' | 'PATCH';

/** The whole program with a real ledger and a real store, on a free port of loopback. */
export class TestServer {
  readonly data: string;
  readonly token: string;
  readonly #application: Application;
  readonly #temporary: boolean;

  static async start({
    settings = {},
    data,
    defaults = false,
    ...overrides
  }: TestServerOptions = {}): Promise<TestServer> {
    const folder = data ?? (await mkdtemp(join(tmpdir(), 'entrepot-test-')));
    const flags = {
      listen: '127.0.0.1:0',
      data: folder,
      defaults: String(defaults),
      'log.level': 'silent',
      ...(await homeOf(folder)),
      ...settings,
    };
    const loaded = loadSettings({ flags, env: {}, cwd: folder });
    try {
      return new TestServer(await createApplication(loaded, overrides), folder, data === undefined);
    } catch (error) {
      if (data === undefined) await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  private constructor(application: Application, data: string, temporary: boolean) {
    this.#application = application;
    this.data = data;
    this.token = application.adminToken.value;
    this.#temporary = temporary;
  }

  get url(): string {
    return this.#application.url;
  }

  /** Calls the management API; the answer must be as the OpenAPI document describes it. */
  async call(
    method: Method,
    path: string,
    { body, headers = {}, token = this.token }: CallOptions = {},
  ): Promise<Response> {
    const call = supertest(this.url)[method.toLowerCase() as Lowercase<Method>](path).redirects(0).set(headers);
    if (token !== null) call.set('authorization', `Bearer ${token}`);
    if (body !== undefined) {
      if (!('content-type' in headers)) call.set('content-type', 'application/json');
      call.send(typeof body === 'string' ? body : JSON.stringify(body));
    }
    const answer = await call;
    if (method !== 'HEAD')
      requireDescribed(method, path, { status: answer.status, type: answer.type, body: answer.body });
    return answer;
  }

  get(path: string, options?: CallOptions): Promise<Response> {
    return this.call('GET', path, options);
  }

  post(path: string, body: unknown, options: CallOptions = {}): Promise<Response> {
    return this.call('POST', path, { ...options, body });
  }

  put(path: string, body: unknown, options: CallOptions = {}): Promise<Response> {
    return this.call('PUT', path, { ...options, body });
  }

  delete(path: string, options?: CallOptions): Promise<Response> {
    return this.call('DELETE', path, options);
  }

  /** Declares a remote of an upstream on loopback. */
  async remote(name: string, format: string, url: string, spec: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const { status, body } = await this.put(`/api/v2/remotes/${name}`, {
      name,
      format,
      url,
      allow_private_network: true,
      ...spec,
    });
    if (status !== 201) throw new Error(`remote ${name} was not made: ${JSON.stringify(body)}`);
  }

  async virtual(name: string, format: string, members: readonly string[]): Promise<void> {
    const { status, body } = await this.put(`/api/v2/virtuals/${name}`, { name, format, members });
    if (status !== 201) throw new Error(`virtual ${name} was not made: ${JSON.stringify(body)}`);
  }

  /** Sends a path exactly as it is given; clients would tidy it up. */
  raw(
    path: string,
    { method = 'GET', headers = {} }: { readonly method?: string; readonly headers?: IncomingHttpHeaders } = {},
  ): Promise<{
    readonly status: number;
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
  }> {
    const { hostname, port } = new URL(this.url);
    return new Promise((resolve, reject) => {
      const sent = httpRequest({ hostname, port, path, method, headers, agent: false }, (response) => {
        text(response).then(
          (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          reject,
        );
      });
      sent.once('error', reject).end();
    });
  }

  /** Stops; a folder that was given stays, so that another server can go on with it. */
  async stop(patience = 0): Promise<void> {
    await this.#application.close(patience);
    if (this.#temporary) await rm(this.data, { recursive: true, force: true });
  }
}
