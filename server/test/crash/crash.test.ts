import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { ServerProcess } from '../support/server-process.ts';

let upstream: FakeUpstream;
let server: ServerProcess;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  server = await ServerProcess.start('--defaults', 'false');
  const remote = { name: 'public', format: 'npm', url: upstream.url, allow_private_network: true };
  await server.manage('POST', '/remotes', remote);
  await server.manage('POST', '/virtuals', { name: 'team', format: 'npm', members: ['public'] });
});
afterEach(async () => {
  await upstream.stop();
  await server.stop();
});

const pathOf = (version: string) => `/parcel/-/parcel-${version}.tgz`;
const get = (version: string, init: RequestInit = {}) => fetch(`${server.url}/team${pathOf(version)}`, init);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const bodyOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());

test('a hundred clients that ask for one new file cost its upstream one request', async () => {
  const tarball = randomBytes(1_000_000);
  publish(upstream, 'parcel', [{ version: '1.0.0', tarball }]);
  const gate = upstream.hold(pathOf('1.0.0'), { afterBytes: 100_000 });
  const answers = await Promise.all(Array.from({ length: 100 }, () => get('1.0.0')));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  gate.open();
  const bodies = await Promise.all(answers.map(bodyOf));
  expect(new Set(bodies.map(sha256))).toEqual(new Set([sha256(tarball)]));
  expect(upstream.count(pathOf('1.0.0'))).toBe(1);
  expect(upstream.count('/parcel')).toBe(1);
  expect(await server.pulls()).toHaveLength(100);
});

test('a file goes on arriving when the first client leaves, and the next one gets it from here', async () => {
  const tarball = randomBytes(1_000_000);
  publish(upstream, 'parcel', [{ version: '1.0.0', tarball }]);
  const gate = upstream.hold(pathOf('1.0.0'), { afterBytes: 100_000 });
  const leaving = new AbortController();
  const first = await get('1.0.0', { signal: leaving.signal });
  await first.body?.getReader().read();
  leaving.abort();
  gate.open();
  while (!(await server.objects('public')).some(({ path }) => `/${path}` === pathOf('1.0.0'))) await sleep(50);
  const next = await get('1.0.0');
  expect(next.headers.get('x-cache')).toBe('hit');
  expect(sha256(await bodyOf(next))).toBe(sha256(tarball));
  expect(upstream.count(pathOf('1.0.0'))).toBe(1);
  expect((await server.pulls()).map(({ aborted }) => aborted === true)).toEqual([false, true]);
});

test('killed under load it loses no pull that a client has received, and keeps no half file', async () => {
  const files = Array.from({ length: 120 }, (_, patch) => ({ version: `1.0.${patch}`, tarball: randomBytes(100_000) }));
  const digests = new Map(files.map(({ version, tarball }) => [pathOf(version), sha256(tarball)]));
  publish(upstream, 'parcel', files);
  const received: string[] = [];
  for (const round of [0, 1, 2]) {
    const some = files.slice(round * 40, (round + 1) * 40).map(({ version }) => version);
    await killUnderLoad(some, received, round);
    await server.restart();
  }

  const rows = await server.pulls();
  const times = new Map<string, number>();
  for (const { client = '' } of rows) times.set(client, (times.get(client) ?? 0) + 1);
  expect(received.filter((client) => !times.has(client))).toEqual([]);
  expect([...times].filter(([, count]) => count > 1)).toEqual([]);

  expect(await readdir(join(server.data, 'tmp'))).toEqual([]);
  const blobs = await blobsOf(server.data);
  for (const [name, digest] of blobs) expect(digest).toBe(name);

  await upstream.down();
  const objects = await server.objects('public');
  expect(objects.length).toBeGreaterThan(files.length / 2);
  for (const { path, digest, size } of objects)
    expect(blobs.get(hexOf(digest)), `${path}, ${size} bytes`).toBe(hexOf(digest));
  const kept = objects.filter(({ path }) => digests.has(`/${path}`));
  expect(kept.length).toBeGreaterThan(files.length / 2);
  for (const { path } of kept) {
    const answer = await fetch(`${server.url}/team/${path}`);
    expect(sha256(await bodyOf(answer)), path).toBe(digests.get(`/${path}`));
  }
});

/** Twenty clients fetch files, again and again, and one waits in the middle of another, when the server is killed. */
async function killUnderLoad(versions: readonly string[], received: string[], round: number): Promise<void> {
  const [stuck = '', ...others] = versions;
  const gate = upstream.hold(pathOf(stuck), { afterBytes: 40_000 });
  const waiting = await get(stuck, { headers: { 'user-agent': `stuck/${round}` } });
  const before = received.length;
  let asked = 0;
  let isDoomed = false;
  const fetchNext = async (): Promise<void> => {
    asked += 1;
    const client = `load/${round}.${asked}`;
    const answer = await get(others[asked % others.length] ?? '', { headers: { 'user-agent': client } });
    await bodyOf(answer);
    expect(answer.status).toBe(200);
    received.push(client);
  };
  const fetchOn = async (): Promise<void> => {
    while (!isDoomed) {
      await fetchNext().catch((error: unknown) => {
        if (!isDoomed) throw error;
      });
    }
  };
  const clients = Promise.all(Array.from({ length: 20 }, fetchOn));
  while (received.length - before < 150) await Promise.race([sleep(5), clients]);
  isDoomed = true;
  await server.kill('SIGKILL');
  await clients;
  await expect(bodyOf(waiting)).rejects.toThrow();
  expect(await readdir(join(server.data, 'tmp'))).not.toEqual([]);
  gate.open();
}

/** Names of all kept files, each with the SHA-256 of what is in it. */
async function blobsOf(data: string): Promise<Map<string, string>> {
  const entries = await readdir(join(data, 'blobs'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return new Map(
    await Promise.all(
      files.map(
        async ({ parentPath, name }): Promise<[string, string]> => [
          name,
          sha256(await readFile(join(parentPath, name))),
        ],
      ),
    ),
  );
}

function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, '');
}
