import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { type Blob, type Image, imageOf, multiArchitectureImageOf, topOf } from '../support/oci-image.ts';
import {
  ACCEPT_MANIFESTS,
  blobPath,
  INDEX_TYPE,
  keepBytes,
  MANIFEST_TYPE,
  manifestPath,
  OciClient,
  pathsOf,
  publishImages,
} from '../support/oci-upstream.ts';
import { Plane } from '../support/plane.ts';

const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;
const NAME = 'team/app';

const one = imageOf('one');
const two = imageOf('two');
const multi = multiArchitectureImageOf('multi');

let upstream: FakeUpstream;
let plane: Plane;
let client: OciClient;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
  client = new OciClient(plane);
  plane
    .remote('images', 'oci', upstream.url, { index_ttl: '5m', stale_if_error: '1d' })
    .virtual('oci', 'oci', ['images']);
  publishImages(upstream, NAME, { v1: one, multi });
});

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

const layerOf = ({ blobs }: Image) => blobs.at(-1) as Blob;

/** Whether a whole body of it arrived. */
function arrivesWhole(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = httpRequest(`${plane.url}/v2/oci/${path}`, (response) => {
      response.on('data', () => {});
      response.on('error', () => resolve(false));
      response.on('end', () => resolve(response.complete && response.statusCode === 200));
    });
    asked.on('error', () => resolve(false));
    asked.end();
  });
}

describe('an image', () => {
  test('is looked up by its tag with HEAD, fetched by its digest, and each byte of it once', async () => {
    const { digest, bytes, type } = topOf(multi);
    const head = await client.pull(`${NAME}/manifests/multi`, {}, 'HEAD');
    expect(head.status).toBe(200);
    expect(Object.fromEntries(head.headers)).toMatchObject({
      'content-type': type,
      'content-length': String(bytes.length),
      'docker-content-digest': digest,
      'docker-distribution-api-version': 'registry/2.0',
    });
    for (const state of ['miss', 'hit']) {
      for (const path of pathsOf(multi, NAME)) {
        const got = await client.get(path);
        expect(got.status).toBe(200);
        expect(got.headers.get('docker-content-digest')).toBe(path.slice(path.lastIndexOf('/') + 1));
        expect(got.bytes).toEqual(
          [...multi.blobs, ...multi.manifests].find((each) => path.endsWith(each.digest))?.bytes,
        );
        if (path !== manifestPath(multi, NAME)) expect([path, got.cache]).toEqual([path, state]);
      }
    }
    expect(upstream.count(`/v2/${NAME}/manifests/multi`, 'HEAD')).toBe(1);
    expect(upstream.count(`/v2/${NAME}/manifests/multi`, 'GET')).toBe(0);
    for (const path of pathsOf(multi, NAME)) expect([path, upstream.count(`/v2/${path}`, 'GET')]).toEqual([path, 1]);
  });

  test('can be had by its tag at once', async () => {
    const { status, bytes, headers, type } = await client.get(`${NAME}/manifests/multi`);
    expect({ status, bytes, type }).toEqual({ status: 200, bytes: topOf(multi).bytes, type: INDEX_TYPE });
    expect(headers.get('docker-content-digest')).toBe(topOf(multi).digest);
  });

  test('can be had by digests of SHA-512', async () => {
    const manifest = topOf(one);
    for (const [kind, bytes, type] of [
      ['manifests', manifest.bytes, manifest.type],
      ['blobs', layerOf(one).bytes, 'application/octet-stream'],
    ] as const) {
      const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
      keepBytes(upstream, `${NAME}/${kind}/${digest}`, { bytes, digest, type });
      for (let times = 0; times < 2; times++) {
        const got = await client.get(`${NAME}/${kind}/${digest}`);
        expect({ status: got.status, bytes: got.bytes, type: got.type }).toEqual({ status: 200, bytes, type });
        expect(got.headers.get('docker-content-digest')).toBe(digest);
      }
      const wrong = `sha512:${'0'.repeat(128)}`;
      keepBytes(upstream, `${NAME}/${kind}/${wrong}`, { bytes, digest: wrong, type });
      expect(await arrivesWhole(`${NAME}/${kind}/${wrong}`)).toBe(false);
    }
  });

  test('is the same whatever the client accepts', async () => {
    for (const accept of ['*/*', MANIFEST_TYPE, 'application/vnd.docker.distribution.manifest.v1+json', 'text/html']) {
      const response = await client.pull(`${NAME}/manifests/multi`, { accept });
      expect({ accept, type: response.headers.get('content-type') }).toEqual({ accept, type: INDEX_TYPE });
      expect(Buffer.from(await response.arrayBuffer())).toEqual(topOf(multi).bytes);
    }
    const asked = upstream.requests.filter(({ path }) => path.includes('/manifests/'));
    expect(new Set(asked.map(({ headers }) => headers['accept']))).toEqual(new Set([ACCEPT_MANIFESTS]));
  });

  test('has the same headers for HEAD as for GET, whichever comes first', async () => {
    const told = (response: Response) =>
      Object.fromEntries(
        [...response.headers].filter(([name]) => !/^(date|connection|keep-alive|x-cache|x-request-id)$/.test(name)),
      );
    for (const path of [
      `${NAME}/manifests/v1`,
      manifestPath(one, NAME),
      blobPath(layerOf(one), NAME),
      `${NAME}/tags/list`,
    ]) {
      await (await client.pull(path)).arrayBuffer();
      const head = await client.pull(path, {}, 'HEAD');
      const whole = await client.pull(path);
      await whole.arrayBuffer();
      expect({ path, ...told(head) }).toEqual({ path, ...told(whole) });
    }
  });

  test('is found by its tag where the upstream says no digest of it, or takes no HEAD', async () => {
    const { bytes, type, digest } = topOf(one);
    const path = `/v2/${NAME}/manifests/v1`;
    upstream.respond(path, { body: bytes, headers: { 'content-type': type } });
    expect((await client.get(`${NAME}/manifests/v1`)).headers.get('docker-content-digest')).toBe(digest);
    upstream.respond(path, { status: 405 }, 'HEAD');
    plane.ahead = HOUR;
    expect((await client.get(`${NAME}/manifests/v1`)).bytes).toEqual(bytes);
  });

  test('that was pulled needs no upstream: by digest for ever, by tag for a while', async () => {
    const paths = [`${NAME}/manifests/v1`, ...pathsOf(one, NAME)];
    for (const path of paths) await client.get(path);
    await upstream.down();
    plane.ahead = 12 * HOUR;
    for (const path of paths) expect([path, (await client.get(path)).status]).toEqual([path, 200]);
    plane.ahead = YEAR;
    for (const path of pathsOf(one, NAME)) expect(await client.get(path)).toMatchObject({ status: 200, cache: 'hit' });
    expect(await client.json(`${NAME}/manifests/v1`)).toMatchObject({ status: 502, errors: [{ code: 'UNAVAILABLE' }] });
  });

  test('whose tag moves is the new one as soon as the old is not fresh, and the old one by its digest', async () => {
    expect((await client.get(`${NAME}/manifests/v1`)).bytes).toEqual(topOf(one).bytes);
    publishImages(upstream, NAME, { v1: two });
    expect((await client.get(`${NAME}/manifests/v1`)).bytes).toEqual(topOf(one).bytes);
    plane.ahead = HOUR;
    await expect.poll(async () => (await client.get(`${NAME}/manifests/v1`)).bytes).toEqual(topOf(two).bytes);
    expect((await client.get(manifestPath(one, NAME))).bytes).toEqual(topOf(one).bytes);
  });

  test('may be kept by clients for ever by its digest, and not by its tag', async () => {
    await client.get(manifestPath(one, NAME));
    for (let times = 0; times < 3; times++) {
      expect((await client.get(manifestPath(one, NAME))).headers.get('cache-control')).toContain('immutable');
      expect((await client.get(`${NAME}/manifests/v1`)).headers.get('cache-control')).toBe('private, no-cache');
    }
  });

  test('is on record with its digest as its version, under its whole name', async () => {
    await client.get(`${NAME}/manifests/v1`);
    await client.get(blobPath(layerOf(one), NAME));
    expect(plane.pulls).toMatchObject([
      { path: manifestPath(one, NAME), role: 'package', package: 'pkg:oci/team%2Fapp', version: topOf(one).digest },
      {
        path: blobPath(layerOf(one), NAME),
        role: 'metadata',
        package: 'pkg:oci/team%2Fapp',
        digest: layerOf(one).digest,
      },
    ]);
  });
});

describe('a blob', () => {
  test('of two images is transferred once, after the second upstream was asked whether it has it', async () => {
    publishImages(upstream, 'team/other', { v1: one });
    for (const name of [NAME, 'team/other']) {
      for (const blob of one.blobs) expect((await client.get(blobPath(blob, name))).bytes).toEqual(blob.bytes);
    }
    for (const blob of one.blobs) {
      expect(upstream.count(`/v2/${blobPath(blob, NAME)}`, 'GET')).toBe(1);
      expect(upstream.count(`/v2/${blobPath(blob, 'team/other')}`, 'GET')).toBe(0);
      expect(upstream.count(`/v2/${blobPath(blob, 'team/other')}`, 'HEAD')).toBe(1);
    }
  });

  test('that we have is not given away by the name of an image that does not have it', async () => {
    await client.get(blobPath(layerOf(one), NAME));
    upstream.respond(`/v2/${blobPath(layerOf(one), 'team/other')}`, { status: 404, body: '' });
    expect(await client.json(blobPath(layerOf(one), 'team/other'))).toMatchObject({
      status: 404,
      errors: [{ code: 'BLOB_UNKNOWN' }],
    });
  });

  test('can be resumed', async () => {
    const { bytes, digest } = layerOf(one);
    await client.get(blobPath(layerOf(one), NAME));
    const rest = await client.pull(blobPath(layerOf(one), NAME), { range: 'bytes=1000-' });
    expect(rest.status).toBe(206);
    expect(rest.headers.get('content-range')).toBe(`bytes 1000-${bytes.length - 1}/${bytes.length}`);
    expect(rest.headers.get('docker-content-digest')).toBe(digest);
    expect(Buffer.from(await rest.arrayBuffer())).toEqual(bytes.subarray(1000));
    const beyond = await client.pull(blobPath(layerOf(one), NAME), { range: `bytes=${bytes.length}-` });
    expect(beyond.status).toBe(416);
  });

  test('can be resumed before we have it', async () => {
    const { bytes } = layerOf(one);
    const rest = await client.pull(blobPath(layerOf(one), NAME), { range: 'bytes=1000-1999' });
    expect(rest.status).toBe(206);
    expect(Buffer.from(await rest.arrayBuffer())).toEqual(bytes.subarray(1000, 2000));
  });
});

describe('bytes that are not those of the digest', () => {
  test('never arrive whole and are never kept, however many there are', async () => {
    for (const { blob, bytes } of one.blobs.flatMap((each) => [
      { blob: each, bytes: flipped(each.bytes) },
      { blob: each, bytes: each.bytes.subarray(0, -1) },
    ])) {
      keepBytes(upstream, blobPath(blob, NAME), { ...blob, bytes });
      expect(await arrivesWhole(blobPath(blob, NAME))).toBe(false);
      expect(await plane.ledger.object('images', blobPath(blob, NAME))).toBeUndefined();
      keepBytes(upstream, blobPath(blob, NAME), blob);
    }
    for (const blob of one.blobs) expect((await client.get(blobPath(blob, NAME))).bytes).toEqual(blob.bytes);
  });

  test('of a manifest are said to be wrong', async () => {
    const manifest = topOf(one);
    keepBytes(upstream, manifestPath(one, NAME), { ...manifest, bytes: Buffer.from(`${manifest.bytes} `) });
    expect(await client.json(manifestPath(one, NAME))).toMatchObject({
      status: 502,
      errors: [{ code: 'DIGEST_INVALID' }],
    });
    expect(await plane.ledger.object('images', manifestPath(one, NAME))).toBeUndefined();
    keepBytes(upstream, manifestPath(one, NAME), manifest);
    expect((await client.get(manifestPath(one, NAME))).bytes).toEqual(manifest.bytes);
  });

  test.each([
    ['breaks off', { kind: 'truncated' }],
    ['says a longer length', { kind: 'wrong_length', by: 100 }],
    ['is dropped', { kind: 'drop' }],
    ['is a login page', { kind: 'login_page' }],
  ] as const)('because the answer %s are not kept', async (_what, quirk) => {
    for (const path of [manifestPath(one, NAME), blobPath(layerOf(one), NAME)]) {
      upstream.quirk(`/v2/${path}`, quirk);
      expect(await arrivesWhole(path)).toBe(false);
      upstream.calm();
      expect((await client.get(path)).status).toBe(200);
    }
  });
});

describe('what is not there', () => {
  const absent = { status: 404, body: '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no"}]}' };

  test.each([
    [`${NAME}/manifests/none`, 'MANIFEST_UNKNOWN'],
    [`${NAME}/manifests/sha256:${'0'.repeat(64)}`, 'MANIFEST_UNKNOWN'],
    [`${NAME}/blobs/sha256:${'0'.repeat(64)}`, 'BLOB_UNKNOWN'],
  ])('%s is 404, in words that clients know', async (path, code) => {
    upstream.respond(`/v2/${path}`, absent);
    expect(await client.json(path)).toMatchObject({ status: 404, errors: [{ code }] });
    expect((await client.pull(path, {}, 'HEAD')).status).toBe(404);
  });

  test('as an image has no tags', async () => {
    upstream.respond('/v2/team/none/tags/list?n=1000', absent);
    expect(await client.json('team/none/tags/list')).toMatchObject({ status: 404, errors: [{ code: 'NAME_UNKNOWN' }] });
  });

  test.each([500, 503, 401, 403, 429])('is not what an upstream that answers %i cannot say', async (status) => {
    upstream.quirk('*', { kind: 'status', status });
    for (const path of [
      `${NAME}/manifests/v1`,
      manifestPath(one, NAME),
      blobPath(layerOf(one), NAME),
      `${NAME}/tags/list`,
    ])
      expect([path, (await client.get(path)).status]).toEqual([path, 502]);
  });

  test.each([
    ['Team/App/manifests/v1', 'NAME_INVALID'],
    [`${NAME}/blobs/sha256:abc`, 'DIGEST_INVALID'],
    [`${NAME}/manifests/-v1`, 'TAG_INVALID'],
    [`${NAME}/tags/list?n=x`, 'PAGINATION_NUMBER_INVALID'],
  ])('%s is 400', async (path, code) => {
    expect(await client.json(path)).toMatchObject({ status: 400, errors: [{ code }] });
    expect(upstream.requests).toEqual([]);
  });
});

const flipped = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, -1), Buffer.from([(bytes.at(-1) ?? 0) ^ 1])]);
