import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandLine, type Ended } from '../support/command-line.ts';
import { FolderServer } from '../support/folder-server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { TestServer } from '../support/test-server.ts';

let folder: string;
let upstream: FolderServer;
let server: ServerProcess;
/** What clients got, by path. */
let served: Map<string, Buffer>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrepot-backup-'));
  await mkdir(join(folder, 'upstream'));
  for (let count = 0; count < 40; count += 1) {
    await writeFile(join(folder, 'upstream', `tool-1.0.${count}.zip`), randomBytes(20_000 + count));
  }
  upstream = await FolderServer.start(join(folder, 'upstream'));
  server = await ServerProcess.start('--defaults', 'false');
  served = new Map();
  await server.manage('PUT', '/remotes/files', {
    format: 'generic',
    url: upstream.url,
    allow_private_network: true,
    auth: { type: 'bearer', token: 'the-upstream-token' },
  });
  await server.manage('PUT', '/hosted/own', { format: 'generic' });
  await server.manage('PUT', '/virtuals/all', { format: 'generic', members: ['own', 'files'] });
  for (let count = 0; count < 5; count += 1) await publish(`box-1.0.${count}.tar.gz`, randomBytes(30_000));
});
afterEach(async () => {
  await server.stop();
  await upstream.cut();
  await rm(folder, { recursive: true, force: true });
});

async function publish(path: string, bytes: Buffer): Promise<void> {
  const headers = { authorization: `Bearer ${server.token}` };
  const { status } = await fetch(`${server.url}/own/${path}`, { method: 'PUT', headers, body: new Uint8Array(bytes) });
  expect(status).toBe(201);
  served.set(`own/${path}`, bytes);
}

async function pull(path: string, from = server.url): Promise<Buffer> {
  const answer = await fetch(`${from}/${path}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${bytes.toString()}`);
  return bytes;
}

/** Clients that go on pulling until they are stopped. */
function load(): { readonly stop: () => Promise<void> } {
  let stopped = false;
  const client = async (first: number): Promise<void> => {
    for (let count = first; !stopped; count += 7) {
      const path = `files/tool-1.0.${count % 40}.zip`;
      served.set(path, await pull(path));
    }
  };
  const clients = Promise.all([0, 11, 23].map(client));
  return {
    stop: async () => {
      stopped = true;
      await clients;
    },
  };
}

const online = () => ({ cwd: folder, env: { ENTREPOT_URL: server.url, ENTREPOT_TOKEN: server.token } });
const backUp = (...flags: string[]): Promise<Ended> => commandLine(['backup', 'b.tar.zst', ...flags], online());
const restore = (...flags: string[]): Promise<Ended> =>
  commandLine(['restore', 'b.tar.zst', '--data', 'restored', ...flags], { cwd: folder });

async function pullIds(): Promise<Set<string>> {
  return new Set((await server.pulls()).map(({ id }) => id));
}

test('a backup made under load is restored into an empty folder: same bytes with the upstream away, same token, every pull', async () => {
  const clients = load();
  await expect.poll(() => served.size).toBe(45);
  const before = await pullIds();
  const made = await backUp('--with-blobs', 'all', '--with-secrets');
  await clients.stop();
  expect(made).toMatchObject({ code: 0, err: '' });
  expect(made.out).toMatch(/b\.tar\.zst, .*B: 3 resources, 45 objects, \d+ pulls; read, and whole\n45 blobs in it/);
  await upstream.cut();
  const restored = await restore();
  expect(restored).toMatchObject({ code: 0, err: '' });
  expect(restored.out).toMatch(/45 blobs put into the store\n45 blobs referred to, .*; all there\n$/);

  const again = await TestServer.start({ data: join(folder, 'restored') });
  try {
    expect(again.token).toBe(server.token);
    for (const [path, bytes] of served) expect((await pull(path, again.url)).equals(bytes), path).toBe(true);
    const found = new Set<string>();
    for (let after = ''; ; ) {
      const { body } = await again.get(`/api/v2/pulls?limit=1000${after}`);
      for (const { id } of body.items) found.add(id);
      if (body.next === undefined) break;
      after = `&after=${body.next}`;
    }
    expect(before.size).toBeGreaterThan(40);
    expect([...before].filter((id) => !found.has(id))).toEqual([]);
    const spec = async (path: string) => (await again.get(`/api/v2/${path}`)).body.spec;
    expect(await spec('virtuals/all')).toEqual({ name: 'all', format: 'generic', members: ['own', 'files'] });
    expect(await spec('remotes/files')).toMatchObject({ url: upstream.url, auth: { type: 'bearer' } });
  } finally {
    await again.stop();
  }
});

test('without blobs it holds references: what an upstream has is fetched again, what was published here is named', async () => {
  for (const path of ['files/tool-1.0.1.zip', 'files/tool-1.0.2.zip']) served.set(path, await pull(path));
  const made = await backUp();
  expect(made.out).toContain('7 blobs not in it; a backup of the storage keeps them, and of 5 there is no upstream');
  const restored = await restore('--new-keys');
  expect(restored.code).toBe(3);
  expect(restored.out).toContain('2 blobs will be fetched again when somebody asks\n5 blobs that no upstream has:\n');
  expect(restored.out).toContain('\n  own/box-1.0.3.tar.gz\n');
  const again = await TestServer.start({ data: join(folder, 'restored') });
  try {
    for (const path of ['files/tool-1.0.1.zip', 'files/tool-1.0.2.zip']) {
      expect((await pull(path, again.url)).equals(served.get(path) as Buffer)).toBe(true);
    }
    await expect(pull('own/box-1.0.3.tar.gz', again.url)).rejects.toThrow(/: (404|5\d\d) /);
  } finally {
    await again.stop();
  }
});

test('with hosted blobs what no upstream has is in it, also what the upstream took back since', async () => {
  for (const path of ['files/tool-1.0.1.zip', 'files/tool-1.0.2.zip']) served.set(path, await pull(path));
  expect((await backUp('--with-blobs', 'hosted')).out).toContain('5 blobs in it');
  const restored = await restore('--new-keys');
  expect(restored.code).toBe(0);
  expect(restored.out).toContain('5 blobs put into the store\n7 blobs referred to');
});

test('blobs that are in the folder already are used: only ledger and keys are put there', async () => {
  served.set('files/tool-1.0.1.zip', await pull('files/tool-1.0.1.zip'));
  await backUp('--with-secrets');
  await server.kill('SIGKILL');
  for (const name of await readdir(server.data)) {
    if (name.startsWith('entrepot.sqlite')) await rm(join(server.data, name));
  }
  const restored = await commandLine(['restore', 'b.tar.zst', '--data', server.data, '--force'], { cwd: folder });
  expect(restored).toMatchObject({ code: 0, err: '' });
  expect(restored.out).toMatch(/6 blobs referred to, .*; all there/);
  await upstream.cut();
  await server.restart();
  for (const [path, bytes] of served) expect((await pull(path)).equals(bytes), path).toBe(true);
});

test('of a killed server the data folder is backed up, with the pulls that had not reached the ledger', async () => {
  served.set('files/tool-1.0.1.zip', await pull('files/tool-1.0.1.zip'));
  await expect.poll(async () => (await server.pulls()).length).toBe(1);
  await server.kill('SIGKILL');
  const [segment = ''] = (await readdir(join(server.data, 'journal'))).sort().slice(-1);
  const row = {
    id: '018f0000-0000-7000-8000-000000000001',
    at: Date.now(),
    repository: 'files',
    format: 'generic',
    path: 'tool-1.0.1.zip',
    role: 'package',
    cache: 'hit',
    decision: 'allowed',
    principal: 'anonymous',
    requestId: 'late-1',
  };
  await appendFile(join(server.data, 'journal', segment), `${JSON.stringify(row)}\n{"id":"torn`);
  const made = await commandLine(['backup', 'b.tar.zst', '--data', server.data, '--with-secrets'], {
    cwd: folder,
    env: {},
  });
  expect(made).toMatchObject({ code: 0, err: '' });
  expect(await readdir(server.data)).not.toContain('lock');
  expect(await restore()).toMatchObject({ code: 3 });
  const again = await TestServer.start({ data: join(folder, 'restored') });
  try {
    const { body } = await again.get('/api/v2/pulls');
    expect(body.items.map(({ id }: { id: string }) => id)).toContain(row.id);
    expect(body.items).toHaveLength(2);
  } finally {
    await again.stop();
  }
});

test('only one backup is made at a time, and only for the administrator', async () => {
  const path = `${server.url}/api/v2/backup?blobs=all`;
  expect((await fetch(path, { method: 'POST' })).status).toBe(401);
  const headers = { authorization: `Bearer ${server.token}` };
  const answers = await Promise.all([1, 2, 3].map(() => fetch(path, { method: 'POST', headers })));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
  for (const answer of answers) await answer.arrayBuffer();
});

test('whoever gives a backup up at any moment leaves nothing behind, and is in nobody’s way', async () => {
  const headers = { authorization: `Bearer ${server.token}` };
  const ask = (signal?: AbortSignal) =>
    fetch(`${server.url}/api/v2/backup?blobs=all`, { method: 'POST', headers, ...(signal ? { signal } : {}) });
  for (let moment = 0; moment < 8; moment += 1) {
    const gone = new AbortController();
    const asked = ask(gone.signal).then((answer) => answer.body?.cancel());
    await Promise.race([asked, sleep(moment * 15)]);
    gone.abort();
    await asked.catch(() => {});
  }
  await expect.poll(() => readdir(server.data)).not.toContain('snapshot');
  expect((await backUp()).code).toBe(0);
  expect(server.said).not.toContain('garbage collection');
});

test('the file is nobody else’s to read, has no upstream’s secret in readable form, and never half a name', async () => {
  await backUp();
  expect((await stat(join(folder, 'b.tar.zst'))).mode & 0o077).toBe(0);
  const again = await backUp();
  expect(again).toMatchObject({ code: 1, err: expect.stringContaining('is there already') });
  const { configurationIn } = await import('./archives.ts');
  const configuration = await configurationIn(join(folder, 'b.tar.zst'));
  expect(configuration).toContain('"name": "files"');
  expect(configuration).not.toContain('the-upstream-token');
  expect((await readdir(folder)).filter((name) => name.endsWith('.partial'))).toEqual([]);
});

test('a server at another address is not gone around: its data folder is in use', async () => {
  const made = await commandLine(['backup', 'b.tar.zst', '--offline', '--data', server.data], { cwd: folder });
  expect(made).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^entrepot: a server uses .*--url or/) });
  expect(await readdir(folder)).toEqual(['upstream']);
});

test('a folder gets a file that is named after the time', async () => {
  await mkdir(join(folder, 'backups'));
  const made = await commandLine(['backup', 'backups', '--json'], online());
  const { file, manifest } = JSON.parse(made.out);
  expect(await readdir(join(folder, 'backups'))).toEqual([file.split('/').at(-1)]);
  expect(file).toMatch(/\/entrepot-\d{4}-\d\d-\d\dT[\d-]+Z\.tar\.zst$/);
  expect(manifest.database.rows.resource).toBe(3);
  expect((await readFile(file)).length).toBeGreaterThan(1000);
});
