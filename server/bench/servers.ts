import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Running {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface Entrepot extends Running {
  readonly token: string;
  /** Its data folder. */
  readonly data: string;
}

const MAIN = new URL('../dist/app/main.js', import.meta.url).pathname;

/** Our server, as built, in a folder of its own. */
export async function startEntrepot(): Promise<Entrepot> {
  const data = await mkdtemp(join(tmpdir(), 'entrepot-bench-'));
  const port = await freePort();
  const child = spawn(process.execPath, [MAIN, '--listen', `127.0.0.1:${port}`, '--data', data], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ENTREPOT_DEFAULTS: 'false', ENTREPOT_LOG_LEVEL: 'error' },
  });
  const url = `http://127.0.0.1:${port}`;
  await answering(`${url}/health`, child);
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  return { url, pid: pidOf(child), token, data, stop: () => stopped(child, data) };
}

/** nginx as a caching proxy in front of the same upstream: two workers, as we have threads. */
export async function startNginx(upstream: string): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'entrepot-nginx-'));
  const port = await freePort();
  await mkdir(join(folder, 'cache'));
  await writeFile(join(folder, 'nginx.conf'), configuration(folder, port, upstream));
  const child = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder, '-e', join(folder, 'error.log')], {
    stdio: 'inherit',
  });
  const url = `http://127.0.0.1:${port}`;
  await answering(`${url}/`, child);
  return { url, pid: pidOf(child), stop: () => stopped(child, folder) };
}

function configuration(folder: string, port: number, upstream: string): string {
  return `
daemon off; worker_processes 1; pid ${folder}/nginx.pid; user root;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; keepalive_requests 1000000; open_file_cache max=1000;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  proxy_cache_path ${folder}/cache levels=1:2 keys_zone=bench:16m max_size=4g inactive=1h;
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass ${upstream}; proxy_cache bench; proxy_cache_key $request_uri$http_accept_encoding; proxy_cache_valid 200 1h; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}`;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode} before it answered`);
    const answered = await fetch(url).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} did not answer within 10 s`);
}

async function stopped(child: ChildProcess, folder: string): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
  await rm(folder, { recursive: true, force: true });
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error(`${child.spawnfile} did not start`);
  return child.pid;
}
