import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { homeOf } from './services.ts';

export const BUILT_SERVER = fileURLToPath(new URL('../../dist/app/main.js', import.meta.url));

const ADDRESS = /http:\/\/127\.0\.0\.1:\d+/;
/** Milliseconds. */
const READY_WITHIN = 20_000;

/** A row of the audit log, as far as these tests look at it. */
export interface Pull {
  readonly id: string;
  readonly purl?: string;
  readonly path: string;
  readonly role: string;
  readonly cache: string;
  readonly decision: string;
  readonly client?: string;
  readonly aborted?: boolean;
}

export interface Cached {
  readonly path: string;
  readonly digest: string;
  readonly size: number;
}

export interface LaunchOptions {
  /** Default: a new folder. It goes when the server is stopped. */
  readonly data?: string;
  /** Default: the built server of this checkout. */
  readonly program?: string;
  /** Arguments of Node. */
  readonly node?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** It keeps everything in its data folder, whatever the suite runs over. */
  readonly alone?: true;
}

/** The built server as a user starts it: a process of its own, with its data in a folder that goes when it is stopped. */
export class ServerProcess {
  readonly data: string;
  readonly #settings: readonly string[];
  readonly #options: LaunchOptions;
  #child: ChildProcess | undefined;
  #url = '';
  #token = '';
  #said = '';

  static start(...settings: readonly string[]): Promise<ServerProcess> {
    return ServerProcess.launch({}, ...settings);
  }

  static async launch(options: LaunchOptions, ...settings: readonly string[]): Promise<ServerProcess> {
    const data = options.data ?? (await mkdtemp(join(tmpdir(), 'entrepot-data-')));
    const server = new ServerProcess(data, settings, options);
    await server.#launch('127.0.0.1:0');
    return server;
  }

  private constructor(data: string, settings: readonly string[], options: LaunchOptions) {
    this.data = data;
    this.#settings = settings;
    this.#options = options;
  }

  /** `http://127.0.0.1:<port>`, the same after a restart. */
  get url(): string {
    return this.#url;
  }

  get token(): string {
    return this.#token;
  }

  /** Everything it has written to its terminal. */
  get said(): string {
    return this.#said;
  }

  /** Resolves when the process is gone. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  /** Resolves when it has ended by itself. */
  async gone(): Promise<'gone'> {
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return 'gone';
  }

  /** Starts it again on the same data and address, after SIGTERM if it still runs. */
  async restart(): Promise<void> {
    await this.kill('SIGTERM');
    await this.#launch(new URL(this.#url).host);
  }

  async stop(): Promise<void> {
    await this.kill('SIGTERM');
    await rm(this.data, { recursive: true, force: true });
  }

  /** An answer of the management API; `path` begins after `/api/v2`. Throws when it is a refusal. */
  async manage<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#url}/api/v2${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** The whole audit log, newest first. */
  pulls(): Promise<Pull[]> {
    return this.#all<Pull>('/pulls');
  }

  objects(remote: string): Promise<Cached[]> {
    return this.#all<Cached>(`/remotes/${remote}/objects`);
  }

  async #all<T>(path: string): Promise<T[]> {
    const found: T[] = [];
    let after = '';
    for (;;) {
      const page = await this.manage<{ items: T[]; next?: string | null }>('GET', `${path}?limit=100${after}`);
      found.push(...page.items);
      if (!page.next) return found;
      after = `&after=${encodeURIComponent(page.next)}`;
    }
  }

  async #launch(listen: string): Promise<void> {
    const { program = BUILT_SERVER, node = [], env = {}, alone } = this.#options;
    const home = Object.entries((alone ? undefined : await homeOf(this.data)) ?? {}).flatMap(([name, value]) => [
      `--${name.replaceAll('_', '-')}`,
      value,
    ]);
    const args = [...node, program, '--listen', listen, '--data', this.data, ...home, ...this.#settings];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: this.data,
      env: {
        ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ENTREPOT_'))),
        ...env,
      },
    });
    this.#child = child;
    const killed = () => child.kill('SIGKILL');
    process.once('exit', killed);
    child.once('exit', () => process.off('exit', killed));
    this.#url = await this.#ready(child);
    this.#token = (await readFile(join(this.data, 'admin-token'), 'utf8')).trim();
  }

  #ready(child: ChildProcess): Promise<string> {
    const from = this.#said.length;
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`The server ${why}. It said:\n${this.#said.slice(from)}`));
      const late = setTimeout(() => {
        child.kill('SIGKILL');
        fail(`was not ready within ${READY_WITHIN} ms`);
      }, READY_WITHIN);
      const hear = (chunk: Buffer) => {
        this.#said += chunk.toString();
        const address = ADDRESS.exec(this.#said.slice(from))?.[0];
        if (address === undefined) return;
        clearTimeout(late);
        resolve(address);
      };
      child.stdout?.on('data', hear);
      child.stderr?.on('data', hear);
      child.once('exit', (code, signal) => {
        clearTimeout(late);
        fail(`ended (${signal ?? code})`);
      });
    });
  }
}
