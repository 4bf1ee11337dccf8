import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const USUAL_PORT = 8080;
/** The first start builds; milliseconds. */
const READY_WITHIN = 180_000;

const run = promisify(execFile);

/** The files of this checkout in another folder, with the packages it needs and nothing that was built or kept. */
export class Checkout {
  readonly folder: string;
  #started: ChildProcess | undefined;
  #said = '';

  static async copy(): Promise<Checkout> {
    const checkout = new Checkout(await mkdtemp(join(tmpdir(), 'entrepot-clone-')));
    try {
      await checkout.#fill();
    } catch (error) {
      await checkout.remove();
      throw error;
    }
    return checkout;
  }

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** `npm start`, at the usual port or, where that is taken, at another; gives the port. */
  async start(env: Readonly<Record<string, string>>): Promise<number> {
    const port = (await isFree(USUAL_PORT)) ? USUAL_PORT : await anyFreePort();
    const settings = port === USUAL_PORT ? [] : ['--', '--listen', `127.0.0.1:${port}`];
    // A group of its own: npm does not hand on every signal to what it started.
    const child = spawn('npm', ['start', ...settings], {
      cwd: this.folder,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#started = child;
    const hear = (chunk: Buffer) => {
      this.#said += chunk.toString();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    const late = AbortSignal.timeout(READY_WITHIN);
    while (!this.#said.includes(`http://127.0.0.1:${port}`)) {
      if (child.exitCode !== null || late.aborted) throw new Error(`npm start came to nothing:\n${this.#said}`);
      await sleep(50);
    }
    return port;
  }

  read(file: string): Promise<string> {
    return readFile(join(this.folder, file), 'utf8');
  }

  async remove(): Promise<void> {
    const child = this.#started;
    if (child?.pid !== undefined && child.exitCode === null) {
      const gone = once(child, 'close');
      process.kill(-child.pid, 'SIGTERM');
      await gone;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  async #fill(): Promise<void> {
    const { stdout } = await run('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
      cwd: ROOT,
      maxBuffer: 1 << 26,
    });
    for (const file of new Set(stdout.split('\0').filter(Boolean))) {
      await mkdir(dirname(join(this.folder, file)), { recursive: true });
      await cp(join(ROOT, file), join(this.folder, file), { verbatimSymlinks: true }).catch(ignoreDeleted);
    }
    for (const packages of ['node_modules', 'server/node_modules', 'terraform-provider/node_modules'])
      if (existsSync(join(ROOT, packages))) await link(join(ROOT, packages), join(this.folder, packages));
  }
}

/** Hard links where the file system has them: nothing is copied, and what is removed here stays there. */
async function link(from: string, to: string): Promise<void> {
  await run('cp', ['-al', from, to]).catch(async () => {
    await rm(to, { recursive: true, force: true });
    await cp(from, to, { recursive: true, verbatimSymlinks: true });
  });
}

function ignoreDeleted(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

async function anyFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
