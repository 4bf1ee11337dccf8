import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, globSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import pg from 'pg';

/** A PostgreSQL server of its own on loopback, gone with its data when it is stopped. */
export interface PostgresServer {
  /** Makes an empty database and resolves to its URL. */
  database(): Promise<string>;
  readonly port: number;
  /** Shuts down at once, as `pg_ctl stop -m fast` does; its data stay. */
  down(): Promise<void>;
  /** Back on the same port. */
  up(): Promise<void>;
  stop(): Promise<void>;
}

/** Why no server can be started here, or undefined. */
export function postgresMissing(): string | undefined {
  if (binaries() === undefined) return 'initdb and postgres are not on this machine: install PostgreSQL 14 or newer';
  if (process.getuid?.() === 0 && account() === undefined) {
    return 'PostgreSQL does not run as root, and there is no user "postgres" or "nobody" to run it as';
  }
  return undefined;
}

export async function startPostgres(): Promise<PostgresServer> {
  const missing = postgresMissing();
  if (missing) throw new Error(missing);
  const folder = await mkdtemp(join(tmpdir(), 'entrepot-postgres-'));
  const who = process.getuid?.() === 0 ? account() : undefined;
  if (who) chownSync(folder, who.uid, who.gid);
  const [bin, port, data] = [binaries() as string, await freePort(), join(folder, 'data')];
  const options = { ...who, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'] };
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'entrepot', '-A', 'trust', '-E', 'UTF8', '-N'], options);
  const settings = ['fsync=off', `unix_socket_directories=${folder}`, 'listen_addresses=127.0.0.1', `port=${port}`];
  const url = (name: string): string => `postgres://entrepot@127.0.0.1:${port}/${name}`;
  const launch = async (): Promise<ChildProcess> => {
    const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
    const launched = spawn(join(bin, 'postgres'), args, options);
    const said: string[] = [];
    launched.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
    await answers(url('postgres'), () => {
      if (launched.exitCode !== null) throw new Error(`PostgreSQL did not start: ${said.join('')}`);
    });
    return launched;
  };
  let server = await launch();
  const down = async (): Promise<void> => {
    if (server.exitCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGINT');
    await gone;
  };
  let count = 0;
  return {
    database: async () => {
      count += 1;
      await statement(url('postgres'), `CREATE DATABASE test${count}`);
      return url(`test${count}`);
    },
    port,
    down,
    up: async () => {
      if (server.exitCode !== null) server = await launch();
    },
    stop: async () => {
      await down();
      await rm(folder, { recursive: true });
    },
  };
}

export async function statement<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Before anything else happens in this process. */
export function statementNow(url: string, text: string): void {
  const program = `import pg from 'pg';
    const client = new pg.Client({ connectionString: process.argv[1] });
    client.on('error', () => {});
    await client.connect();
    await client.query(process.argv[2]);
    await client.end();`;
  execFileSync(process.execPath, ['--input-type=module', '--eval', program, url, text], { cwd: import.meta.dirname });
}

/** The folder of the newest server programs. */
function binaries(): string | undefined {
  const installed = globSync(['/usr/lib/postgresql/*/bin', '/usr/pgsql-*/bin', '/opt/homebrew/opt/postgresql@*/bin']);
  const newest = installed.sort((a, b) => versionOf(b) - versionOf(a));
  const candidates = [...(process.env['PATH'] ?? '').split(delimiter), ...newest];
  return candidates.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

function versionOf(folder: string): number {
  return Number(/\d+/.exec(folder)?.[0] ?? 0);
}

function account(): { uid: number; gid: number } | undefined {
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string): number =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // No such user: the next one.
    }
  }
  return undefined;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function answers(url: string, orThrow: () => void): Promise<void> {
  for (;;) {
    try {
      await statement(url, 'SELECT 1');
      return;
    } catch {
      orThrow();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
