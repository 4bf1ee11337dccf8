import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { type Image, imageOf, topOf } from '../support/oci-image.ts';
import { blobPath, keepBytes, manifestPath, OciClient, pathsOf, publishImages } from '../support/oci-upstream.ts';
import { Plane } from '../support/plane.ts';

const NAME = 'team/app';
const one = imageOf('one');
const two = imageOf('two');
const other = imageOf('other');

let upstream: FakeUpstream;
let plane: Plane;
let client: OciClient;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
  client = new OciClient(plane);
  plane.remote('images', 'oci', upstream.url, { index_ttl: '30d' }).virtual('oci', 'oci', ['images']);
  publishImages(upstream, NAME, { v1: one, v2: two, edge: two });
  publishImages(upstream, 'team/tool', { v1: other });
  const body = JSON.stringify({ repositories: [NAME, 'team/tool'] });
  upstream.respond('/v2/_catalog?n=1000', { body, headers: { 'content-type': 'application/json' } });
});

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

const block = (...packages: string[]) => plane.rule('block', { name: 'bad', packages, reason: 'it mines coins' });
const tags = async (name = NAME) => (await client.json(`${name}/tags/list`)).tags;
const tagPath = (tag: string) => `${NAME}/manifests/${tag}`;

async function expectRefused(paths: readonly string[], says = 'it mines coins'): Promise<void> {
  for (const path of paths) {
    const { status, text } = await client.get(path);
    expect([path, status, text]).toEqual([path, 403, expect.stringContaining(says)]);
    expect([path, (await client.pull(path, {}, 'HEAD')).status]).toEqual([path, 403]);
  }
}

async function expectServed(paths: readonly string[]): Promise<void> {
  for (const path of paths) expect([path, (await client.get(path)).status]).toEqual([path, 200]);
}

describe('a block', () => {
  test('of a digest refuses the manifest by every name that it has', async () => {
    await expectServed([tagPath('v2'), manifestPath(two, NAME)]);
    block(`pkg:oci/team%2Fapp@${topOf(two).digest}`);
    await expectRefused([tagPath('v2'), tagPath('edge'), manifestPath(two, NAME)]);
    await expectServed([tagPath('v1'), ...pathsOf(one, NAME)]);
  });

  test('of a tag takes it out of the list and refuses what is asked for by it, not what it names', async () => {
    expect(await tags()).toEqual(['edge', 'v1', 'v2']);
    await expectServed([tagPath('v2')]);
    block('pkg:oci/team%2Fapp@v2');
    expect(await tags()).toEqual(['edge', 'v1']);
    await expectRefused([tagPath('v2')]);
    await expectServed([tagPath('edge'), tagPath('v1'), manifestPath(two, NAME)]);
  });

  test('of an image refuses every part of it, and the catalog does not have it', async () => {
    expect((await client.json('_catalog')).repositories).toEqual(['oci/team/app', 'oci/team/tool']);
    block('pkg:oci/team%2Fapp');
    const layer = blobPath(one.blobs.at(-1) as Image['blobs'][number], NAME);
    await expectRefused([`${NAME}/tags/list`, tagPath('v1'), manifestPath(one, NAME), layer]);
    expect((await client.json('_catalog')).repositories).toEqual(['oci/team/tool']);
    await expectServed(['team/tool/manifests/v1']);
    plane.lift('block', 'bad');
    expect(await tags()).toEqual(['edge', 'v1', 'v2']);
    expect((await client.json('_catalog')).repositories).toEqual(['oci/team/app', 'oci/team/tool']);
  });

  test('of one digest leaves the image in the catalog', async () => {
    block(`pkg:oci/team%2Fapp@${topOf(two).digest}`);
    expect((await client.json('_catalog')).repositories).toContain('oci/team/app');
  });

  test('of what refers to an image takes it out of that list, which is refused when nothing is left', async () => {
    const subject = topOf(one);
    const described = [two, other].map((image) => {
      const { digest, bytes, type } = topOf(image);
      return { mediaType: type, digest, size: bytes.length, artifactType: 'application/example' };
    });
    const path = `${NAME}/referrers/${subject.digest}`;
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: described }));
    keepBytes(upstream, path, { bytes, digest: 'none', type: 'application/vnd.oci.image.index.v1+json' });
    const digests = async () => (await client.json(path)).manifests.map((each: { digest: string }) => each.digest);
    expect(await digests()).toEqual([topOf(two).digest, topOf(other).digest]);
    block(`pkg:oci/team%2Fapp@${topOf(two).digest}`);
    expect(await digests()).toEqual([topOf(other).digest]);
    block(`pkg:oci/team%2Fapp@${topOf(two).digest}`, `pkg:oci/team%2Fapp@${topOf(other).digest}`);
    await expectRefused([path, `${path}?artifactType=application%2Fexample`]);
  });
});

test('tags that are banned leave the list; without any other it is refused, page by page', async () => {
  const banning = (...patterns: string[]) =>
    plane.remote('images', 'oci', upstream.url, { index_ttl: '30d', ban_tags: patterns });
  banning('^edge$');
  expect(await tags()).toEqual(['v1', 'v2']);
  expect((await client.json(`${NAME}/tags/list?n=1`)).tags).toEqual(['v1']);
  expect((await client.json(`${NAME}/tags/list?n=1&last=v1`)).tags).toEqual(['v2']);
  await expectRefused([tagPath('edge')], 'banned');
  await expectServed([manifestPath(two, NAME)]);
  banning('.');
  await expectRefused([`${NAME}/tags/list`, `${NAME}/tags/list?n=1`, tagPath('v1')], 'banned');
});
