import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { HostedClient } from '../support/hosted-client.ts';
import { TestServer } from '../support/test-server.ts';
import { zipOf } from '../support/zip.ts';

const JSON_PAGE = { accept: 'application/vnd.pypi.simple.v1+json' };

let server: TestServer;
let upstream: FakeUpstream;
let own: HostedClient;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  server = await TestServer.start();
  await server.put('/api/v2/hosted/own', { format: 'pypi' });
  await server.remote('public', 'pypi', upstream.url);
  await server.virtual('team', 'pypi', ['own', 'public']);
  own = new HostedClient(server, 'own');
});
afterEach(async () => {
  await server.stop();
  await upstream.stop();
});

const METADATA = 'Metadata-Version: 2.1\nName: Big.Box\nVersion: 1.0\nRequires-Python: >=3.9\n\nlong text\n';
const WHEEL = 'big_box-1.0-py3-none-any.whl';
const FIELDS = { name: 'Big.Box', version: '1.0', filetype: 'bdist_wheel', pyversion: 'py3', metadata_version: '2.1' };

const wheelOf = (metadata = METADATA, more = 'x'): Buffer =>
  zipOf({ 'big_box.py': more, 'big_box-1.0.dist-info/METADATA': metadata });
const upload = (bytes: Uint8Array = wheelOf(), fields: object = {}, name = WHEEL): Promise<Response> =>
  own.upload({ ...FIELDS, ...fields }, { name, bytes });
const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

describe('a wheel', () => {
  test('is listed with its digest, size, time and metadata', async () => {
    const bytes = wheelOf();
    expect((await upload(bytes, { sha256_digest: sha256(bytes) })).status).toBe(200);
    const page = await own.read('simple/big-box/', JSON_PAGE);
    expect(page).toMatchObject({ meta: { 'api-version': '1.4' }, name: 'big-box', versions: ['1.0'] });
    expect(page.files).toEqual([
      {
        filename: WHEEL,
        url: `../../packages/big-box/${WHEEL}`,
        hashes: { sha256: sha256(bytes) },
        size: bytes.length,
        'upload-time': expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        'requires-python': '>=3.9',
        yanked: false,
        'core-metadata': { sha256: sha256(METADATA) },
        'data-dist-info-metadata': { sha256: sha256(METADATA) },
      },
    ]);
    const metadata = await own.send('GET', `packages/big-box/${WHEEL}.metadata`);
    expect([metadata.status, await metadata.text()]).toEqual([200, METADATA]);
    const older = await own.read('pypi/Big_Box/json');
    expect(older).toMatchObject({
      info: { name: 'big-box', version: '1.0' },
      releases: { '1.0': [{ filename: WHEEL }] },
    });
    expect((await own.send('GET', 'simple/Big_Box/')).headers.get('location')).toBe('../big-box/');
  });

  test('is published once', async () => {
    expect((await upload()).status).toBe(200);
    const before = await own.read('simple/big-box/', JSON_PAGE);
    expect((await upload()).status).toBe(200);
    const other = await upload(wheelOf(METADATA, 'other'));
    expect([other.status, await other.text()]).toEqual([409, expect.stringContaining('File already exists')]);
    expect(await own.read('simple/big-box/', JSON_PAGE)).toEqual(before);
  });

  test('and a source distribution are of one release', async () => {
    await upload();
    const sdist = { filetype: 'sdist', pyversion: 'source', requires_python: '>=3.8' };
    expect((await upload(Buffer.from('sdist'), sdist, 'big_box-1.0.tar.gz')).status).toBe(200);
    const { versions, files } = await own.read('simple/big-box/', JSON_PAGE);
    expect(versions).toEqual(['1.0']);
    expect(files).toMatchObject([{ filename: WHEEL }, { filename: 'big_box-1.0.tar.gz', 'requires-python': '>=3.8' }]);
  });

  test('that is evicted is not listed any more, and the project goes on being ours', async () => {
    await upload();
    await own.upload(
      { ...FIELDS, version: '1.1', filetype: 'sdist' },
      { name: 'big_box-1.1.tar.gz', bytes: Buffer.from('x') },
    );
    await server.delete(`/api/v2/hosted/own/objects?path=packages/big-box/${WHEEL}`);
    expect((await own.read('simple/big-box/', JSON_PAGE)).versions).toEqual(['1.1']);
  });
});

describe('what is wrong is refused, and changes nothing', () => {
  test.each([
    ['a digest of other bytes', { sha256_digest: 'a'.repeat(64) }, WHEEL, 'sha256 digest'],
    ['an MD5 of other bytes', { md5_digest: 'a'.repeat(32) }, WHEEL, 'md5 digest'],
    ['a digest that is none', { sha256_digest: 'xyz' }, WHEEL, 'no sha256 digest'],
    ['another name than the file', { name: 'other' }, WHEEL, 'not a file of other'],
    ['another version than the file', { version: '1.1' }, WHEEL, 'is of version 1.0, not 1.1'],
    ['a version that is none', { version: 'one' }, WHEEL, 'PEP 440'],
    ['a name that is none', { name: '../x' }, WHEEL, 'not a valid PyPI project name'],
    ['another action', { ':action': 'submit' }, WHEEL, 'file_upload'],
    ['a file that is no distribution', {}, 'big_box-1.0.exe', 'neither a wheel nor'],
    ['a wheel without tags', {}, 'big_box-1.0.whl', 'not a file of big-box'],
    ['attestations', { attestations: '[]' }, WHEEL, 'Attestations are not kept'],
  ])('%s', async (_, fields, name, message) => {
    const answer = await upload(wheelOf(), fields, name);
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining(message)]);
    expect((await own.send('GET', 'simple/big-box/')).status).toBe(404);
    expect((await server.get('/api/v2/hosted/own/objects')).body.items).toEqual([]);
  });

  test.each([
    ['no zip', Buffer.from('no zip'), 'no zip'],
    ['without METADATA', zipOf({ x: 'y' }), 'without METADATA'],
    ['with METADATA of another project', wheelOf(METADATA.replace('Big.Box', 'evil')), 'is of evil'],
    ['with METADATA of another version', wheelOf(METADATA.replace('1.0', '2.0')), 'is of big-box 2.0'],
    ['with endless METADATA', wheelOf(METADATA + 'x'.repeat(2_000_000)), 'more than 1048576 bytes'],
  ])('a wheel %s', async (_, bytes, message) => {
    const answer = await upload(bytes);
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining(message)]);
    expect((await own.send('GET', 'simple/big-box/')).status).toBe(404);
  });

  test.each([
    ['no form', 'text/plain', 'x'],
    ['a form without a boundary', 'multipart/form-data', 'x'],
    [
      'a form that breaks off',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nx',
    ],
    [
      'a form without a file',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name=":action"\r\n\r\nfile_upload\r\n--b--\r\n',
    ],
    ['an empty form', 'multipart/form-data; boundary=b', ''],
  ])('%s', async (_, type, body) => {
    expect((await own.send('POST', 'legacy/', body, { 'content-type': type })).status).toBe(400);
  });

  test('a field said twice', async () => {
    const form = new FormData();
    for (const [name, value] of [
      [':action', 'file_upload'],
      ['name', 'a'],
      ['name', 'big-box'],
      ['version', '1.0'],
    ] as const)
      form.append(name, value);
    form.append('content', new Blob([wheelOf()]), WHEEL);
    expect((await own.send('POST', 'legacy/', form)).status).toBe(400);
  });

  test('a file over the limit, and a form over it', async () => {
    await server.put('/api/v2/hosted/own', { format: 'pypi', max_artifact_size: '1000' });
    const big = { ...FIELDS, filetype: 'sdist' };
    expect((await own.upload(big, { name: 'big_box-1.0.tar.gz', bytes: Buffer.alloc(300_000) })).status).toBe(413);
    await server.put('/api/v2/hosted/own', { format: 'pypi' });
    expect((await upload(wheelOf(), { description: 'x'.repeat(9_000_000) })).status).toBe(400);
    expect((await own.send('GET', 'simple/big-box/')).status).toBe(404);
  });

  test('who has no token, and what is no hosted repository', async () => {
    expect((await fetch(`${server.url}/own/legacy/`, { method: 'POST', body: new FormData() })).status).toBe(401);
    for (const name of ['team', 'public'])
      expect((await new HostedClient(server, name).upload(FIELDS, { name: WHEEL, bytes: wheelOf() })).status).toBe(405);
  });
});

test('in a virtual that merges, index and file of a name are the same member’s', async () => {
  const ours = wheelOf();
  expect((await upload(ours)).status).toBe(200);
  const files = [WHEEL, 'big_box-2.0-py3-none-any.whl'].map((filename) => ({
    filename,
    url: `${upstream.url}/files/${filename}`,
    hashes: { sha256: sha256(`public ${filename}`) },
    size: 10,
    'upload-time': '2026-01-01T00:00:00Z',
  }));
  upstream.respond('/simple/big-box/', {
    body: JSON.stringify({ meta: { 'api-version': '1.1' }, name: 'big-box', versions: [], files }),
    headers: { 'content-type': 'application/vnd.pypi.simple.v1+json' },
  });
  const spec = { name: 'all', format: 'pypi', members: ['own', 'public'], merge: 'union' };
  expect((await server.put('/api/v2/virtuals/all', spec)).status).toBe(201);
  const all = new HostedClient(server, 'all');
  const page = await all.read('simple/big-box/', JSON_PAGE);
  expect(page.files.map((file: { hashes: object }) => file.hashes)).toEqual([
    { sha256: sha256(ours) },
    files[1]?.hashes,
  ]);
  const answer = await all.send('GET', `packages/big-box/${WHEEL}`);
  expect(Buffer.from(await answer.arrayBuffer()).equals(ours)).toBe(true);
});
