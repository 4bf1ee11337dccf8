import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'minio';

const run = promisify(execFile);
const PROGRAMS = ['ceph', 'ceph-mon', 'ceph-osd', 'monmaptool', 'radosgw', 'radosgw-admin'];
const STARTS_WITHIN = 90_000;

/** Ceph's S3 server on loopback with all it needs, its data in memory; everything is gone when it is stopped. */
export interface Radosgw {
  readonly port: number;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Makes an empty bucket and resolves to its name. */
  bucket(): Promise<string>;
  /** `s3://key:secret@bucket?endpoint=…`, through `port` where there is a proxy in front. */
  url(bucket: string, port?: number): string;
  client(): Client;
  /** What the bucket may hold from now on, in bytes; undefined: anything. */
  limit(bucket: string, bytes: number | undefined): Promise<void>;
  /** The S3 server does not answer any more, its connections stay open. */
  freeze(): void;
  thaw(): void;
  /** Ends the S3 server; the data stays, and `up` starts it again on the same port. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

/** Why no server can be started here, or undefined. */
export function radosgwMissing(): string | undefined {
  const missing = PROGRAMS.filter((program) => !isInstalled(program));
  if (missing.length === 0) return undefined;
  return `${missing.join(', ')} not on this machine: install Ceph (apt-get install --no-install-recommends ceph-mon ceph-osd radosgw ceph-common)`;
}

export async function startRadosgw(): Promise<Radosgw> {
  const missing = radosgwMissing();
  if (missing) throw new Error(missing);
  const server = new Server(await mkdtemp(join(tmpdir(), 'rgw-')), await freePort(), await freePort());
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

class Server implements Radosgw {
  readonly accessKey = 'testaccesskey';
  readonly secretKey = 'test/secret+key';
  readonly port: number;
  readonly #folder: string;
  readonly #monitorPort: number;
  readonly #daemons = new Map<string, ReturnType<typeof spawn>>();
  #buckets = 0;

  constructor(folder: string, port: number, monitorPort: number) {
    this.#folder = folder;
    this.port = port;
    this.#monitorPort = monitorPort;
  }

  async start(): Promise<void> {
    const id = randomUUID();
    for (const name of ['run', 'mon', 'osd/0', 'log']) await mkdir(join(this.#folder, name), { recursive: true });
    await writeFile(join(this.#folder, 'ceph.conf'), configuration(this.#folder, id, this.#monitorPort, this.port));
    const map = join(this.#folder, 'monmap');
    await run('monmaptool', ['--create', '--addv', 'a', `[v1:127.0.0.1:${this.#monitorPort}]`, '--fsid', id, map]);
    await this.#run('ceph-mon', '--mkfs', '-i', 'a', '--monmap', map);
    this.#spawn('mon', 'ceph-mon', '-i', 'a');
    const disk = randomUUID();
    await this.#run('ceph', 'osd', 'new', disk);
    await this.#run('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', disk);
    await this.#run('ceph', 'osd', 'crush', 'add', 'osd.0', '1.0', 'root=default', 'host=h');
    this.#spawn('osd', 'ceph-osd', '-i', '0');
    const keys = ['--access-key', this.accessKey, '--secret', this.secretKey];
    await this.#run('radosgw-admin', 'user', 'create', '--uid=test', '--display-name=Test', ...keys);
    await this.up();
  }

  async bucket(): Promise<string> {
    this.#buckets += 1;
    const name = `bucket-${this.#buckets}`;
    await this.client().makeBucket(name, 'us-east-1');
    return name;
  }

  url(bucket: string, port = this.port): string {
    const keys = `${this.accessKey}:${encodeURIComponent(this.secretKey)}`;
    return `s3://${keys}@${bucket}?endpoint=http://127.0.0.1:${port}&region=us-east-1`;
  }

  client(): Client {
    const { port, accessKey, secretKey } = this;
    return new Client({ endPoint: '127.0.0.1', port, useSSL: false, accessKey, secretKey, region: 'us-east-1' });
  }

  async limit(bucket: string, bytes: number | undefined): Promise<void> {
    const of = ['--quota-scope=bucket', `--bucket=${bucket}`];
    if (bytes !== undefined) await this.#run('radosgw-admin', 'quota', 'set', ...of, `--max-size=${bytes}B`);
    await this.#run('radosgw-admin', 'quota', bytes === undefined ? 'disable' : 'enable', ...of);
  }

  freeze(): void {
    this.#daemons.get('rgw')?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#daemons.get('rgw')?.kill('SIGCONT');
  }

  /** Killed, it would leave others waiting half a minute for what it watched. */
  down(): Promise<void> {
    return this.#end('rgw', 'SIGTERM');
  }

  async up(): Promise<void> {
    const server = this.#spawn('rgw', 'radosgw', '-n', 'client.rgw');
    await until(`radosgw on port ${this.port}`, async () => {
      if (server.exitCode !== null) throw new Error(`radosgw ended with ${server.exitCode}: see ${this.#folder}/log`);
      return (await fetch(`http://127.0.0.1:${this.port}/`).catch(() => undefined))?.status === 200;
    });
  }

  async stop(): Promise<void> {
    for (const name of ['rgw', 'osd', 'mon']) await this.#end(name);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #end(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const daemon = this.#daemons.get(name);
    this.#daemons.delete(name);
    if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const gone = once(daemon, 'exit');
    daemon.kill(signal);
    await gone;
  }

  /** In the foreground, so that it is ours to end. */
  #spawn(name: string, program: string, ...args: readonly string[]): ReturnType<typeof spawn> {
    const daemon = spawn(program, ['-c', join(this.#folder, 'ceph.conf'), '-f', ...args], { stdio: 'ignore' });
    this.#daemons.set(name, daemon);
    return daemon;
  }

  async #run(program: string, ...args: readonly string[]): Promise<void> {
    await run(program, ['-c', join(this.#folder, 'ceph.conf'), ...args], { timeout: STARTS_WITHIN });
  }
}

/** Commands that the disk's server sends at its start would sometimes come before it knows the cluster, and end it: none. */
function configuration(folder: string, id: string, monitorPort: number, port: number): string {
  return `[global]
fsid = ${id}
mon initial members = a
mon host = [v1:127.0.0.1:${monitorPort}/0]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd crush chooseleaf type = 0
mon allow pool size one = true
ms bind msgr2 = false
log file = ${folder}/log/$name.log
mon cluster log file = ${folder}/log/cluster.log
run dir = ${folder}/run
admin socket = ${folder}/run/$name.asok
[mon.a]
mon data = ${folder}/mon/a
[osd]
osd objectstore = memstore
memstore device bytes = 4294967296
osd data = ${folder}/osd/$id
osd crush update on start = false
osd class update on start = false
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${port}
rgw bucket quota ttl = 0
`;
}

function isInstalled(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/sbin'];
  return folders.some((folder) => existsSync(join(folder, program)));
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + STARTS_WITHIN;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`${what} did not start within ${STARTS_WITHIN / 1000} s`);
    await sleep(100);
  }
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
