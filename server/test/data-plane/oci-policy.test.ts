import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import {
  type Blob,
  type Image,
  imageOf,
  type Manifest,
  multiArchitectureImageOf,
  topOf,
} from '../support/oci-image.ts';
import {
  ACCEPT_MANIFESTS,
  blobPath,
  INDEX_TYPE,
  keepBytes,
  manifestPath,
  OciClient,
  pathsOf,
  publishImages,
} from '../support/oci-upstream.ts';
import { Plane } from '../support/plane.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NAME = 'team/app';
const TAGS = `/v2/${NAME}/tags/list?n=1000`;

/** Two that have their first layer in common. */
const before = imageOf('app', 'amd64');
const after = imageOf('app', 'arm64');
const third = imageOf('third');
const multi = multiArchitectureImageOf('multi');

const layerOf = ({ blobs }: Image) => blobs.at(-1) as Blob;
const common = before.blobs[1] as Blob;
const digestOf = (image: Image) => topOf(image).digest;
const week = { name: 'week', formats: { oci: '7d' } };

let upstream: FakeUpstream;
let plane: Plane;
let client: OciClient;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
  client = new OciClient(plane);
  plane.remote('images', 'oci', upstream.url, { index_ttl: '5m' }).virtual('oci', 'oci', ['images']);
  publishImages(upstream, NAME, { v1: before });
});

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

/** Which image a tag or digest leads to, else the status. */
async function meant(reference: string, repository = 'oci'): Promise<string> {
  const { status, headers, bytes } = await client.get(`${NAME}/manifests/${reference}`, repository);
  const own = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (status === 200) expect(headers.get('docker-content-digest')).toBe(own);
  const images = { before, after, third, multi };
  const found = Object.entries(images).find(([, image]) => digestOf(image) === own);
  return status === 200 ? (found?.[0] ?? own) : String(status);
}

async function status(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<number> {
  const response = await client.pull(path, headers, method);
  await response.arrayBuffer();
  return response.status;
}

const statuses = async (paths: readonly string[]) => {
  const found: Record<string, number> = {};
  for (const path of paths) found[path] = await status(path);
  return found;
};
const all = (paths: readonly string[], code: number) => Object.fromEntries(paths.map((path) => [path, code]));

/** The tag means another image from now on, and is asked for again. */
function move(tag: string, to: Image, also: Readonly<Record<string, Image>> = {}): void {
  publishImages(upstream, NAME, { ...also, [tag]: to });
  plane.ahead += HOUR;
}

async function settled(tag: string, at: string): Promise<void> {
  await expect.poll(() => meant(tag)).toBe(at);
}

const tagsOf = async (): Promise<unknown> => {
  const { status: code, tags } = await client.json(`${NAME}/tags/list`);
  return code === 200 ? tags : code;
};

const exempt = (...packages: readonly string[]) =>
  plane.rule('exemption', {
    name: 'hotfix',
    packages,
    reason: 'needed',
    expires_at: new Date(Date.now() + 2 * DAY).toISOString(),
  });

describe('under a cooldown that names OCI', () => {
  beforeEach(() => plane.rule('cooldown', week));

  test('an image that was never asked for is served whole by its tags, which were there before it was', async () => {
    publishImages(upstream, NAME, { v1: before, multi });
    expect(await meant('v1')).toBe('before');
    expect(await statuses(pathsOf(before, NAME))).toEqual(all(pathsOf(before, NAME), 200));
    expect(await meant('multi')).toBe('multi');
    expect(await statuses(pathsOf(multi, NAME))).toEqual(all(pathsOf(multi, NAME), 200));
    expect(upstream.count(TAGS)).toBe(1);
  });

  test('a digest that nobody has seen is refused until it is old enough, with the day on which it will be', async () => {
    const path = manifestPath(before, NAME);
    const response = await client.pull(path);
    const { errors } = (await response.json()) as { errors: { code: string; message: string }[] };
    expect(response.status).toBe(403);
    expect(errors[0]?.code).toBe('DENIED');
    expect(errors[0]?.message).toMatch(/was first seen .* ago; the cooldown "week" admits it from/);
    const until = Date.parse(response.headers.get('x-entrepot-until') ?? '');
    expect(Math.abs(until - Date.now() - 7 * DAY)).toBeLessThan(HOUR);
    expect(await status(path, {}, 'HEAD')).toBe(403);
    expect(await status(path, { range: 'bytes=0-10' })).toBe(403);
    plane.ahead = 6.9 * DAY;
    expect(await status(path)).toBe(403);
    plane.ahead = 7.1 * DAY;
    expect(await statuses(pathsOf(before, NAME))).toEqual(all(pathsOf(before, NAME), 200));
  });

  test('a digest that was refused is served once a tag of the first listing leads to it', async () => {
    expect(await meant(digestOf(before))).toBe('403');
    expect(await meant('v1')).toBe('before');
    expect(await meant(digestOf(before))).toBe('before');
  });

  describe('a tag that moves', () => {
    const own = [manifestPath(after, NAME), blobPath(after.blobs[0] as Blob, NAME), blobPath(layerOf(after), NAME)];

    beforeEach(async () => {
      expect(await meant('v1')).toBe('before');
      move('v1', after);
      await expect.poll(() => status(`${NAME}/manifests/${digestOf(after)}`)).toBe(403);
      await settled('v1', 'before');
    });

    test.each([
      `/v2/oci/${NAME}/manifests/v1`,
      `/v2/${NAME}/manifests/v1`,
      `/oci/v2/${NAME}/manifests/v1`,
      `/v2/images/${NAME}/manifests/v1`,
      `/api/v1/virtual/oci/v2/${NAME}/manifests/v1`,
      `/api/v1/remote/images/v2/${NAME}/manifests/v1`,
      'ns',
    ])('is the image that it was, at %s, and says why', async (address) => {
      const url = address === 'ns' ? `/v2/${NAME}/manifests/v1?ns=${new URL(upstream.url).host}` : address;
      for (const method of ['HEAD', 'GET', 'HEAD', 'GET', 'GET', 'GET']) {
        const response = await plane.get(url, { accept: ACCEPT_MANIFESTS }, method);
        const bytes = Buffer.from(await response.arrayBuffer());
        expect(response.status).toBe(200);
        expect(response.headers.get('docker-content-digest')).toBe(digestOf(before));
        expect(response.headers.get('content-length')).toBe(String(topOf(before).bytes.length));
        expect(response.headers.get('x-entrepot-reason')).toMatch(
          new RegExp(`${digestOf(after).slice(0, 30)}.* was first seen .* the cooldown "week" admits it from`),
        );
        if (method === 'GET') expect(bytes).toEqual(topOf(before).bytes);
      }
    });

    test('does not give away the new one by its digest, nor what only it consists of', async () => {
      for (const path of own) {
        for (const repository of ['oci', 'images']) {
          for (const [method, headers] of [
            ['GET', {}],
            ['HEAD', {}],
            ['GET', { range: 'bytes=0-10' }],
            ['GET', { 'if-none-match': '*' }],
          ] as const) {
            const response = await client.pull(path, headers, method, repository);
            await response.arrayBuffer();
            expect([path, repository, method, response.status]).toEqual([path, repository, method, 403]);
            expect(response.headers.get('x-entrepot-reason')).toContain(digestOf(after).slice(0, 30));
          }
        }
      }
      expect(upstream.count(`/v2/${blobPath(layerOf(after), NAME)}`)).toBe(0);
      expect(plane.pulls.at(-1)).toMatchObject({
        decision: 'refused',
        rule: 'cooldown/week',
        version: digestOf(after),
      });
    });

    test('leaves what both consist of', async () => {
      expect(await statuses(pathsOf(before, NAME))).toEqual(all(pathsOf(before, NAME), 200));
      expect(await status(blobPath(common, NAME))).toBe(200);
    });

    test('is the new one when that is old enough, though nothing changed upstream', async () => {
      plane.ahead = 6.9 * DAY;
      expect(await meant('v1')).toBe('before');
      plane.ahead = 8 * DAY;
      await settled('v1', 'after');
      expect(await statuses(pathsOf(after, NAME))).toEqual(all(pathsOf(after, NAME), 200));
      const response = await client.pull(`${NAME}/manifests/v1`);
      expect(response.headers.get('x-entrepot-reason')).toBeNull();
    });

    test('is on record as the image that was served', () => {
      expect(plane.pulls.at(-1)).toMatchObject({ decision: 'allowed', version: digestOf(before) });
    });

    test('twice is the newest that may be had', async () => {
      plane.ahead = 8 * DAY;
      await settled('v1', 'after');
      move('v1', third);
      await expect.poll(() => meant(digestOf(third))).toBe('403');
      await settled('v1', 'after');
    });

    test('and back means what it meant', async () => {
      move('v1', before);
      await settled('v1', 'before');
      plane.ahead = 8 * DAY;
      await settled('v1', 'before');
      const response = await client.pull(`${NAME}/manifests/v1`);
      expect(response.headers.get('x-entrepot-reason')).toBeNull();
    });

    test('is refused with the reason where what it was is not kept any more', async () => {
      await plane.engine.evict({ repository: 'images', prefix: `${NAME}/manifests/sha256` });
      const response = await client.pull(`${NAME}/manifests/v1`);
      await response.arrayBuffer();
      expect(response.status).toBe(403);
      expect(response.headers.get('x-entrepot-rule')).toBe('cooldown/week');
      expect(response.headers.get('x-entrepot-until')).not.toBeNull();
    });

    test('is the new one while an exemption lifts that', async () => {
      exempt(`pkg:oci/team%2Fapp@${digestOf(after)}`);
      expect(await meant('v1')).toBe('after');
      expect(await statuses(own)).toEqual(all(own, 200));
      plane.ahead += 2 * DAY;
      await settled('v1', 'before');
      expect(await statuses(own)).toEqual(all(own, 403));
    });

    test('is refused where the new one is blocked: a person must see that', async () => {
      plane.rule('block', { name: 'bad', packages: [`pkg:oci/team%2Fapp@${digestOf(after)}`], reason: 'it mines' });
      const response = await client.pull(`${NAME}/manifests/v1`);
      expect(response.status).toBe(403);
      expect(await response.text()).toContain('it mines');
      expect(await statuses(own)).toEqual(all(own, 403));
      expect(await meant(digestOf(before))).toBe('before');
      expect(await status(blobPath(common, NAME))).toBe(200);
    });

    test('is refused where the tag is banned, and where the image is blocked', async () => {
      plane.rule('block', { name: 'bad', packages: ['pkg:oci/team%2Fapp'], reason: 'it mines' });
      const paths = [`${NAME}/manifests/v1`, ...pathsOf(before, NAME)];
      expect(await statuses(paths)).toEqual(all(paths, 403));
      plane.lift('block', 'bad');
      plane.remote('images', 'oci', upstream.url, { index_ttl: '5m', ban_tags: ['^v1$'] });
      expect(await meant('v1')).toBe('403');
    });

    test('is known after a restart', async () => {
      await plane.restart();
      expect(await meant('v1')).toBe('before');
      expect(await statuses(own)).toEqual(all(own, 403));
      expect(await statuses(pathsOf(before, NAME))).toEqual(all(pathsOf(before, NAME), 200));
      plane.ahead = 8 * DAY;
      await plane.restart();
      await settled('v1', 'after');
      expect(upstream.count(TAGS)).toBe(1);
    });

    test('is known after an eviction of all that is kept', async () => {
      await plane.engine.evict({ repository: 'images', all: true });
      expect(await meant('v1')).toBe('403');
      expect(await meant(digestOf(before))).toBe('before');
      expect(await meant('v1')).toBe('before');
    });
  });

  test.each(['first', 'union'])(
    'a tag that moves is the image that it was, of the second member of a virtual too: %s',
    async (merge) => {
      const other = await FakeUpstream.start();
      for (const path of [`manifests/v1`, 'tags/list?n=1', 'tags/list?n=1000'])
        other.respond(`/v2/${NAME}/${path}`, { status: 404, body: '{"errors":[]}' });
      plane.remote('nothing', 'oci', other.url).virtual('both', 'oci', ['nothing', 'images'], { merge });
      expect(await meant('v1', 'both')).toBe('before');
      move('v1', after);
      await expect.poll(() => meant(digestOf(after))).toBe('403');
      await expect.poll(() => meant('v1', 'both')).toBe('before');
      await other.stop();
    },
  );

  test('what is said of a refused digest, when it is explained, is what the refusal said', async () => {
    expect(await meant('v1')).toBe('before');
    move('v1', after);
    await settled('v1', 'before');
    const explained = async (version: string) => {
      const ask = { now: Date.now() + plane.ahead, requestId: 'x', principal: 'anonymous' };
      const { nearest, ...told } = await plane.engine.explain({ type: 'oci', name: NAME, version }, 'oci', ask);
      expect(nearest).toBeUndefined();
      return told;
    };
    expect(await explained(digestOf(after))).toMatchObject({
      allowed: false,
      rule: 'cooldown/week',
      evidence: { source: 'first-seen' },
    });
    expect(await explained(digestOf(before))).toMatchObject({ allowed: true, evidence: { source: 'baseline' } });
    expect(await explained('v1')).toMatchObject({ allowed: true });
    expect(await explained('v9')).toMatchObject({ allowed: false, reason: 'the repository lists no such version' });
  });

  test('nothing that is new is let through as of unknown age', async () => {
    plane.rule('cooldown', { ...week, unknown_age: 'allow' });
    expect(await meant(digestOf(before))).toBe('403');
    expect(await status(blobPath(layerOf(after), NAME))).toBe(403);
  });

  test('a tag that was not in the first listing is refused, and not listed once that is known', async () => {
    expect(await meant('v1')).toBe('before');
    publishImages(upstream, NAME, { v1: before, v2: after, v3: third });
    plane.ahead += HOUR;
    await expect.poll(tagsOf).toEqual(['v1', 'v2', 'v3']);
    expect(await meant('v2')).toBe('403');
    plane.ahead += HOUR;
    await expect.poll(tagsOf).toEqual(['v1', 'v3']);
    expect(await meant('v3')).toBe('403');
    plane.ahead += HOUR;
    await expect.poll(tagsOf).toEqual(['v1']);
    plane.ahead += 8 * DAY;
    await expect.poll(tagsOf).toEqual(['v1', 'v2', 'v3']);
    await settled('v2', 'after');
  });

  test('a tag that moved stays listed, and so do those that nobody asked for', async () => {
    publishImages(upstream, NAME, { v1: before, other: third });
    expect(await meant('v1')).toBe('before');
    move('v1', after, { other: third });
    await settled('v1', 'before');
    expect(await tagsOf()).toEqual(['other', 'v1']);
  });

  test('a list of tags that is asked for first is the first listing', async () => {
    expect(await tagsOf()).toEqual(['v1']);
    publishImages(upstream, NAME, { v1: before, v2: after });
    expect(await meant('v1')).toBe('before');
    expect(await meant('v2')).toBe('403');
    expect(upstream.count(TAGS)).toBe(1);
  });

  test('what a new index consists of is refused by its digests until the index may be had', async () => {
    expect(await meant('v1')).toBe('before');
    move('v1', multi);
    await settled('v1', 'before');
    expect(await statuses(pathsOf(multi, NAME))).toEqual(all(pathsOf(multi, NAME), 403));
    plane.ahead = 5 * DAY;
    expect(await status(`${NAME}/manifests/${multi.manifests[0]?.digest}`)).toBe(403);
    plane.ahead = 8 * DAY;
    await settled('v1', 'multi');
    expect(await statuses(pathsOf(multi, NAME))).toEqual(all(pathsOf(multi, NAME), 200));
  });

  test('an exemption of an index lets all of it through', async () => {
    expect(await meant('v1')).toBe('before');
    move('v1', multi);
    await settled('v1', 'before');
    expect(await meant(digestOf(multi))).toBe('403');
    exempt(`pkg:oci/team%2Fapp@${digestOf(multi)}`);
    expect(await statuses(pathsOf(multi, NAME))).toEqual(all(pathsOf(multi, NAME), 200));
  });

  test('a blob is refused where no manifest that names it was asked for, and served after one was', async () => {
    const path = blobPath(layerOf(before), NAME);
    const response = await client.pull(path);
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('is part of no release that was asked for here');
    expect(await status(path, {}, 'HEAD')).toBe(403);
    expect(await meant('v1')).toBe('before');
    expect(await status(path)).toBe(200);
  });

  test('a blob of one image is not served under the name of another', async () => {
    expect(await meant('v1')).toBe('before');
    publishImages(upstream, 'team/other', { v1: before });
    expect(await status(blobPath(layerOf(before), 'team/other'))).toBe(403);
    expect(await status('team/other/manifests/v1')).toBe(200);
    expect(await status(blobPath(layerOf(before), 'team/other'))).toBe(200);
  });

  test('of another format only, nothing of this is refused', async () => {
    plane.rule('cooldown', { name: 'week', default: '7d', formats: { npm: '30d' } });
    expect(await statuses(pathsOf(before, NAME))).toEqual(all(pathsOf(before, NAME), 200));
  });

  describe('where the registry does not list tags', () => {
    test.each([401, 403, 404, 405])('but says %i, everything is as old as its first sight', async (code) => {
      upstream.respond(TAGS, { status: code, body: '{"errors":[]}' });
      expect(await meant('v1')).toBe('403');
      plane.ahead = HOUR;
      await expect.poll(() => meant('v1')).toBe('403');
      plane.ahead = 8 * DAY;
      await settled('v1', 'before');
      expect(upstream.count(TAGS)).toBe(1);
    });

    test('for a while, what was seen by then is in the first listing when it can be had', async () => {
      upstream.quirk(TAGS, { kind: 'status', status: 500 });
      expect(await meant('v1')).toBe('403');
      const asked = upstream.count(TAGS);
      expect(await meant('v1')).toBe('403');
      expect(upstream.count(TAGS)).toBe(asked);
      upstream.calm(TAGS);
      plane.ahead = 2 * 60_000;
      await settled('v1', 'before');
      expect(await statuses(pathsOf(before, NAME))).toEqual(all(pathsOf(before, NAME), 200));
    });
  });

  describe('what refers to an image', () => {
    const subject = digestOf(before);
    const path = `${NAME}/referrers/${subject}`;
    const made = (text: string): Manifest => {
      const bytes = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: topOf(before).type,
          artifactType: 'application/vnd.example',
          config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: layerOf(before).digest, size: 2 },
          layers: [],
          annotations: { text },
          subject: { mediaType: topOf(before).type, digest: subject, size: topOf(before).bytes.length },
        }),
      );
      return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, type: topOf(before).type };
    };
    const signature = made('signature');
    const later = made('later');

    function referring(...manifests: readonly Manifest[]): void {
      for (const manifest of manifests) keepBytes(upstream, `${NAME}/manifests/${manifest.digest}`, manifest);
      const listed = manifests.map(({ digest, bytes, type }) => ({ mediaType: type, digest, size: bytes.length }));
      const body = JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: listed });
      upstream.respond(`/v2/${path}`, { body, headers: { 'content-type': INDEX_TYPE } });
    }

    const listed = async () => {
      const { status: code, manifests } = await client.json(path);
      return code === 200 ? manifests.map(({ digest }: Manifest) => digest) : code;
    };

    test('is listed where it was there first, and what comes later when it is old enough', async () => {
      expect(await meant('v1')).toBe('before');
      referring(signature);
      expect(await listed()).toEqual([signature.digest]);
      referring(signature, later);
      plane.ahead = HOUR;
      await expect.poll(() => status(`${NAME}/manifests/${later.digest}`)).toBe(403);
      expect(await listed()).toEqual([signature.digest]);
      expect(await status(`${NAME}/manifests/${signature.digest}`)).toBe(200);
      plane.ahead = 8 * DAY;
      await expect.poll(listed).toEqual([signature.digest, later.digest]);
      expect(await status(`${NAME}/manifests/${later.digest}`)).toBe(200);
    });

    test('is no older than the image', async () => {
      referring(signature);
      expect(await meant(subject)).toBe('403');
      expect(await listed()).toBe(403);
      plane.ahead = 8 * DAY;
      await expect.poll(listed).toEqual([signature.digest]);
    });
  });
});

describe('a cooldown that comes later', () => {
  test('knows what was there before it, and takes back what is too young, also from memory', async () => {
    for (let warm = 0; warm < 4; warm++) expect(await meant('v1')).toBe('before');
    move('v1', after);
    await settled('v1', 'after');
    for (let warm = 0; warm < 4; warm++) expect(await meant('v1')).toBe('after');
    for (let warm = 0; warm < 4; warm++) await statuses(pathsOf(after, NAME));
    plane.rule('cooldown', week);
    expect(await meant('v1')).toBe('before');
    expect(await status(manifestPath(after, NAME))).toBe(403);
    expect(await status(blobPath(layerOf(after), NAME))).toBe(403);
    expect(await status(blobPath(common, NAME))).toBe(200);
    plane.lift('cooldown', 'week');
    expect(await meant('v1')).toBe('after');
    expect(await status(blobPath(layerOf(after), NAME))).toBe(200);
  });

  test('knows the manifests that were kept before any of this was put on record', async () => {
    await plane.restart({ ledger: (ledger) => ({ ...ledger, recordSights: async () => {} }) });
    expect(await meant('v1')).toBe('before');
    await plane.restart();
    plane.rule('cooldown', week);
    plane.ahead = 8 * DAY;
    expect(await statuses(before.blobs.map((blob) => blobPath(blob, NAME)))).toEqual(
      all(
        before.blobs.map((blob) => blobPath(blob, NAME)),
        200,
      ),
    );
  });

  test('withholds what could not be put on record', async () => {
    const broken = { is: true };
    await plane.restart({
      ledger: (ledger) => ({
        ...ledger,
        recordSights: (sights) =>
          broken.is ? Promise.reject(new Error('the disk is full')) : ledger.recordSights(sights),
      }),
    });
    expect(await meant('v1')).toBe('before');
    expect(plane.logged).toContainEqual({ level: 'error', message: 'what was seen is not on record' });
    plane.rule('cooldown', week);
    expect(await meant('v1')).toBe('403');
    broken.is = false;
    expect(await meant('v1')).toBe('before');
  });
});

describe('without a rule about time', () => {
  test('a blob is served though no manifest was asked for, also where another image is blocked', async () => {
    expect(await status(blobPath(layerOf(before), NAME))).toBe(200);
    plane.rule('block', { name: 'bad', packages: ['pkg:oci/other'] });
    expect(await status(blobPath(common, NAME))).toBe(200);
    expect(upstream.count(TAGS)).toBe(0);
  });

  test('a block of one digest refuses what only that consists of', async () => {
    publishImages(upstream, NAME, { v1: before, v2: after });
    expect(await meant('v1')).toBe('before');
    expect(await meant('v2')).toBe('after');
    plane.rule('block', { name: 'bad', packages: [`pkg:oci/team%2Fapp@${digestOf(after)}`], reason: 'it mines' });
    expect(await meant('v2')).toBe('403');
    const refused = await client.pull(blobPath(layerOf(after), NAME));
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain('it mines');
    expect(await statuses(pathsOf(before, NAME))).toEqual(all(pathsOf(before, NAME), 200));
    expect(await status(blobPath(layerOf(third), NAME))).toBe(403);
  });

  test('the tags of an image are asked for once, when it is first', async () => {
    publishImages(upstream, NAME, { v1: before, v2: after, multi });
    for (const tag of ['v1', 'v2', 'multi', 'v1']) await meant(tag);
    plane.ahead = HOUR;
    for (const tag of ['v1', 'v2', 'multi', 'v1']) await meant(tag);
    await plane.restart();
    for (const tag of ['v1', 'v2', 'multi', 'v1']) await meant(tag);
    expect(upstream.count(TAGS)).toBe(1);
  });
});

test('a freeze admits what was there before it', async () => {
  expect(await meant('v1')).toBe('before');
  const before_ = new Date(Date.now() + 0.5 * HOUR).toISOString();
  move('v1', after);
  await settled('v1', 'after');
  plane.rule('freeze', { name: 'incident', before: before_, formats: ['oci'] });
  expect(await meant('v1')).toBe('before');
  expect(await meant(digestOf(after))).toBe('403');
});
