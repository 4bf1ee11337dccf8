import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { npmDocument } from '../support/hosted-client.ts';
import { publish } from '../support/npm-package.ts';
import { ServerProcess } from '../support/server-process.ts';
import { diskMissing, fillDisk, freeDisk, mountDisk, unmountDisk } from '../support/small-disk.ts';

/** What is on the full disk, how a server is told to keep it there, and how its health calls it. */
const PARTS = [
  { what: 'blobs', setting: (disk: string) => ['--storage-url', `file:${disk}`], check: 'store' },
  { what: 'database', setting: (disk: string) => ['--database-url', `sqlite:${disk}/ledger.db`], check: 'database' },
  { what: 'journal', setting: (disk: string) => ['--journal', disk], check: 'journal' },
] as const;

const VERSIONS = ['1.0.0', '2.0.0', '3.0.0', '4.0.0'] as const;
const missing = diskMissing();

describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(`a full disk ${missing ?? ''}`, () => {
  const bodies = new Map<string, Buffer>(VERSIONS.map((version) => [version, randomBytes(50_000)]));
  let opened: AsyncDisposableStack;
  let disk: string;
  let upstream: FakeUpstream;
  let server: ServerProcess;
  let asked: number;
  let whole: string[];

  beforeEach(async () => {
    if (missing !== undefined) throw new Error(missing);
    opened = new AsyncDisposableStack();
    const root = await mkdtemp(join(tmpdir(), 'entrepot-disk-'));
    opened.defer(() => rm(root, { recursive: true }));
    disk = join(root, 'disk');
    await mkdir(disk);
    await mountDisk(disk);
    opened.defer(() => unmountDisk(disk));
    upstream = await FakeUpstream.start();
    opened.defer(() => upstream.stop());
    publish(
      upstream,
      'parcel',
      VERSIONS.map((version) => ({ version, tarball: bodies.get(version) as Buffer })),
    );
    [asked, whole] = [0, []];
  });
  afterEach(() => opened.disposeAsync());

  const start = async (setting: readonly string[]): Promise<void> => {
    server = await ServerProcess.launch({ alone: true }, '--defaults', 'false', ...setting);
    opened.defer(() => server.stop());
    const remote = { name: 'public', format: 'npm', url: upstream.url, allow_private_network: true };
    await server.manage('POST', '/remotes', remote);
    await server.manage('POST', '/hosted', { name: 'own', format: 'npm' });
  };

  /** A client of its own each time; whoever gets a file gets the right one. */
  const get = async (version: string) => {
    asked += 1;
    const client = `client/${asked}`;
    const url = `${server.url}/public/parcel/-/parcel-${version}.tgz`;
    const answer = await fetch(url, { headers: { 'user-agent': client } });
    const body = Buffer.from(await answer.arrayBuffer());
    if (answer.status === 200) {
      expect(body.equals(bodies.get(version) as Buffer)).toBe(true);
      whole.push(client);
    }
    return { status: answer.status, cache: answer.headers.get('x-cache'), retry: answer.headers.get('retry-after') };
  };

  const release = async (name: string) => {
    const answer = await fetch(`${server.url}/own/${name}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(npmDocument({ name, version: '1.0.0', tarball: randomBytes(20_000) })),
    });
    const { status, headers } = answer;
    return { status, retry: headers.get('retry-after'), said: await answer.text() };
  };

  const health = async (_after?: unknown) => {
    const answer = await fetch(`${server.url}/health`, { headers: { authorization: `Bearer ${server.token}` } });
    return { status: answer.status, body: await answer.json() };
  };

  const AGAIN = expect.stringMatching(/^\d+$/);

  test.each(PARTS)(
    'of the $what: what is in memory is served, the rest says when to ask again, and all heals',
    async ({ what, setting, check }) => {
      await start(setting(disk));
      for (const _ of [1, 2, 3]) expect((await get('1.0.0')).status).toBe(200);
      await fillDisk(disk);

      await expect
        .poll(async () => health(await get('2.0.0')))
        .toMatchObject({
          status: 503,
          body: { checks: { [check]: { status: 'failing', message: expect.stringMatching(/full|no space/i) } } },
        });
      for (let n = 0; n < 20; n += 1) expect(await get('1.0.0')).toMatchObject({ status: 200, cache: 'hit' });
      const publication = await release('early');
      if (what === 'journal') {
        expect(await get('3.0.0')).toMatchObject({ status: 200 });
        expect(publication.status).toBe(201);
      } else {
        expect(await get('3.0.0')).toMatchObject({ status: 503, retry: AGAIN });
        expect(publication).toMatchObject({ status: 503, retry: AGAIN, said: expect.stringMatching(/full|no space/i) });
      }

      await freeDisk(disk);
      await expect.poll(health).toMatchObject({ status: 200, body: { checks: { [check]: { status: 'ok' } } } });
      for (const version of VERSIONS) expect(await get(version)).toMatchObject({ status: 200 });
      expect((await release('late')).status).toBe(201);
      const clients = async () =>
        (await server.pulls()).flatMap(({ client, aborted }) => (aborted ? [] : [client])).sort();
      await expect.poll(clients).toEqual([...whole].sort());
    },
  );
});
