import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { ServerProcess } from '../support/server-process.ts';

const KILLER = fileURLToPath(new URL('./kill-at-step.mjs', import.meta.url));
/** More steps than any thread takes for one file. */
const MOST = 80;

let root: string;
let data: string;
let upstream: FakeUpstream;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'entrepot-steps-'));
  data = join(root, 'data');
  await mkdir(data);
  upstream = await FakeUpstream.start();
});
afterEach(async () => {
  await upstream.stop();
  await rm(root, { recursive: true, force: true });
});

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

interface Way {
  /** Resolves to the client's name once it has all of what it wanted. */
  readonly attempt: (server: ServerProcess, file: string) => Promise<string>;
  /** Whatever was promised of the file is held. */
  readonly holds: (server: ServerProcess, file: string, wasPromised: boolean) => Promise<void>;
}

let count = 0;
const contents = new Map<string, Buffer>();

const fetched: Way = {
  attempt: async (server, file) => {
    const client = `step/${file}`;
    const answer = await fetch(`${server.url}/files/${file}`, { headers: { 'user-agent': client } });
    expect([answer.status, sha256(await bodyOf(answer))]).toEqual([200, sha256(contents.get(file) as Buffer)]);
    return client;
  },
  holds: async (server, file) => {
    const again = await fetch(`${server.url}/files/${file}`, { headers: { 'user-agent': 'afterwards' } });
    expect([file, again.status, sha256(await bodyOf(again))]).toEqual([
      file,
      200,
      sha256(contents.get(file) as Buffer),
    ]);
  },
};

const published: Way = {
  attempt: async (server, file) => {
    const body = new Uint8Array(contents.get(file) as Buffer);
    const headers = { authorization: `Bearer ${server.token}` };
    const answer = await fetch(`${server.url}/own/${file}`, { method: 'PUT', headers, body });
    expect(answer.status).toBe(201);
    return '';
  },
  holds: async (server, file, wasPromised) => {
    const answer = await fetch(`${server.url}/own/${file}`, { headers: { 'user-agent': 'afterwards' } });
    const body = await bodyOf(answer);
    if (wasPromised || answer.status !== 404)
      expect([file, answer.status, sha256(body)]).toEqual([file, 200, sha256(contents.get(file) as Buffer)]);
    else await published.attempt(server, file);
  },
};

test.each([
  ['a file arrives', 'main', fetched],
  ['a file arrives', 'writer', fetched],
  ['a file is published', 'main', published],
  ['a file is published', 'writer', published],
] as const)(
  'killed at each step in which %s (%s): nothing is half there, and what was promised is kept',
  async (_, thread, way) => {
    const steps: string[] = [];
    const promised = new Set<string>();
    let last: { readonly file: string; readonly client: string | undefined } | undefined;
    for (let at = 1; at < MOST; at += 1) {
      const armed = join(root, `armed-${at}`);
      const env = { ARMED: armed, KILL_IN: thread, KILL_AT: String(at) };
      const server = await ServerProcess.launch(
        { data, alone: true, env, node: ['--import', KILLER] },
        '--defaults',
        'false',
      );
      if (last) {
        await whole(server);
        await way.holds(server, last.file, last.client !== undefined);
        await lost(server, promised);
      } else {
        const remote = { name: 'files', format: 'generic', url: upstream.url, allow_private_network: true };
        await server.manage('POST', '/remotes', remote);
        await server.manage('POST', '/hosted', { name: 'own', format: 'generic' });
      }
      const file = newFile();
      await writeFile(armed, '');
      const client = await way.attempt(server, file).catch((error: unknown) => {
        // The connection broke off; everything else is a fault.
        if (error instanceof TypeError) return undefined;
        throw error;
      });
      if (client) promised.add(client);
      last = { file, client };
      // What comes after the answer is stepped through too.
      const end = await Promise.race([server.gone(), through(server, client)]);
      await server.kill('SIGKILL');
      if (end === 'through') break;
      steps.push(await readFile(`${armed}.killed`, 'utf8'));
    }
    expect(steps.length).toBeGreaterThan(thread === 'main' ? 5 : 3);
    expect(steps.length).toBeLessThan(MOST - 1);
  },
  240_000,
);

function newFile(): string {
  count += 1;
  const name = `tools/parcel-${count}.0.zip`;
  contents.set(name, randomBytes(100_000));
  upstream.respond(`/${name}`, { body: contents.get(name) as Buffer, headers: { 'content-type': 'application/zip' } });
  return name;
}

const bodyOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());

/** The pull has reached the database, or nothing is waited for. */
async function through(server: ServerProcess, client: string | undefined): Promise<'through'> {
  if (client === undefined) return new Promise(() => {});
  const there = async () => client === '' || (await server.pulls()).some((pull) => pull.client === client);
  while (!(await there().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 20));
  return 'through';
}

async function lost(server: ServerProcess, promised: ReadonlySet<string>): Promise<void> {
  const missing = async () => {
    const there = new Set((await server.pulls()).map(({ client = '' }) => client));
    return [...promised].filter((client) => !there.has(client));
  };
  await expect.poll(missing).toEqual([]);
}

/** No half file, and no row without its bytes. */
async function whole(server: ServerProcess): Promise<void> {
  expect(await readdir(join(data, 'tmp'))).toEqual([]);
  const entries = await readdir(join(data, 'blobs'), { recursive: true, withFileTypes: true });
  const blobs = entries.filter((entry) => entry.isFile());
  const names = new Set(blobs.map(({ name }) => name));
  for (const { parentPath, name } of blobs) expect(sha256(await readFile(join(parentPath, name)))).toBe(name);
  for (const { path, digest } of await server.objects('files'))
    expect([path, names.has(digest.replace('sha256:', ''))]).toEqual([path, true]);
}
