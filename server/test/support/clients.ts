import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requireTool } from './require-tool.ts';

/** Where `npm run clients` puts package managers of the versions these tests are about. */
const CLIENTS =
  process.env['ENTREPOT_CLIENTS'] ||
  fileURLToPath(new URL('../../../node_modules/.cache/entrepot-clients', import.meta.url));

export type Skippable = Parameters<typeof requireTool>[0];

/** Absolute path of a program in that folder; skips the test, or fails it in CI, when it is not there. */
export function clientTool(context: Skippable, path: string, howToGetIt: string): string {
  const file = join(CLIENTS, path);
  return requireTool(context, basename(file), howToGetIt, { ...process.env, PATH: dirname(file) });
}

export interface Outcome {
  readonly code: number;
  /** stdout and stderr, as they came. */
  readonly text: string;
}

/** Nobody listens there: what a client does not fetch from the server on loopback it does not get. */
const NOWHERE = 'http://127.0.0.1:9';

/** Milliseconds. */
const COMMAND_TAKES_AT_MOST = 120_000;

/** A machine that has just been set up: an empty home, no caches, no settings of whoever runs the tests. */
export class FreshMachine {
  readonly #root: string;

  static async create(): Promise<FreshMachine> {
    const machine = new FreshMachine(await mkdtemp(join(tmpdir(), 'entrepot-client-')));
    await Promise.all([machine.home, machine.project].map((folder) => mkdir(folder)));
    return machine;
  }

  private constructor(root: string) {
    this.#root = root;
  }

  get home(): string {
    return join(this.#root, 'home');
  }

  get project(): string {
    return join(this.#root, 'project');
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) await writeFile(join(this.project, name), text);
  }

  /** Runs in the project's folder. */
  run([program, ...args]: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    if (program === undefined) throw new TypeError('nothing to run');
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        cwd: this.project,
        env: { ...this.#environment(), ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: COMMAND_TAKES_AT_MOST,
        killSignal: 'SIGKILL',
      });
      let text = '';
      const hear = (chunk: Buffer) => {
        text += chunk.toString();
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code: code ?? -1, text: signal ? `${text}\n${signal}` : text }));
    });
  }

  /** Throws with everything the command printed when it fails. */
  async succeed(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { code, text } = await this.run(command, env);
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${text}`);
    return text;
  }

  remove(): Promise<void> {
    return rm(this.#root, { recursive: true, force: true });
  }

  #environment(): Record<string, string> {
    return {
      PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
      HOME: this.home,
      LANG: 'C.UTF-8',
      HTTPS_PROXY: NOWHERE,
      https_proxy: NOWHERE,
      NO_PROXY: '127.0.0.1',
      no_proxy: '127.0.0.1',
    };
  }
}
