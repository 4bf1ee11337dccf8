import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';

/** Milliseconds. */
const READY_WITHIN = 30_000;
const GONE_WITHIN = 10_000;

export interface Background {
  /** The program says so on its terminal when it serves. */
  readonly ready: RegExp;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that runs in the background until it is stopped; it does not outlive the tests. */
export class Program {
  readonly #child: ChildProcess;
  #said = '';

  static async start([program = '', ...args]: readonly string[], { ready, env }: Background): Promise<Program> {
    const started = new Program(program, args, env ?? {});
    await started.#until(ready);
    return started;
  }

  private constructor(program: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: homedir(), LANG: 'C.UTF-8', ...env },
    });
    const killed = () => this.#child.kill('SIGKILL');
    process.once('exit', killed);
    this.#child.once('exit', () => process.off('exit', killed));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#said += chunk.toString();
      });
    }
  }

  /** Everything it has written to its terminal. */
  get said(): string {
    return this.#said;
  }

  /** Resolves when the process is gone. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    const late = setTimeout(() => child.kill('SIGKILL'), GONE_WITHIN);
    child.kill('SIGTERM');
    await gone;
    clearTimeout(late);
  }

  #until(ready: RegExp): Promise<void> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        child.kill('SIGKILL');
        reject(new Error(`${child.spawnfile} ${why}. It said:\n${this.#said}`));
      };
      const late = setTimeout(() => fail(`was not ready within ${READY_WITHIN} ms`), READY_WITHIN);
      const settled = (then: () => void) => () => {
        clearTimeout(late);
        child.stdout?.off('data', look);
        child.stderr?.off('data', look);
        then();
      };
      const look = () => {
        if (ready.test(this.#said)) settled(resolve)();
      };
      child.stdout?.on('data', look);
      child.stderr?.on('data', look);
      child.once('error', (error) => settled(() => fail(error.message))());
      child.once('exit', (code, signal) => settled(() => fail(`ended (${signal ?? code})`))());
    });
  }
}
