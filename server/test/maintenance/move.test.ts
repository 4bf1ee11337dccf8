import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandLine, type Ended } from '../support/command-line.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { TestServer } from '../support/test-server.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const FILES = 60;

let folder: string;
let data: string;
let upstream: FakeUpstream;
const served = new Map<string, Buffer>();
let token: string;
let pulls: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrepot-move-'));
  data = join(folder, 'data');
  upstream = await FakeUpstream.start();
  const server = await TestServer.start({ data });
  token = server.token;
  await server.remote('files', 'generic', upstream.url, { auth: { type: 'bearer', token: 'upstream-secret' } });
  await server.put('/api/v2/hosted/own', { format: 'generic' });
  await server.virtual('all', 'generic', ['own', 'files']);
  for (let count = 0; count < FILES; count += 1) {
    const path = `tool-1.0.${count}.zip`;
    const bytes = randomBytes(40_000 + count);
    upstream.respond(`/${path}`, { body: bytes });
    served.set(`all/${path}`, bytes);
    await (await fetch(`${server.url}/all/${path}`)).arrayBuffer();
  }
  const bytes = randomBytes(50_000);
  const headers = { authorization: `Bearer ${token}` };
  await fetch(`${server.url}/own/box-1.0.tar.gz`, { method: 'PUT', headers, body: new Uint8Array(bytes) });
  served.set('all/box-1.0.tar.gz', bytes);
  pulls = (await server.get('/api/v2/pulls?limit=1000')).body.items.length;
  await server.stop();
  await upstream.down();
});
afterEach(async () => {
  await upstream.stop();
  await rm(folder, { recursive: true, force: true });
});

const to = () => ['--to-database', `sqlite:${folder}/moved.sqlite`, '--to-storage', `file:${folder}/blobs`];
const move = (...flags: readonly string[]): Promise<Ended> =>
  commandLine(['move', '--data', data, ...(flags.length > 0 ? flags : to())], { cwd: folder });

/** The moved installation is the one it was, with nothing but the new places. */
async function expectMoved(): Promise<void> {
  for (const gone of ['blobs', 'entrepot.sqlite']) await rm(join(data, gone), { recursive: true });
  const settings = { database_url: `sqlite:${folder}/moved.sqlite`, storage_url: `file:${folder}/blobs` };
  const server = await TestServer.start({ data, settings });
  try {
    expect(server.token).toBe(token);
    for (const [path, bytes] of served) {
      const answer = await fetch(`${server.url}/${path}`);
      expect(Buffer.from(await answer.arrayBuffer()).equals(bytes), path).toBe(true);
    }
    const { body } = await server.get('/api/v2/pulls?limit=1000');
    expect(body.items).toHaveLength(pulls + served.size);
    expect((await server.get('/api/v2/config')).body.resources).toHaveLength(3);
  } finally {
    await server.stop();
  }
}

test('a moved installation serves the same bytes, with the same token, pulls and resources', async () => {
  const before = await contentOf(data);
  const moved = await move();
  expect(moved).toMatchObject({ code: 0, err: '' });
  expect(moved.out).toMatch(
    /^\d+ rows of \d+ tables copied, read again on both sides, and the same\n61 blobs copied, 2\.5 MB; 0 were there\n61 blobs referred to, 2\.5 MB; all there\nFrom now on:\n {2}database_url: sqlite:.*\/moved\.sqlite\n {2}storage_url: file:.*\/blobs\n$/,
  );
  expect(await contentOf(data)).toEqual(before);
  await expectMoved();
});

test('killed again and again it goes on, and ends with all of it', async () => {
  let killed = 0;
  for (let after = 150; ; after += 90) {
    const child = spawn(process.execPath, [PROGRAM, 'move', '--data', data, ...to()], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'] },
    });
    const said = text(child.stderr);
    const ended = once(child, 'exit');
    const first = await Promise.race([sleep(after).then(() => 'late' as const), ended]);
    if (first !== 'late') {
      expect([child.exitCode, await said]).toEqual([0, '']);
      break;
    }
    child.kill('SIGKILL');
    await ended;
    killed += 1;
  }
  expect(killed).toBeGreaterThan(0);
  expect(await readdir(data)).not.toContain('move.json');
  await expectMoved();
});

test('what was lost before is told, and does not stop the rest', async () => {
  const [lost = Buffer.alloc(0), cut = Buffer.alloc(0)] = [
    served.get('all/tool-1.0.1.zip'),
    served.get('all/tool-1.0.2.zip'),
  ];
  await rm(pathOf(lost));
  await truncate(pathOf(cut), 10);
  await rm(pathOf(served.get('all/box-1.0.tar.gz') as Buffer));
  const moved = await move();
  expect(moved.code).toBe(3);
  expect(moved.out).toContain('58 blobs copied');
  expect(moved.out).toContain('2 blobs missing where it was moved from\n1 blob damaged where it was moved from');
  expect(moved.out).toContain(
    '2 blobs will be fetched again when somebody asks\n1 blob that no upstream has:\n  own/box-1.0.tar.gz\n',
  );
});

test('a target that cannot be one is refused before anything is copied', async () => {
  await writeFile(join(folder, 'moved.sqlite'), 'no database');
  expect(await move()).toMatchObject({ code: 1, err: expect.stringMatching(/moved\.sqlite (is damaged|failed)/) });
  expect(await readdir(data)).not.toContain('move.json');
  await rm(join(folder, 'moved.sqlite'));
  expect(await move('--to-storage', `file:${join(folder, 'moved.sqlite')}`)).toMatchObject({ code: 0 });
  const used = await move('--to-database', `sqlite:${join(data, 'entrepot.sqlite')}`);
  expect(used).toMatchObject({ code: 1, err: 'entrepot: everything is where it would be moved to\n' });
  expect(await move('--to-database', 'mysql://x')).toMatchObject({
    code: 1,
    err: expect.stringContaining('must be sqlite:'),
  });
  const none = await commandLine(['move', '--data', join(folder, 'none'), ...to()], { cwd: folder });
  expect(none).toMatchObject({ code: 1, err: expect.stringContaining('there is nothing to move') });
});

test('while a server runs nothing is moved, and a move that was begun is ended before another one', async () => {
  const server = await TestServer.start({ data });
  expect(await move()).toMatchObject({ code: 1, err: expect.stringContaining('is in use by the Entrepot') });
  await server.stop();
  await writeFile(
    join(data, 'move.json'),
    JSON.stringify({ id: 'other', to: { database_url: 'a', storage_url: 'b' } }),
  );
  expect(await move()).toMatchObject({
    code: 1,
    err: expect.stringMatching(/a move to a and b was begun and is not through/),
  });
});

function pathOf(bytes: Buffer): string {
  const hex = createHash('sha256').update(bytes).digest('hex');
  return join(data, 'blobs', 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex);
}

/** Names and content, but what lives only as long as a process. */
async function contentOf(root: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || /\/(journal|tmp|cache)\//.test(path)) continue;
    found[path] = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  }
  return found;
}
