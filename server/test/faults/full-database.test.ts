import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { ServerProcess } from '../support/server-process.ts';

const FILLER = fileURLToPath(new URL('./full-database.mjs', import.meta.url));

let root: string;
let full: string;
let upstream: FakeUpstream;
let server: ServerProcess;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'entrepot-full-'));
  full = join(root, 'full');
  upstream = await FakeUpstream.start();
  const options = { alone: true, env: { FULL: full }, node: ['--import', FILLER] } as const;
  server = await ServerProcess.launch(options, '--defaults', 'false');
  const remote = { name: 'files', format: 'generic', url: upstream.url, allow_private_network: true };
  await server.manage('POST', '/remotes', remote);
});
afterEach(async () => {
  await server.stop();
  await upstream.stop();
  await rm(root, { recursive: true });
});

const bodies = new Map<string, Buffer>();
function file(name: string): string {
  bodies.set(name, randomBytes(100_000));
  upstream.respond(`/${name}`, { body: bodies.get(name) as Buffer });
  return name;
}

const get = (name: string, client = 'test') =>
  fetch(`${server.url}/files/${name}`, { headers: { 'user-agent': client } });
interface Asked {
  readonly status: number;
  readonly body: unknown;
}

const ask = async (path: string): Promise<Asked> => {
  const answer = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${server.token}` } });
  return { status: answer.status, body: await answer.json() };
};

test('a full database: hits are served, nothing else is half done, and when there is room all goes on by itself', async () => {
  const [kept, other] = [file('a-1.0.zip'), file('a-2.0.zip')];
  expect((await get(kept)).status).toBe(200);
  await expect.poll(async () => (await server.pulls()).length).toBe(1);

  await writeFile(full, '');
  let pulled = 0;
  const hit = async () => {
    const client = `full/${pulled}`;
    const answer = await get(kept, client);
    expect([answer.status, answer.headers.get('x-cache')]).toEqual([200, 'hit']);
    expect(Buffer.from(await answer.arrayBuffer()).equals(bodies.get(kept) as Buffer)).toBe(true);
    pulled += 1;
  };
  await expect
    .poll(
      async () => {
        for (let n = 0; n < 200; n += 1) await hit();
        return (await ask('/health')).body;
      },
      { timeout: 60_000 },
    )
    .toMatchObject({
      status: 'failing',
      checks: {
        journal: { status: 'failing', message: expect.stringMatching(/cannot grow, the disk is full: free space/) },
      },
    });
  expect((await ask('/ready')).status).toBe(503);

  await rm(full);
  await expect.poll(async () => (await ask('/ready')).status).toBe(200);
  expect((await get(other)).status).toBe(200);
  const clients = async () =>
    (await server.pulls()).map(({ client }) => client).filter((one) => one?.startsWith('full/'));
  await expect.poll(async () => (await clients()).length).toBe(pulled);
  expect(new Set(await clients()).size).toBe(pulled);
});

test('a change that a full database cannot take is refused, says why, and was not done', async () => {
  await writeFile(full, '');
  const specs = Array.from({ length: 60 }, (_, n) => ({
    op: 'put',
    kind: 'remote',
    name: `large-${n}`,
    spec: { name: `large-${n}`, format: 'generic', url: 'https://upstream.test', description: 'x'.repeat(1000) },
  }));
  const refused = await fetch(`${server.url}/api/v2/config?atomic=true`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(specs),
  });
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await refused.text()).toContain('cannot grow, the disk is full');
  expect((await ask('/api/v2/remotes/large-0')).status).toBe(404);
  await rm(full);
  expect((await get(file('b-1.0.zip'))).status).toBe(200);
});
