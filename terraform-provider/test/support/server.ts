import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface TestServer {
  readonly url: string;
  readonly token: string;
  close(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL('../../../server/dist/app/main.js', import.meta.url));
const ADDRESS = /http:\/\/127\.0\.0\.1:\d+/;

/**
 * The built server at its first start, with the defaults that it makes; tests reach what is behind Terraform's back
 * through its management API.
 */
export async function startServer(): Promise<TestServer> {
  if (!existsSync(PROGRAM))
    throw new Error('These tests run the built server, and it is not built: run npm run build.');
  const data = await mkdtemp(join(tmpdir(), 'entrepot-data-'));
  const child = spawn(process.execPath, [PROGRAM], {
    cwd: data,
    env: { PATH: process.env.PATH, ENTREPOT_LISTEN: '127.0.0.1:0', ENTREPOT_DATA: data },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const url = await readyAt(child);
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  const close = async (): Promise<void> => {
    const exited = once(child, 'exit');
    child.kill();
    await exited;
    await rm(data, { recursive: true });
  };
  return { url, token, close };
}

/** Where it serves, as its first line with an address says; what it said instead when it ends without one. */
function readyAt(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const listen = (chunk: unknown): void => {
      said += String(chunk);
      const [url] = ADDRESS.exec(said) ?? [];
      if (url !== undefined && said.includes('\n')) resolve(url);
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    child.once('exit', (code) => reject(new Error(`The server ended with ${code} before it was ready:\n${said}`)));
  });
}
