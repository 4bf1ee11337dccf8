import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LedgerError } from '../../src/ledger/ledger.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { HostedClient, npmDocument } from '../support/hosted-client.ts';
import { publish as publishUpstream, sri } from '../support/npm-package.ts';
import { TestServer } from '../support/test-server.ts';

const ABBREVIATED = { accept: 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*' };

let server: TestServer;
let upstream: FakeUpstream;
let own: HostedClient;
let team: HostedClient;
let isBroken = false;

beforeEach(async () => {
  isBroken = false;
  upstream = await FakeUpstream.start();
  server = await TestServer.start({
    ledger: (ledger) => ({
      ...ledger,
      publish: (change) => (isBroken ? Promise.reject(new LedgerError('it is locked')) : ledger.publish(change)),
    }),
  });
  await server.put('/api/v2/hosted/own', { format: 'npm' });
  await server.remote('public', 'npm', upstream.url);
  await server.virtual('team', 'npm', ['own', 'public']);
  own = new HostedClient(server, 'own');
  team = new HostedClient(server, 'team');
});
afterEach(async () => {
  await server.stop();
  await upstream.stop();
});

async function errorOf(answer: Response): Promise<string> {
  return ((await answer.json()) as { readonly error: string }).error;
}

async function bytesOf(answer: Response): Promise<Buffer> {
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

describe('a release that is published', () => {
  test('comes back as it was sent, from our address, with our time', async () => {
    const tarball = randomBytes(700_000);
    const before = Date.now();
    const answer = await own.publish({
      name: '@acme/box',
      version: '1.0.0',
      tarball,
      manifest: { bin: 'x.js', readme: '# Box' },
    });
    expect([answer.status, await answer.json()]).toEqual([201, { ok: true, success: true }]);
    const full = await own.read('@acme%2fbox');
    const url = `${server.url}/own/@acme/box/-/box-1.0.0.tgz`;
    expect(full).toMatchObject({
      name: '@acme/box',
      'dist-tags': { latest: '1.0.0' },
      versions: { '1.0.0': { bin: 'x.js', dist: { tarball: url, integrity: sri(tarball) } } },
      readme: '# Box',
    });
    expect(Date.parse(full.time['1.0.0'])).toBeGreaterThanOrEqual(before);
    expect(Date.parse(full.time['1.0.0'])).toBeLessThanOrEqual(Date.now());
    const short = await own.read('@acme%2fbox', ABBREVIATED);
    expect(short).toMatchObject({ modified: full.time.modified, versions: { '1.0.0': { bin: 'x.js' } } });
    expect(short).not.toHaveProperty('time');
    for (const path of ['@acme/box/-/box-1.0.0.tgz', '@acme%2fbox/-/box-1.0.0.tgz'])
      expect((await bytesOf(await own.send('GET', path))).equals(tarball)).toBe(true);
    const part = await own.send('GET', '@acme/box/-/box-1.0.0.tgz', undefined, { range: 'bytes=10-19' });
    expect([part.status, Buffer.from(await part.arrayBuffer())]).toEqual([206, tarball.subarray(10, 20)]);
    const { body } = await server.get('/api/v2/hosted/own/objects?purl=pkg:npm/%2540acme/box@1.0.0');
    expect(body.items).toMatchObject([{ purl: 'pkg:npm/%40acme/box@1.0.0', size: 700_000 }]);
  });

  test('is in the next answer, also of a virtual that answered for another member a moment ago', async () => {
    publishUpstream(upstream, 'box', [{ version: '9.0.0', tarball: Buffer.from('public') }]);
    for (let again = 0; again < 3; again += 1)
      expect(Object.keys((await team.read('box')).versions)).toEqual(['9.0.0']);
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
      await own.publish({ name: 'box', version, tarball: Buffer.from(version) });
      for (let again = 0; again < 3; again += 1) expect((await team.read('box'))['dist-tags'].latest).toBe(version);
    }
    expect(Object.keys((await team.read('box')).versions)).toEqual(['1.0.0', '1.1.0', '1.2.0']);
    expect((await team.send('GET', 'box/-/box-9.0.0.tgz')).status).toBe(404);
  });

  test('has one tag for each state of its index', async () => {
    await own.publish({ name: 'box', version: '1.0.0', tarball: Buffer.from('1') });
    const first = await own.send('GET', 'box');
    const etag = first.headers.get('etag') ?? '';
    expect((await own.send('GET', 'box', undefined, { 'if-none-match': etag })).status).toBe(304);
    await own.publish({ name: 'box', version: '1.1.0', tarball: Buffer.from('2') });
    expect((await own.send('GET', 'box', undefined, { 'if-none-match': etag })).status).toBe(200);
  });

  test('is published once: the same again is no news, other bytes are refused', async () => {
    const release = { name: 'box', version: '1.0.0', tarball: Buffer.from('first') };
    expect((await own.publish(release)).status).toBe(201);
    const before = await own.read('box');
    expect((await own.publish({ ...release, manifest: { scripts: { postinstall: 'evil' } } })).status).toBe(201);
    expect(await own.read('box')).toEqual(before);
    const other = await own.publish({
      ...release,
      tarball: Buffer.from('second'),
      tags: { latest: '1.0.0', next: '1.0.0' },
    });
    expect([other.status, await other.json()]).toEqual([409, { error: expect.stringContaining('with other bytes') }]);
    expect(await own.read('box')).toEqual(before);
    expect((await bytesOf(await own.send('GET', 'box/-/box-1.0.0.tgz'))).toString()).toBe('first');
  });

  test('of ten at once that are the same version, one is published', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        own.publish({ name: 'box', version: '1.0.0', tarball: Buffer.from(`${n}`) }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)]);
  });

  test('of ten at once that are ten versions, all are published', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        own.publish({ name: 'box', version: `1.0.${n}`, tarball: Buffer.from(`${n}`) }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(Object.keys((await own.read('box')).versions)).toHaveLength(10);
  });
});

describe('what is wrong is refused, and changes nothing', () => {
  const release = { name: 'box', version: '1.0.0', tarball: Buffer.from('bytes') };

  test.each([
    ['an integrity of other bytes', { dist: { integrity: sri(Buffer.from('other')) } }, 'integrity'],
    ['a shasum of other bytes', { dist: { shasum: 'a'.repeat(40) } }, 'shasum'],
    ['a manifest of another name', { name: 'other' }, 'The manifest is not of box 1.0.0'],
    ['a manifest of another version', { version: '2.0.0' }, 'The manifest is not of box 1.0.0'],
  ])('%s', async (_, manifest, message) => {
    const answer = await own.publish({ ...release, manifest });
    expect([answer.status, await answer.json()]).toEqual([400, { error: expect.stringContaining(message) }]);
    expect((await own.send('GET', 'box')).status).toBe(404);
  });

  test.each([
    ['another package than the address', (sent: Sent) => ({ ...sent, name: 'other', _id: 'other' }), 'not of box'],
    ['no version', (sent: Sent) => ({ ...sent, versions: {} }), 'does not say of which version'],
    ['a tag that is a version', (sent: Sent) => ({ ...sent, 'dist-tags': { '2.0.0': '1.0.0' } }), 'cannot be a tag'],
    ['two tarballs', twice, 'one tarball'],
    ['something else beside it', beside, 'neither a tarball nor a Sigstore bundle'],
    ['base64 that is none', broken('data', '!!!!'), 'not base64'],
    ['base64 that breaks off', broken('data', 'YWI'), 'not whole base64'],
    ['a list', () => [], 'not a package'],
  ])('a document with %s', async (_, change: (sent: Sent) => unknown, message) => {
    const answer = await own.json('PUT', 'box', change(npmDocument(release)));
    expect([answer.status, await answer.json()]).toEqual([400, { error: expect.stringContaining(message) }]);
    expect((await own.send('GET', 'box')).status).toBe(404);
  });

  test.each(['', '{', '{"_attachments":{"x.tgz":{"data":"YWJj', 'null', '<html>'])('a body of %j', async (body) => {
    expect((await own.send('PUT', 'box', body, { 'content-type': 'application/json' })).status).toBe(400);
    expect((await own.send('GET', 'box')).status).toBe(404);
  });

  test.each(['Box', '.box', '_box', 'node_modules', 'http', 'a'.repeat(215)])('the new name %s', async (name) => {
    expect((await own.publish({ ...release, name })).status).toBe(400);
  });

  test.each(['1.0', 'v1.0.0', '1.0.0-', '../1.0.0', 'latest'])('the version %s', async (version) => {
    expect((await own.publish({ ...release, version })).status).toBe(400);
  });

  test('a token that is none', async () => {
    const stranger = new HostedClient({ url: server.url, token: 'entrepot_wrong' }, 'own');
    expect((await stranger.publish(release)).status).toBe(401);
    const answer = await fetch(`${server.url}/own/box`, { method: 'PUT', body: JSON.stringify(npmDocument(release)) });
    expect(answer.status).toBe(401);
  });

  test('a virtual and a remote', async () => {
    const remote = new HostedClient(server, 'public');
    for (const [client, kind] of [
      [team, 'virtual'],
      [remote, 'remote'],
    ] as const) {
      const answer = await client.publish(release);
      expect([answer.status, await answer.json()]).toEqual([
        405,
        { error: expect.stringContaining(`a ${kind} repository`) },
      ]);
      expect((await client.send('DELETE', 'box/-rev/1-x')).status).toBe(405);
    }
  });

  test('a file over the limit', async () => {
    await server.put('/api/v2/hosted/own', { format: 'npm', max_artifact_size: '1000' });
    expect((await own.publish({ ...release, tarball: Buffer.alloc(1001) })).status).toBe(413);
    expect((await own.publish({ ...release, tarball: Buffer.alloc(1000) })).status).toBe(201);
  });

  test('while the ledger fails', async () => {
    await own.publish({ ...release, version: '0.9.0' });
    const before = await own.read('box');
    isBroken = true;
    expect((await own.publish(release)).status).toBe(503);
    expect(await own.read('box')).toEqual(before);
    isBroken = false;
    expect((await own.publish(release)).status).toBe(201);
  });
});

describe('a package is changed', () => {
  beforeEach(async () => {
    for (const version of ['1.0.0', '1.1.0'])
      await own.publish({ name: 'box', version, tarball: Buffer.from(version) });
  });

  test('by who read it as it is', async () => {
    const read = await own.read('box?write=true');
    await own.publish({ name: 'box', version: '1.2.0', tarball: Buffer.from('x') });
    read.versions['1.0.0'].deprecated = 'old';
    const late = await own.json('PUT', 'box', read);
    expect([late.status, await errorOf(late)]).toEqual([409, expect.stringContaining('changed meanwhile')]);
    const again = await own.read('box');
    again.versions['1.0.0'].deprecated = 'old';
    again.versions['1.0.0'].scripts = { postinstall: 'evil' };
    expect((await own.json('PUT', 'box', again)).status).toBe(200);
    const after = await own.read('box');
    expect(after.versions['1.0.0']).toMatchObject({ deprecated: 'old' });
    expect(after.versions['1.0.0']).not.toHaveProperty('scripts');
    expect(Object.keys(after.versions)).toEqual(['1.0.0', '1.1.0', '1.2.0']);
  });

  test('a version is not removed by an edit that lacks it', async () => {
    const read = await own.read('box');
    delete read.versions['1.0.0'];
    expect((await own.json('PUT', 'box', read)).status).toBe(200);
    expect(Object.keys((await own.read('box')).versions)).toEqual(['1.0.0', '1.1.0']);
  });

  test('tags move between its versions only, and latest stays', async () => {
    expect((await own.json('PUT', '-/package/box/dist-tags/next', '7.0.0')).status).toBe(404);
    expect((await own.json('PUT', '-/package/none/dist-tags/next', '1.0.0')).status).toBe(404);
    expect((await own.json('PUT', '-/package/box/dist-tags/1.x', '1.0.0')).status).toBe(400);
    expect((await own.send('DELETE', '-/package/box/dist-tags/latest')).status).toBe(409);
    expect((await own.json('PUT', '-/package/box/dist-tags/__proto__', '1.0.0')).status).toBeLessThan(500);
    expect((await own.json('PUT', '-/package/box/dist-tags/latest', '1.0.0')).status).toBe(201);
    expect((await own.read('box', ABBREVIATED))['dist-tags'].latest).toBe('1.0.0');
  });

  test('what is unpublished is gone, goes on owning its name, and never means other bytes', async () => {
    publishUpstream(upstream, 'box', [{ version: '9.0.0', tarball: Buffer.from('public') }]);
    await own.send('GET', 'box/-/box-1.1.0.tgz');
    await own.send('GET', 'box/-/box-1.1.0.tgz');
    const { _rev } = await own.read('box');
    expect((await own.send('DELETE', 'box/-/box-1.1.0.tgz/-rev/0-stale')).status).toBe(409);
    expect((await own.send('DELETE', `box/-/box-1.1.0.tgz/-rev/${_rev}`)).status).toBe(200);
    expect((await own.send('GET', 'box/-/box-1.1.0.tgz')).status).toBe(404);
    expect((await own.read('box'))['dist-tags']).toEqual({ latest: '1.0.0' });
    const other = await own.publish({ name: 'box', version: '1.1.0', tarball: Buffer.from('other') });
    expect([other.status, await errorOf(other)]).toEqual([409, expect.stringContaining('removed since')]);

    const whole = await own.read('box');
    expect((await own.send('DELETE', `box/-rev/${whole._rev}`)).status).toBe(200);
    for (const client of [own, team]) {
      const left = await client.read('box');
      expect([left.versions, Object.keys(left.time)]).toEqual([{}, expect.arrayContaining(['unpublished'])]);
      expect((await client.send('GET', 'box/-/box-9.0.0.tgz')).status).toBe(404);
    }
    expect((await own.publish({ name: 'box', version: '1.1.0', tarball: Buffer.from('1.1.0') })).status).toBe(201);
    expect((await team.read('box'))['dist-tags']).toEqual({ latest: '1.1.0' });
  });

  test('what is evicted leaves the index at once, and its name is free', async () => {
    await team.read('box');
    await server.delete('/api/v2/hosted/own/objects?path=box/-/box-1.1.0.tgz');
    expect(Object.keys((await team.read('box')).versions)).toEqual(['1.0.0']);
    expect((await own.publish({ name: 'box', version: '1.1.0', tarball: Buffer.from('other') })).status).toBe(201);
  });

  test('a new repository of its name begins empty', async () => {
    await server.delete('/api/v2/virtuals/team');
    await server.delete('/api/v2/hosted/own');
    await server.put('/api/v2/hosted/own', { format: 'npm' });
    await expect.poll(async () => (await own.send('GET', 'box')).status).toBe(404);
  });
});

test('in a virtual that merges, index and file of a version are the same member’s', async () => {
  publishUpstream(upstream, 'box', [
    { version: '1.0.0', tarball: Buffer.from('public') },
    { version: '2.0.0', tarball: Buffer.from('public two') },
  ]);
  await own.publish({ name: 'box', version: '1.0.0', tarball: Buffer.from('ours') });
  const spec = { name: 'all', format: 'npm', members: ['own', 'public'], merge: 'union' };
  expect((await server.put('/api/v2/virtuals/all', spec)).status).toBe(201);
  const all = new HostedClient(server, 'all');
  const { versions } = await all.read('box');
  expect(Object.keys(versions)).toEqual(['1.0.0', '2.0.0']);
  expect(versions['1.0.0'].dist.integrity).toBe(sri(Buffer.from('ours')));
  expect((await bytesOf(await all.send('GET', 'box/-/box-1.0.0.tgz'))).toString()).toBe('ours');
  expect((await bytesOf(await all.send('GET', 'box/-/box-2.0.0.tgz'))).toString()).toBe('public two');
});

test('a Sigstore bundle that is about the tarball is served as its attestations', async () => {
  const tarball = Buffer.from('attested');
  const document = npmDocument({ name: 'box', version: '1.0.0', tarball });
  const statement = (sha512: string) => ({
    predicateType: 'https://slsa.dev/provenance/v1',
    subject: [{ digest: { sha512 } }],
  });
  const attach = (sha512: string) => {
    const payload = Buffer.from(JSON.stringify(statement(sha512))).toString('base64');
    const data = JSON.stringify({ mediaType: 'x', dsseEnvelope: { payload } });
    const attached = { ...(document['_attachments'] as object), 'box-1.0.0.sigstore': { data } };
    return own.json('PUT', 'box', { ...document, _attachments: attached });
  };
  expect((await attach('0'.repeat(128))).status).toBe(400);
  expect((await attach(createHash('sha512').update(tarball).digest('hex'))).status).toBe(201);
  const { dist } = (await team.read('box')).versions['1.0.0'];
  expect(dist.attestations.url).toBe(`${server.url}/team/-/npm/v1/attestations/box@1.0.0`);
  const { attestations } = await team.read('-/npm/v1/attestations/box@1.0.0');
  expect(attestations).toMatchObject([{ predicateType: 'https://slsa.dev/provenance/v1' }]);
});

type Sent = Record<string, unknown>;

function twice(sent: Sent): unknown {
  const attached = sent['_attachments'] as Record<string, unknown>;
  return { ...sent, _attachments: { ...attached, 'other.tgz': Object.values(attached)[0] } };
}

function beside(sent: Sent): unknown {
  return { ...sent, _attachments: { ...(sent['_attachments'] as object), 'notes.txt': { data: 'x' } } };
}

function broken(key: string, value: string): (sent: Sent) => unknown {
  return (sent) => ({ ...sent, _attachments: { 'box-1.0.0.tgz': { [key]: value } } });
}

test('a publication that is cut off in the middle leaves nothing', async () => {
  const body = Buffer.from(
    JSON.stringify(npmDocument({ name: 'box', version: '1.0.0', tarball: randomBytes(900_000) })),
  );
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  const head = ['PUT /own/box HTTP/1.1', 'Host: x', `Authorization: Bearer ${server.token}`];
  socket.write([...head, `Content-Length: ${body.length}`, '', ''].join('\r\n'));
  socket.write(body.subarray(0, 600_000));
  const waiting = async () => (await readdir(join(server.data, 'tmp'))).length;
  await expect.poll(waiting).toBe(1);
  socket.destroy();
  await expect.poll(waiting).toBe(0);
  expect((await own.send('GET', 'box')).status).toBe(404);
  expect((await server.get('/api/v2/hosted/own/objects')).body.items).toEqual([]);
  expect(await readdir(join(server.data, 'blobs'), { recursive: true }).catch(() => [])).not.toContainEqual(
    expect.stringMatching(/[0-9a-f]{64}$/),
  );
});
