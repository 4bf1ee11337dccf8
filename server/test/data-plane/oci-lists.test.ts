import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { type Blob, digestsOf, type Image, imageOf, type Manifest, topOf } from '../support/oci-image.ts';
import {
  blobPath,
  INDEX_TYPE,
  MANIFEST_TYPE,
  manifestPath,
  OciClient,
  pathsOf,
  publishImages,
} from '../support/oci-upstream.ts';
import { Plane } from '../support/plane.ts';

const YEAR = 365 * 24 * 3_600_000;
const NAME = 'team/app';

const one = imageOf('one');
const two = imageOf('two');

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
  publishImages(upstream, NAME, { v1: one });
});

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

const layerOf = ({ blobs }: Image) => blobs.at(-1) as Blob;

function without(name: string, tag: string, registry: FakeUpstream): void {
  for (const path of [`manifests/${tag}`, 'tags/list?n=1', 'tags/list?n=1000'])
    registry.respond(`/v2/${name}/${path}`, { status: 404, body: '{"errors":[]}' });
}

const made = (document: object, type: string): Manifest => {
  const bytes = Buffer.from(JSON.stringify(document));
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, type };
};

describe('tags', () => {
  const many = Array.from({ length: 10_000 }, (_, at) => `v${String(at).padStart(5, '0')}`);

  /** Lists as registries page them: links with another path than ours, the last page without. */
  const page = (size: number) => {
    for (let from = 0; from < many.length; from += size) {
      const last = many[from - 1];
      const tags = many.slice(from, from + size);
      const next = from + size < many.length && `</v2/${NAME}/tags/list?n=${size}&last=${tags.at(-1)}>; rel="next"`;
      upstream.respond(`/v2/${NAME}/tags/list?n=${size}${last === undefined ? '' : `&last=${last}`}`, {
        body: JSON.stringify({ name: NAME, tags }),
        headers: { 'content-type': 'application/json', ...(next && { link: next }) },
      });
    }
  };

  test('are all there, ten thousand of them, from ten pages', async () => {
    page(1000);
    const { tags, name, link } = await client.json(`${NAME}/tags/list`);
    expect(tags).toEqual(many);
    expect({ name, link }).toEqual({ name: `oci/${NAME}`, link: null });
    expect(upstream.requests).toHaveLength(10);
  });

  test('come in pages of ours, as large as the client wants', async () => {
    page(1000);
    const seen: string[] = [];
    let next: string | undefined = `/v2/oci/${NAME}/tags/list?n=1500`;
    while (next !== undefined) {
      const response = await plane.get(next);
      seen.push(...((await response.json()) as { tags: string[] }).tags);
      next = /^<([^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1];
    }
    expect(seen).toEqual(many);
    expect(upstream.requests).toHaveLength(10);
    expect(await client.json(`${NAME}/tags/list?n=0`)).toMatchObject({ tags: [], link: null });
    expect(await client.json(`${NAME}/tags/list?n=2&last=v09997`)).toMatchObject({ tags: many.slice(-2), link: null });
  });

  test('of a page on another host are not fetched', async () => {
    const link = '<http://evil.test/v2/x/tags/list?n=1>; rel="next"';
    const body = JSON.stringify({ name: NAME, tags: ['a'] });
    upstream.respond(`/v2/${NAME}/tags/list?n=1000`, { body, headers: { 'content-type': 'application/json', link } });
    const { status, errors } = await client.json(`${NAME}/tags/list`);
    expect(status).toBe(502);
    expect(errors[0].message).toContain('another host');
  });

  test('that are banned are in no list, and are refused; what they name is not', async () => {
    publishImages(upstream, NAME, { v1: one, latest: one, nightly: two });
    plane.remote('images', 'oci', upstream.url, { ban_tags: ['^latest$', 'night'] });
    expect(await client.json(`${NAME}/tags/list`)).toMatchObject({ tags: ['v1'] });
    for (const tag of ['latest', 'nightly']) {
      const { status, errors } = await client.json(`${NAME}/manifests/${tag}`);
      expect({ status, code: errors[0].code }).toEqual({ status: 403, code: 'DENIED' });
      expect(errors[0].message).toContain(`${tag} of ${NAME} is banned by "images"`);
      expect((await client.pull(`${NAME}/manifests/${tag}`, {}, 'HEAD')).status).toBe(403);
    }
    for (const path of [`${NAME}/manifests/v1`, manifestPath(one, NAME), manifestPath(two, NAME)])
      expect([path, (await client.get(path)).status]).toEqual([path, 200]);
    expect((await client.json(`${NAME}/manifests/latest`)).status).toBe(403);
  });
});

test('a catalog names images as they must be asked for, without those that are refused', async () => {
  const body = JSON.stringify({ repositories: ['tool', 'team/app', 'team/secret'] });
  upstream.respond('/v2/_catalog?n=1000', { body, headers: { 'content-type': 'application/json' } });
  plane.remote('images', 'oci', upstream.url, { blocklist: ['^team/secret$'] });
  expect(await client.json('_catalog')).toMatchObject({ repositories: ['oci/team/app', 'oci/tool'] });
  expect(await client.json('_catalog?n=1')).toMatchObject({
    repositories: ['oci/team/app'],
    link: '</v2/oci/_catalog?n=1&last=oci%2Fteam%2Fapp>; rel="next"',
  });
});

describe('referrers', () => {
  const { digest } = topOf(one);
  const path = `${NAME}/referrers/${digest}`;
  const entry = (type: string, at: number) => ({
    mediaType: MANIFEST_TYPE,
    digest: `sha256:${String(at).repeat(64)}`,
    size: 1,
    artifactType: type,
  });
  const listed = [entry('application/vnd.a', 1), entry('application/vnd.b', 2)];
  const answer = (manifests: readonly object[]) => ({
    body: JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }),
    headers: { 'content-type': INDEX_TYPE },
  });
  const fallback = `/v2/${NAME}/manifests/${digest.replace(':', '-')}`;

  test('are what the upstream has, all or of one type', async () => {
    upstream.respond(`/v2/${path}`, answer(listed));
    const all = await client.pull(path);
    expect(all.headers.get('content-type')).toBe(INDEX_TYPE);
    expect(all.headers.get('oci-filters-applied')).toBeNull();
    expect(await all.json()).toMatchObject({ manifests: listed });
    const some = await client.pull(`${path}?artifactType=application/vnd.b`);
    expect(some.headers.get('oci-filters-applied')).toBe('artifactType');
    expect(await some.json()).toMatchObject({ manifests: listed.slice(1) });
  });

  test('come from the tag schema where there is no such API, and are none where there is no tag either', async () => {
    upstream.respond(`/v2/${path}`, { status: 404, body: '404 page not found\n' });
    upstream.respond(fallback, answer(listed.slice(0, 1)));
    expect(await client.json(path)).toMatchObject({ status: 200, manifests: listed.slice(0, 1) });
    upstream.respond(fallback, { status: 404, body: '' });
    plane.ahead = YEAR;
    expect(await client.json(path)).toMatchObject({ status: 200, mediaType: INDEX_TYPE, manifests: [] });
  });

  test('of several pages are all there', async () => {
    const link = `<http://${new URL(upstream.url).host}/v2/${path}?page=2>; rel="next"`;
    upstream.respond(`/v2/${path}`, { ...answer(listed.slice(0, 1)), headers: { 'content-type': INDEX_TYPE, link } });
    upstream.respond(`/v2/${path}?page=2`, answer(listed.slice(1)));
    expect(await client.json(path)).toMatchObject({ manifests: listed });
  });

  test('are not none because the upstream is out of order', async () => {
    upstream.quirk('*', { kind: 'status', status: 500 });
    expect((await client.get(path)).status).toBe(502);
  });
});

describe('what is withheld', () => {
  const referrers = `${NAME}/referrers/${topOf(one).digest}`;

  test('as an image is refused by every way to it, with the reason', async () => {
    const manifest = { mediaType: MANIFEST_TYPE, digest: topOf(two).digest, size: 1 };
    const body = JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [manifest] });
    upstream.respond(`/v2/${referrers}`, { body, headers: { 'content-type': INDEX_TYPE } });
    plane.remote('images', 'oci', upstream.url, { blocklist: [`^${NAME}$`] });
    for (const path of [`${NAME}/manifests/v1`, ...pathsOf(one, NAME), `${NAME}/tags/list`, referrers]) {
      for (const repository of ['oci', 'images']) {
        const { status, errors } = await client.json(path, repository);
        expect({ path, status, code: errors?.[0]?.code }).toEqual({ path, status: 403, code: 'DENIED' });
        expect(errors[0].message).toContain(`${NAME} is on the blocklist of "images"`);
        const head = await client.pull(path, {}, 'HEAD', repository);
        expect({ path, head: head.status }).toEqual({ path, head: 403 });
      }
    }
    expect(upstream.requests.filter(({ path, method }) => path.includes('/blobs/') && method === 'GET')).toEqual([]);
    expect(plane.pulls.every(({ decision, rule }) => decision === 'refused' && rule === 'images.blocklist')).toBe(true);
  });

  test('as an image with a layer that is kept elsewhere says where', async () => {
    const [config, layer] = one.blobs.map((blob) => ({
      mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
      digest: blob.digest,
      size: blob.bytes.length,
    }));
    const foreign = made(
      {
        schemaVersion: 2,
        mediaType: MANIFEST_TYPE,
        config,
        layers: [{ ...layer, urls: ['https://layers.test/a.tar.gz'] }],
      },
      MANIFEST_TYPE,
    );
    publishImages(upstream, 'team/windows', { v1: { blobs: one.blobs, manifests: [foreign] } });
    for (const reference of ['v1', foreign.digest]) {
      const { status, errors } = await client.json(`team/windows/manifests/${reference}`);
      expect(status).toBe(403);
      expect(errors).toMatchObject([{ code: 'DENIED' }]);
      expect(errors[0].message).toContain('kept at layers.test');
      expect((await client.pull(`team/windows/manifests/${reference}`, {}, 'HEAD')).status).toBe(403);
    }
  });

  test('of schema 1 is no manifest', async () => {
    const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
    const old = made({ schemaVersion: 1, name: 'team/old', tag: 'v1', fsLayers: [], history: [] }, type);
    publishImages(upstream, 'team/old', { v1: { blobs: [], manifests: [old] } });
    for (const reference of ['v1', old.digest]) {
      const { status, errors } = await client.json(`team/old/manifests/${reference}`);
      expect(status).toBe(502);
      expect(errors[0].message).toContain('schema 1');
    }
  });
});

describe('in a virtual repository', () => {
  let inner: FakeUpstream;

  beforeEach(async () => {
    inner = await FakeUpstream.start();
    plane.remote('inner', 'oci', inner.url).virtual('both', 'oci', ['inner', 'images']);
  });

  afterEach(() => inner.stop());

  test('an image belongs to the first member that has any tag of it', async () => {
    publishImages(inner, NAME, { v2: two });
    for (const path of [`manifests/v1`, `manifests/${topOf(one).digest}`, `blobs/${layerOf(one).digest}`])
      inner.respond(`/v2/${NAME}/${path}`, { status: 404, body: '' });
    expect((await client.json(`${NAME}/tags/list`, 'both')).tags).toEqual(['v2']);
    expect((await client.get(`${NAME}/manifests/v2`, 'both')).bytes).toEqual(topOf(two).bytes);
    for (const path of [`${NAME}/manifests/v1`, manifestPath(one, NAME), blobPath(layerOf(one), NAME)])
      expect([path, (await client.get(path, 'both')).status]).toEqual([path, 404]);
    expect(upstream.requests).toEqual([]);
  });

  test('one that the first does not have is the next one’s, whole', async () => {
    without(NAME, 'v1', inner);
    for (const digest of digestsOf(one)) {
      for (const kind of ['manifests', 'blobs'])
        inner.respond(`/v2/${NAME}/${kind}/${digest}`, { status: 404, body: '' });
    }
    for (const path of [`${NAME}/manifests/v1`, ...pathsOf(one, NAME)])
      expect([path, (await client.get(path, 'both')).status]).toEqual([path, 200]);
    expect((await client.json(`${NAME}/tags/list`, 'both')).tags).toEqual(['v1']);
  });

  test('an outage of the first is not taken for its word', async () => {
    await inner.down();
    for (const path of [
      `${NAME}/manifests/v1`,
      manifestPath(one, NAME),
      blobPath(layerOf(one), NAME),
      `${NAME}/tags/list`,
    ])
      expect([path, (await client.get(path, 'both')).status]).toEqual([path, 503]);
    expect(upstream.requests).toEqual([]);
  });
});
