import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export interface ClientSettings {
  /** `--url`; default: ENTREPOT_URL, else the address a server has without settings. */
  readonly url?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

export interface Asking {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Undefined ones are left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly accept?: string;
}

/** It did not work: told to the user as it stands. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, { exitCode = 1, ...options }: ErrorOptions & { readonly exitCode?: number } = {}) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Nobody listens there. */
export class NoAnswer extends CommandError {
  override readonly name = 'CommandError';
}

/** The management API of a running server. Everything that is no success is thrown as `CommandError`. */
export class Client {
  readonly #base: URL;
  readonly #token: string | undefined;

  static async of(settings: ClientSettings): Promise<Client> {
    const url = settings.url ?? (settings.env['ENTREPOT_URL'] || 'http://127.0.0.1:8080');
    if (!/^https?:\/\//.test(url) || !URL.canParse(url))
      throw new CommandError(`${url} is no address such as http://127.0.0.1:8080`);
    const base = new URL(url.endsWith('/') ? url : `${url}/`);
    return new Client(base, await tokenFor(base, settings));
  }

  private constructor(base: URL, token: string | undefined) {
    this.#base = base;
    this.#token = token;
  }

  /** Of the server, with a slash at its end. */
  get address(): string {
    return this.#base.href;
  }

  async json<Answer>(path: string, asking: Asking = {}): Promise<Answer> {
    const response = await this.send(path, asking);
    return (await response.json()) as Answer;
  }

  /** All pages of a list. */
  async all<Item>(path: string, query: Asking['query'] = {}): Promise<readonly Item[]> {
    const items: Item[] = [];
    let after: string | undefined;
    do {
      const page: Page<Item> = await this.json(path, { query: { ...query, limit: '1000', after } });
      items.push(...page.items);
      after = page.next;
    } while (after !== undefined);
    return items;
  }

  async send(
    path: string,
    { method = 'GET', query = {}, body, accept = 'application/json' }: Asking,
  ): Promise<Response> {
    const url = new URL(path, this.#base);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    const headers = {
      accept,
      ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const response = await this.#fetched(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.ok) return response;
    throw new CommandError(await this.#refusal(response));
  }

  async #fetched(url: URL, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, init);
    } catch (error) {
      const { cause } = error as Error;
      const why =
        cause instanceof Error && 'code' in cause
          ? String(cause.code)
          : ((cause as Error | undefined)?.message ?? (error as Error).message);
      throw new NoAnswer(
        `there is no answer from ${this.#base.origin} (${why}): does Entrepot run there? --url or ENTREPOT_URL names another address`,
        { cause: error },
      );
    }
  }

  async #refusal(response: Response): Promise<string> {
    const text = await response.text();
    if (response.status === 401) {
      const sent = this.#token === undefined ? 'no token was sent' : 'the token is not the right one';
      return `${this.#base.origin} wants the admin token, and ${sent}: set ENTREPOT_TOKEN, or ENTREPOT_DATA to the server's data folder`;
    }
    try {
      const { detail } = JSON.parse(text) as { detail?: unknown };
      if (typeof detail === 'string') return detail;
    } catch {
      // No problem document: something else answers at this address.
    }
    return `${this.#base.origin} answered ${response.status} ${response.statusText} to ${new URL(response.url).pathname}: is that Entrepot?`;
  }
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string;
}

/** The local file is for a local server only: its token must not be sent to another machine. */
async function tokenFor(base: URL, { env, cwd }: ClientSettings): Promise<string | undefined> {
  const given = env['ENTREPOT_TOKEN'];
  if (given) return given.trim();
  if (!/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(base.hostname)) return undefined;
  const path = join(resolve(cwd, env['ENTREPOT_DATA'] || 'data'), 'admin-token');
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new CommandError(`${path} cannot be read (${code}): set ENTREPOT_TOKEN`, { cause: error });
  }
}
