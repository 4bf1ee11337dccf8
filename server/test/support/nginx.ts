import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';

const TEMPLATE = new URL('../../../deploy/nginx/entrepot.conf', import.meta.url);

/** Why no nginx can be started here, or undefined. */
export function nginxMissing(): string | undefined {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'nginx is not on this machine: install it (apt-get install nginx-light)';
  }
}

/** The address of several servers, as `deploy/nginx/entrepot.conf` has it. */
export class Nginx {
  readonly #port: number;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  /** Its port is known before the servers that it stands for have theirs. */
  static async prepare(): Promise<Nginx> {
    const missing = nginxMissing();
    if (missing) throw new Error(missing);
    return new Nginx(await freePort(), await mkdtemp(join(tmpdir(), 'entrepot-nginx-')));
  }

  private constructor(port: number, folder: string) {
    this.#port = port;
    this.#folder = folder;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(servers: readonly string[]): Promise<void> {
    const site = (await readFile(TEMPLATE, 'utf8'))
      .replace(/^ {2}server entrepot-1:8080(.*)\n {2}server entrepot-2:8080.*$/m, (_, rest: string) =>
        servers.map((url) => `  server ${new URL(url).host}${rest}`).join('\n'),
      )
      .replace(/^ {2}include .*$/m, '')
      .replace('listen 8080;', `listen 127.0.0.1:${this.#port};`);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${join(this.#folder, name)};`)
      .join('\n');
    const path = join(this.#folder, 'nginx.conf');
    const main = `${process.getuid?.() === 0 ? 'user root;' : ''} worker_processes 1; daemon off; error_log stderr warn;`;
    await writeFile(
      path,
      `${main} pid ${join(this.#folder, 'pid')};\nevents {}\nhttp { access_log off;\n${temporary}\n${site}\n}\n`,
    );
    const child = spawn('nginx', ['-c', path, '-p', this.#folder], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const killed = () => child.kill('SIGTERM');
    process.once('exit', killed);
    child.once('exit', () => process.off('exit', killed));
    while (!(await fetch(`${this.url}/health`).catch(() => undefined))) {
      if (child.exitCode !== null) throw new Error(`nginx did not start: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
