import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { S3Store } from '../../src/store/s3.ts';
import { IN_PARTS } from '../../src/store/s3-upload.ts';
import { consume, put, sample, sha256, storeContract } from '../../src/store/store.contract.ts';
import { type Radosgw, radosgwMissing, startRadosgw } from '../support/radosgw.ts';

const missing = radosgwMissing();

/** Where continuous integration runs, a missing server is a failure; elsewhere the suite says why it did not run. */
describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(`on S3 ${missing ?? ''}`, () => {
  let server: Radosgw;
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'entrepot-s3-'));
    server = await startRadosgw();
  });
  afterAll(async () => {
    await server?.stop();
    await rm(root, { recursive: true });
  });

  const folder = (): Promise<string> => mkdtemp(join(root, 'data-'));
  const addressOf = (bucket: string, prefix = '') => ({
    bucket,
    prefix,
    endpoint: `http://127.0.0.1:${server.port}`,
    region: 'us-east-1',
    pathStyle: true,
    accessKey: server.accessKey,
    secretKey: server.secretKey,
  });

  storeContract('S3 store', async ({ now }) => S3Store.open(addressOf(await server.bucket()), await folder(), { now }));

  describe('a bucket', () => {
    async function keys(bucket: string): Promise<string[]> {
      const all: string[] = [];
      for await (const item of server.client().listObjectsV2(bucket, '', true)) all.push(String(item.name));
      return all.sort();
    }

    test('has blobs under a prefix, two levels deep, named by their digest', async () => {
      const bucket = await server.bucket();
      const data = await folder();
      const store = await S3Store.open(addressOf(bucket, 'team/one/'), data);
      const digest = await put(store, Buffer.from('hello'));
      const hex = digest.slice(7);
      expect(await keys(bucket)).toEqual([`team/one/blobs/sha256/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`]);
      expect(await readdir(join(data, 'tmp'))).toEqual([]);
      await store.quarantine(digest);
      expect(await keys(bucket)).toEqual([`team/one/quarantine/${hex}`]);
      await store.check();
      expect(await keys(bucket)).toEqual([`team/one/quarantine/${hex}`]);
      await store.close();
    });

    test('takes large blobs in parts, and has no part of what was given up', async () => {
      const bucket = await server.bucket();
      const store = await S3Store.open(addressOf(bucket), await folder());
      const bytes = sample(IN_PARTS * 2 + 12_345);
      const upload = await store.begin();
      await upload.write(bytes);
      const follower = consume(upload.follow(bytes.length));
      expect(await upload.commit()).toMatchObject({ digest: sha256(bytes), size: bytes.length });
      expect((await follower).equals(bytes)).toBe(true);
      const blob = await store.open(sha256(bytes));
      expect(
        blob && (await consume(blob, IN_PARTS - 5, IN_PARTS + 5)).equals(bytes.subarray(IN_PARTS - 5, IN_PARTS + 5)),
      ).toBe(true);
      expect(blob && (await consume(blob)).equals(bytes)).toBe(true);
      const found = await server.client().statObject(bucket, (await keys(bucket))[0] ?? '');
      expect(found.etag).toMatch(/-3$/);
      expect(await server.client().listIncompleteUploadsQuery(bucket, '', '', '', '')).toMatchObject({ uploads: [] });
      await store.close();
    });

    test('with more blobs than one page of its list has them all listed', async () => {
      const store = await S3Store.open(addressOf(await server.bucket()), await folder());
      const digests = await Promise.all(Array.from({ length: 1005 }, (_, at) => put(store, Buffer.from(`blob ${at}`))));
      const listed: string[] = [];
      for await (const { digest } of store.list()) listed.push(digest);
      expect(listed).toEqual(digests.sort());
      await store.close();
    });

    test('loses the parts of uploads that nobody finished for a day when a store is opened on it', async () => {
      const bucket = await server.bucket();
      const client = server.client();
      await client.initiateNewMultipartUpload(bucket, 'blobs/sha256/aa/bb/left', {});
      await client.initiateNewMultipartUpload(bucket, 'not/ours', {});
      const uploads = async () =>
        (await client.listIncompleteUploadsQuery(bucket, '', '', '', '')).uploads.map(({ key }) => key);
      await (await S3Store.open(addressOf(bucket), await folder())).close();
      expect(await uploads()).toHaveLength(2);
      const tomorrow = () => Date.now() + 25 * 3_600_000;
      await (await S3Store.open(addressOf(bucket), await folder(), { now: tomorrow })).close();
      expect(await uploads()).toEqual(['not/ours']);
    });

    test('that lost an object answers as if it had never been there, also to who just saw it', async () => {
      const bucket = await server.bucket();
      const store = await S3Store.open(addressOf(bucket), await folder());
      const digest = await put(store, Buffer.from('hello'));
      const blob = await store.open(digest);
      await server.client().removeObjects(bucket, await keys(bucket));
      await expect(blob?.bytes()).rejects.toMatchObject({ name: 'StoreError', reason: 'unreachable' });
      expect(await store.open(digest)).toBeUndefined();
      await store.close();
    });

    test('hands out an address that anybody can read for a while, as what it is said to be', async () => {
      const store = await S3Store.open(addressOf(await server.bucket()), await folder());
      const blob = await store.open(await put(store, Buffer.from('hello')));
      const url = await blob?.redirect?.(60, {
        type: 'application/x-thing',
        disposition: 'attachment; filename="a b.txt"',
      });
      const answer = await fetch(url ?? '');
      expect(await answer.text()).toBe('hello');
      expect(answer.headers.get('content-type')).toBe('application/x-thing');
      expect(answer.headers.get('content-disposition')).toBe('attachment; filename="a b.txt"');
      expect((await fetch(`${url}x`)).status).toBe(403);
      await store.close();
    });

    test('whose object has another size than its blob has it replaced', async () => {
      const bucket = await server.bucket();
      const store = await S3Store.open(addressOf(bucket), await folder());
      const digest = await put(store, Buffer.from('hello'));
      const [key = ''] = await keys(bucket);
      await server.client().putObject(bucket, key, Buffer.from('hell'));
      await put(store, Buffer.from('hello'));
      expect((await (await store.open(digest))?.bytes())?.toString()).toBe('hello');
      await store.close();
    });
  });
});
