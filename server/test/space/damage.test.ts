import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/main.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { TestServer } from '../support/test-server.ts';

const FILE = 'tools/tool-1.0.0.tar.gz';
const bytes = randomBytes(200_000);
const other = randomBytes(200_000);

let upstream: FakeUpstream;
let server: TestServer;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  upstream.respond(`/${FILE}`, { body: bytes, headers: { 'content-type': 'application/gzip' } });
  server = await TestServer.start();
  await server.remote('files', 'generic', upstream.url);
  await server.put('/api/v2/hosted/builds', { name: 'builds', format: 'generic' });
});
afterEach(async () => {
  await server.stop();
  await upstream.stop();
});

const fileOf = (content: Uint8Array): string => {
  const hex = createHash('sha256').update(content).digest('hex');
  return join(server.data, 'blobs', 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex);
};
const get = async (path: string) => {
  const response = await fetch(`${server.url}/${path}`);
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()), headers: response.headers };
};
const fetched = async (): Promise<void> => {
  expect((await get(`files/${FILE}`)).body.equals(bytes)).toBe(true);
  await expect.poll(async () => (await server.get('/api/v2/remotes/files/objects')).body.items).toHaveLength(1);
};
const published = async (): Promise<void> => {
  const { status } = await fetch(`${server.url}/builds/${FILE}`, {
    method: 'PUT',
    body: bytes,
    headers: { authorization: `Bearer ${server.token}` },
  });
  expect(status).toBeLessThan(300);
};
const flip = async (): Promise<void> => {
  const stored = await readFile(fileOf(bytes));
  stored[1000] = (stored[1000] ?? 0) ^ 4;
  await writeFile(fileOf(bytes), stored);
};
/** `entrepot …`, against the server. */
const command = async (...argv: string[]) => {
  const said: string[] = [];
  const around = {
    env: { ENTREPOT_URL: server.url, ENTREPOT_TOKEN: server.token },
    cwd: server.data,
    home: server.data,
    out: (text: string) => void said.push(text),
    progress: (text: string) => void said.push(text === '' ? '' : '·'),
  };
  const code = await run(argv, around, (text) => void said.push(text));
  return { code, out: said.join('') };
};

describe('what a remote has', () => {
  test.each([
    ['cut', () => truncate(fileOf(bytes), 1000)],
    ['gone', () => rm(fileOf(bytes))],
    ['empty', () => truncate(fileOf(bytes), 0)],
  ])('is fetched once more when its blob is %s, and served whole', async (_, damage) => {
    await fetched();
    await damage();
    expect((await get(`files/${FILE}`)).body.equals(bytes)).toBe(true);
    expect(upstream.count(`/${FILE}`, 'GET')).toBe(2);
    await expect.poll(async () => (await get(`files/${FILE}`)).headers.get('x-cache')).toBe('hit');
    expect((await readFile(fileOf(bytes))).equals(bytes)).toBe(true);
  });

  test('is found by verify when a bit of it is another, and fetched once more', async () => {
    await fetched();
    await flip();
    const { code, out } = await command('verify', 'store');
    expect(code).toBe(1);
    expect(out).toMatch(/1 blobs, 200 kB, all read: 0 missing, 1 corrupt, 0 unreferenced/);
    expect(out).toMatch(/corrupt +sha256:[0-9a-f]{64} +200 kB +files\/tools\/tool-1\.0\.0\.tar\.gz +is fetched again/);
    expect((await get(`files/${FILE}`)).body.equals(bytes)).toBe(true);
    expect(upstream.count(`/${FILE}`, 'GET')).toBe(2);
    expect(await readdir(join(server.data, 'quarantine'))).toHaveLength(1);
    await expect.poll(async () => (await command('verify', 'store')).code).toBe(0);
  });

  test('an index document that was cut is fetched once more', async () => {
    await server.remote('npm-public', 'npm', upstream.url);
    publish(upstream, 'parcel', [{ version: '1.0.0', tarball: other }]);
    expect((await get('npm-public/parcel')).status).toBe(200);
    const { body } = await server.get('/api/v2/remotes/npm-public/objects');
    const hex = body.items[0].digest.slice('sha256:'.length);
    await truncate(join(server.data, 'blobs', 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex), 20);
    await server.delete('/api/v2/remotes/npm-public/objects?path=nothing');
    const again = await get('npm-public/parcel');
    expect([again.status, JSON.parse(again.body.toString()).name]).toEqual([200, 'parcel']);
  });
});

describe('what was published here', () => {
  test('is refused by name while it is damaged, shows in health and stats, and is whole when it is published again', async () => {
    await published();
    await flip();
    const { code, out } = await command('verify', 'store', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out.slice(out.indexOf('{')))).toMatchObject({
      findings: [{ kind: 'corrupt', objects: [{ repository: 'builds', path: FILE }], remedy: 'publish_again' }],
    });
    const refused = await get(`builds/${FILE}`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '300']);
    expect(refused.body.toString()).toContain(`The bytes of ${FILE} in "builds" are damaged: publish them again.`);
    expect((await server.get('/health')).body.checks.blobs).toMatchObject({
      status: 'degraded',
      message: expect.stringContaining(FILE),
    });
    expect((await server.get('/api/v2/stats')).body).toMatchObject({ quarantined: 1, lost: [{ path: FILE }] });
    expect((await command('stats')).out).toContain(`damaged, publish it again: builds/${FILE}`);
    expect((await server.get('/api/v2/alerts')).body.items).toMatchObject([{ kind: 'damaged_blob', name: FILE }]);

    await published();
    expect((await get(`builds/${FILE}`)).body.equals(bytes)).toBe(true);
    await expect.poll(async () => (await command('verify', 'store')).code).toBe(0);
  });
});

test('verify is refused while it runs, for what it does not know, and before the first run', async () => {
  expect((await server.get('/api/v2/verify')).status).toBe(404);
  for (const body of [{}, { scope: 'moon' }, { scope: 'store', read: 'yes' }, { scope: 'store', more: 1 }, []])
    expect((await server.post('/api/v2/verify', body)).status).toBe(400);
  expect((await command('verify', 'store', '--quick')).out).toMatch(/^·*0 blobs, 0 B: 0 missing/);
});
