import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const DONE = '--- done ---';

/** One terminal: what a block changes (its folder, its variables) holds for the next. It ends at the first command that fails. */
export class Shell {
  readonly #bash: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #scratch: string;
  readonly #gone: Promise<never>;
  #printed = '';
  #errors = '';
  #heard = () => {};
  #blocks = 0;

  /** `scratch`: a folder for what it needs itself. */
  constructor(folder: string, scratch: string, env: Readonly<Record<string, string>>) {
    this.#scratch = scratch;
    this.#bash = spawn('bash', ['--noprofile', '--norc'], { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#bash.stdout.on('data', (chunk: Buffer) => {
      this.#printed += chunk.toString();
      this.#heard();
    });
    this.#bash.stderr.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString();
    });
    this.#gone = new Promise((_, reject) => {
      this.#bash.once('error', reject);
      this.#bash.once('close', (code) =>
        reject(new Error(`${this.#errors}${this.#printed}\nThe shell ended: ${code}`)),
      );
    });
    this.#gone.catch(() => {});
    this.#bash.stdin.write(`set -e\ntrap 'printf "This failed: %s\\n" "$BASH_COMMAND" >&2' ERR\n`);
  }

  /** Runs lines as they stand; gives what they printed on standard output. Throws with all output when a command fails. */
  async run(commands: string): Promise<string> {
    this.#blocks += 1;
    const script = join(this.#scratch, `block-${this.#blocks}.sh`);
    await writeFile(script, commands);
    this.#printed = '';
    this.#errors = '';
    const done = new Promise<string>((resolve) => {
      this.#heard = () => {
        const end = this.#printed.indexOf(`\n${DONE}\n`);
        if (end >= 0) resolve(this.#printed.slice(0, end));
      };
    });
    this.#bash.stdin.write(`. '${script}' </dev/null\nprintf '\\n%s\\n' '${DONE}'\n`);
    return Promise.race([done, this.#gone]);
  }

  async close(): Promise<void> {
    this.#bash.stdin.end();
    await this.#gone.catch(() => {});
  }
}
