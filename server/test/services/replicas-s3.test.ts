import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { radosgwMissing, startRadosgw } from '../support/radosgw.ts';
import { Replicas, replicasMissing } from '../support/replicas.ts';
import type { ServerProcess } from '../support/server-process.ts';

const missing = replicasMissing() ?? radosgwMissing();
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const bodyOf = async (response: Response) => Buffer.from(await response.arrayBuffer());
const TARBALL = '/widget/-/widget-1.0.0.tgz';

describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(`two replicas on S3 ${missing ?? ''}`, () => {
  const opened = new AsyncDisposableStack();
  let replicas: Replicas;
  let upstream: FakeUpstream;
  let [one, other] = [] as unknown as [ServerProcess, ServerProcess];
  beforeAll(async () => {
    const s3 = await startRadosgw();
    opened.defer(() => s3.stop());
    replicas = await Replicas.start({ storage: s3.url(await s3.bucket()) });
    opened.defer(() => replicas.stop());
    [one, other] = replicas.servers as [ServerProcess, ServerProcess];
    upstream = await FakeUpstream.start();
    opened.defer(() => upstream.stop());
    const remote = { name: 'npm', format: 'npm', url: upstream.url, allow_private_network: true };
    await one.manage('PUT', '/remotes/npm', remote);
    await one.manage('PUT', '/hosted/own', { name: 'own', format: 'generic' });
  });
  afterAll(() => opened.disposeAsync());

  const get = (server: { readonly url: string }, path: string) => fetch(`${server.url}${path}`);
  const put = (server: ServerProcess, path: string, body: Buffer) =>
    fetch(`${server.url}/own/${path}`, {
      method: 'PUT',
      body: new Uint8Array(body),
      headers: { authorization: `Bearer ${one.token}`, 'content-type': 'application/octet-stream' },
    });

  test('know what was declared at either', async () => {
    await expect.poll(() => other.manage('GET', '/hosted/own').catch(() => undefined)).toMatchObject({ name: 'own' });
  });

  test('fetch once what both are asked for, forget it together, and fetch it once again', async () => {
    for (const bytes of [randomBytes(400_000), randomBytes(400_000)]) {
      publish(upstream, 'widget', [{ version: '1.0.0', tarball: bytes }]);
      const before = upstream.count(TARBALL, 'GET');
      const gate = upstream.hold(TARBALL, { afterBytes: 100_000 });
      const asked = Array.from({ length: 20 }, (_, n) => get(n % 2 ? one : other, `/npm${TARBALL}`));
      await gate.arrived();
      gate.open();
      const digests = await Promise.all(asked.map(async (answer) => sha256(await bodyOf(await answer))));
      expect(new Set(digests)).toEqual(new Set([sha256(bytes)]));
      expect(upstream.count(TARBALL, 'GET') - before).toBe(1);
      await other.manage('DELETE', '/remotes/npm/objects?all=true');
      const marks = async () => (await one.objects('npm')).length;
      await expect.poll(marks).toBe(0);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

  test('have the bytes of what was published at the other, also when both publish the same ones', async () => {
    const bytes = randomBytes(300_000);
    const both = await Promise.all([put(one, 'tool/1.0/a', bytes), put(other, 'tool/1.0/a', bytes)]);
    expect(both.map(({ ok }) => ok)).toEqual([true, true]);
    await put(one, 'tool/1.0/b', bytes);
    for (const server of [one, other])
      for (const path of ['a', 'b'])
        await expect
          .poll(async () => sha256(await bodyOf(await get(server, `/own/tool/1.0/${path}`))))
          .toBe(sha256(bytes));
  });

  test('serve npm through their common address', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'entrepot-npm-'));
    opened.defer(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'app', version: '1.0.0' }));
    const names = ['first', 'second', 'third'];
    for (const name of names) publish(upstream, name, [{ version: '1.0.0', tarball: await tarballOf(name) }]);
    const npm = ['install', '--no-audit', '--no-fund', '--cache', join(folder, 'cache'), ...names];
    await promisify(execFile)('npm', [...npm, '--registry', `${replicas.url}/npm/`], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder, npm_config_userconfig: join(folder, 'npmrc') },
    });
    expect((await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.'))).toEqual(names);
    const lock = await readFile(join(folder, 'package-lock.json'), 'utf8');
    expect(lock).toContain(`${replicas.url}/npm/first/-/first-1.0.0.tgz`);
  });
});

/** A package of nothing but its manifest. */
function tarballOf(name: string): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: 'package/package.json' }, JSON.stringify({ name, version: '1.0.0' }));
  archive.finalize();
  return buffer(archive.pipe(createGzip()));
}
