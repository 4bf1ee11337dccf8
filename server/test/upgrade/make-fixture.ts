import crypto from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import type { Sample, SampleRequest } from '../data-plane/samples/sample.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { npmDocument } from '../support/hosted-client.ts';
import { ServerProcess } from '../support/server-process.ts';
import { ADMIN_TOKEN, keep, type Manifest, type Served, sha256 } from './fixture.ts';

/*
 * Makes a data folder with something of everything in it, by the program of any state of this project, and keeps it for
 * the test of upgrades. `scripts/upgrade-fixture.mjs` starts this.
 */

const SAMPLES = fileURLToPath(new URL('../data-plane/samples/', import.meta.url));
const FOR_EVER = '36500d';
const NOWHERE = 'http://127.0.0.1:1';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { program: { type: 'string' } } });
const [state] = positionals;
if (state === undefined) throw new Error('usage: upgrade-fixture <name of the state> [--program <its main.js>]');
makeBytesSmall();

interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
  readonly client: string;
}

let asked = 0;
const served: Served[] = [];
const clients: string[] = [];
const data = await mkdtemp(join(tmpdir(), 'entrepot-fixture-'));
await writeFile(join(data, 'admin-token'), `${ADMIN_TOKEN}\n`, { mode: 0o600 });
const program = values.program;
const server = await ServerProcess.launch(
  { data, alone: true, ...(program === undefined ? {} : { program }) },
  '--defaults',
  'true',
);

const upstreams: FakeUpstream[] = [];
for (const file of globSync(`${SAMPLES}*.ts`).sort()) {
  const { sample } = (await import(file)) as { readonly sample?: () => Sample };
  if (sample) await mirror(basename(file, '.ts'), sample());
}
await publishAll();
for (const [kind, spec] of RULES()) await declared(kind, spec);

const { resources } = await server.manage<{ resources: Manifest['resources'] }>('GET', '/config');
// Once to find out that all of it is here without the upstreams, and with the last pulls in the journal only.
for (const upstream of upstreams) await upstream.down();
for (const { path, accept, sha256: digest } of [...served]) {
  const answer = await get(path, accept);
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} without the upstream`);
  if (digest === undefined) continue;
  if (sha256(answer.body) !== digest) throw new Error(`${path}: other bytes`);
  clients.push(answer.client);
}
const database = new Database(join(data, 'entrepot.sqlite'));
for (const upstream of upstreams) nameless(upstream.url);
await server.kill('SIGKILL');
const manifest: Manifest = {
  state,
  migrations: migrationsOf(),
  resources: resources.map(({ kind, name, spec }) => ({ kind, name, spec: JSON.parse(nowhere(JSON.stringify(spec))) })),
  served,
  clients,
};
const size = await keep(data, manifest);
database.close();
await server.stop();
process.stdout.write(
  `${state}: ${size} bytes, ${served.length} addresses, ${clients.length} pulls, ${resources.length} resources\n`,
);

async function mirror(format: string, { upstream, requests }: Sample): Promise<void> {
  const fake = await FakeUpstream.start();
  upstreams.push(fake);
  for (const [path, reply] of Object.entries(upstream)) fake.respond(path, reply);
  const remote = {
    name: `${format}-kept`,
    format,
    url: fake.url,
    allow_private_network: true,
    stale_if_error: FOR_EVER,
    auth: { type: 'bearer', token: 'not-a-secret' },
    headers: { 'x-kept': 'yes' },
  };
  if (!(await declared('remotes', remote))) return;
  await declared('virtuals', { name: `${format}-all`, format, members: [remote.name] });
  for (const request of requests) await pull(format, request);
}

/** Programs that came before a kind, a format or an option do not have it. */
async function declared(kind: string, spec: Readonly<Record<string, unknown>>): Promise<boolean> {
  try {
    await server.manage('POST', `/${kind}`, spec);
    return true;
  } catch (error) {
    process.stdout.write(`without ${kind} ${String(spec['name'])}: ${String(error).slice(0, 200)}\n`);
    return false;
  }
}

async function pull(format: string, { path, accept, kind, before = [] }: SampleRequest): Promise<void> {
  for (const mount of [`/${format}-all`, `/v2/${format}-all`, `/${format}-kept`, `/v2/${format}-kept`]) {
    for (const earlier of before) await get(`${mount}${earlier}`, undefined);
    const answer = await get(`${mount}${path}`, accept);
    if (answer.status === 200) remember({ path: `${mount}${path}`, ...(accept ? { accept } : {}) }, kind, answer);
  }
  if (!served.some((one) => one.path.endsWith(path))) process.stdout.write(`without ${format} ${path}\n`);
}

function remember(where: Served, kind: SampleRequest['kind'], { body, client }: Answer): void {
  served.push(kind === 'artifact' ? { ...where, sha256: sha256(body) } : where);
  if (kind === 'artifact') clients.push(client);
}

/** Each by a client of its own, so that every file's pull is known again. */
async function get(path: string, accept: string | undefined): Promise<Answer> {
  asked += 1;
  const client = `fixture/${asked}`;
  const headers = { 'user-agent': client, authorization: `Bearer ${ADMIN_TOKEN}`, ...(accept ? { accept } : {}) };
  const answer = await fetch(`${server.url}${path}`, { headers });
  const body = new Uint8Array(await answer.arrayBuffer());
  return { status: answer.status, body, client };
}

async function publishAll(): Promise<void> {
  const bytes = crypto.randomBytes(3000);
  const send = async (
    method: string,
    path: string,
    body: NonNullable<RequestInit['body']>,
    type?: string,
  ): Promise<boolean> => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, ...(type ? { 'content-type': type } : {}) };
    const { status } = await fetch(`${server.url}${path}`, { method, headers, body });
    if (status >= 300) process.stdout.write(`without ${path}: ${status}\n`);
    return status < 300;
  };
  const own = async (format: string) => declared('hosted', { name: `${format}-own`, format });
  const read = async (path: string, kind: SampleRequest['kind'] = 'artifact') => {
    const answer = await get(path, undefined);
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} after it was published`);
    remember({ path }, kind, answer);
  };
  const key = 'a'.repeat(32);
  if ((await own('gradle-cache')) && (await send('PUT', `/gradle-cache-own/${key}`, bytes)))
    await read(`/gradle-cache-own/${key}`);
  if ((await own('generic')) && (await send('PUT', '/generic-own/tools/widget-2.0.zip', bytes)))
    await read('/generic-own/tools/widget-2.0.zip');
  const release = JSON.stringify(npmDocument({ name: 'crate', version: '1.0.0', tarball: bytes }));
  if ((await own('npm')) && (await send('PUT', '/npm-own/crate', release, 'application/json'))) {
    await read('/npm-own/crate', 'index');
    await read('/npm-own/crate/-/crate-1.0.0.tgz');
  }
  const form = new FormData();
  const fields = { ':action': 'file_upload', protocol_version: '1', metadata_version: '2.1', filetype: 'sdist' };
  for (const [name, value] of Object.entries({ ...fields, name: 'crate', version: '1.0' })) form.append(name, value);
  form.append('content', new Blob([bytes]), 'crate-1.0.tar.gz');
  if ((await own('pypi')) && (await send('POST', '/pypi-own/legacy/', form)))
    await read('/pypi-own/simple/crate/', 'index');
}

function RULES(): readonly (readonly [string, Readonly<Record<string, unknown>>])[] {
  const packages = ['pkg:npm/forbidden'];
  return [
    ['blocks', { name: 'block', packages, reason: 'for the test of upgrades' }],
    ['cooldowns', { name: 'cooldown', default: '3d', repositories: ['npm-public'] }],
    [
      'exemptions',
      { name: 'exemption', packages, from: ['cooldown'], reason: 'for the test', expires_at: '2100-01-01T00:00:00Z' },
    ],
    [
      'freezes',
      {
        name: 'freeze',
        before: '2026-01-01T00:00:00Z',
        repositories: ['npm-public'],
        reason: 'for the test',
        expires_at: '2100-01-01T00:00:00Z',
      },
    ],
  ];
}

function migrationsOf(): string[] {
  const rows = database.prepare('SELECT name FROM schema_migration ORDER BY id').all() as { name: string }[];
  return rows.map(({ name }) => name);
}

/** The upstream's port is another program's tomorrow: at this one nobody listens. */
function nowhere(text: string): string {
  return upstreams.reduce((changed, { url }) => changed.replaceAll(url, NOWHERE), text);
}

function nameless(url: string): void {
  const columns = database
    .prepare(
      `SELECT m.name AS "table", c.name AS "column" FROM sqlite_schema m JOIN pragma_table_info(m.name) c
       WHERE m.type = 'table' AND lower(c.type) = 'text'`,
    )
    .all() as { table: string; column: string }[];
  for (const { table, column } of columns)
    database
      .prepare(`UPDATE "${table}" SET "${column}" = replace("${column}", ?, ?) WHERE "${column}" LIKE ?`)
      .run(url, NOWHERE, `%${url}%`);
}

/** The samples' bytes are random, which no archive makes smaller. */
function makeBytesSmall(): void {
  let count = 0;
  const real = crypto.randomBytes;
  crypto.randomBytes = ((size: number, ...rest: []) => {
    if (size < 500) return real(size, ...rest);
    count += 1;
    return Buffer.alloc(size, `${count},`);
  }) as typeof crypto.randomBytes;
  syncBuiltinESMExports();
}
