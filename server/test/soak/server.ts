import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { Server } from './installation.ts';

const READY_WITHIN = 60_000;

export interface Launch {
  readonly program: string;
  readonly port: number;
  readonly data: string;
  /** Where it writes what it says. */
  readonly log: string;
  readonly settings: Readonly<Record<string, string>>;
}

/** The built server as a process of its own, on one address for its whole life. */
export class LaunchedServer implements Server {
  readonly url: string;
  readonly data: string;
  readonly #launch: Launch;
  #child: ChildProcess | undefined;

  constructor(launch: Launch) {
    this.#launch = launch;
    this.data = launch.data;
    this.url = `http://127.0.0.1:${launch.port}`;
  }

  get pid(): number | undefined {
    return this.#runs ? this.#child?.pid : undefined;
  }

  async start(): Promise<void> {
    if (this.#runs) return;
    const { program, port, data, log, settings } = this.#launch;
    const flags = Object.entries({ ...settings, listen: `127.0.0.1:${port}`, data });
    const output = openSync(log, 'a');
    const args = flags.flatMap(([name, value]) => [`--${name.replaceAll(/[._]/g, '-')}`, value]);
    const child = spawn(process.execPath, [program, ...args], {
      stdio: ['ignore', output, output],
      cwd: data,
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ENTREPOT_'))),
    });
    closeSync(output);
    this.#child = child;
    const killed = () => child.kill('SIGKILL');
    process.once('exit', killed);
    child.once('exit', () => process.off('exit', killed));
    await this.#ready(child);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || !this.#runs) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  get #runs(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  async #ready(child: ChildProcess): Promise<void> {
    const end = Date.now() + READY_WITHIN;
    while (Date.now() < end) {
      if (child.exitCode !== null) throw new Error(`a server ended with ${child.exitCode}: see ${this.#launch.log}`);
      if (
        await fetch(`${this.url}/health`).then(
          () => true,
          () => false,
        )
      )
        return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`a server was not ready within ${READY_WITHIN} ms: see ${this.#launch.log}`);
  }
}
