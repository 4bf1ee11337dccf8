import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { type Radosgw, radosgwMissing, startRadosgw } from '../support/radosgw.ts';
import { type SlowProxy, startSlowProxy } from '../support/slow-proxy.ts';
import { TestServer } from '../support/test-server.ts';

const missing = radosgwMissing();
const SMALL = '/small/-/small-1.0.0.tgz';
const LARGE = '/large/-/large-1.0.0.tgz';
/** Too large to be kept in memory. */
const large = randomBytes(6_000_000);
const small = randomBytes(50_000);
const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Where continuous integration runs, a missing server is a failure; elsewhere the suite says why it did not run. */
describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(`a registry on S3 ${missing ?? ''}`, () => {
  let s3: Radosgw;
  let proxy: SlowProxy;
  let upstream: FakeUpstream;
  let bucket: string;
  let server: TestServer;
  let releases = 0;

  beforeAll(async () => {
    s3 = await startRadosgw();
    proxy = await startSlowProxy({ port: s3.port });
  });
  afterAll(async () => {
    await proxy?.stop();
    await s3?.stop();
  });

  beforeEach(async () => {
    await proxy.heal();
    upstream = await FakeUpstream.start();
    bucket = await s3.bucket();
    server = await TestServer.start({ settings: { storage_url: s3.url(bucket, proxy.port) } });
    publish(upstream, 'small', [{ version: '1.0.0', tarball: small }]);
    publish(upstream, 'large', [{ version: '1.0.0', tarball: large }]);
    await server.remote('npm-public', 'npm', upstream.url);
    await server.virtual('npm', 'npm', ['npm-public']);
  });
  afterEach(async () => {
    await server.stop();
    await upstream.stop();
  });

  const get = (path: string) => fetch(`${server.url}/npm${path}`);
  const digest = async (path: string): Promise<string> => {
    const answer = await get(path);
    expect(answer.status).toBe(200);
    return digestOf(Buffer.from(await answer.arrayBuffer()));
  };

  /** What the small package needs is in memory then; the large one is in the bucket alone. */
  async function warm(): Promise<void> {
    for (const _ of [1, 2]) {
      expect(await digest(SMALL)).toBe(digestOf(small));
      expect(await digest(LARGE)).toBe(digestOf(large));
      await digest('/small');
    }
  }

  /** A package that nobody has asked for. */
  function another(size = 200_000): { readonly path: string; readonly bytes: Buffer } {
    releases += 1;
    const bytes = randomBytes(size);
    publish(upstream, `cold-${releases}`, [{ version: '1.0.0', tarball: bytes }]);
    return { path: `/cold-${releases}/-/cold-${releases}-1.0.0.tgz`, bytes };
  }

  async function expectUnavailable(path: string, reason: RegExp): Promise<void> {
    const answer = await get(path);
    const text = await answer.text();
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '30']);
    expect(text).toMatch(reason);
    expect(text).not.toContain(s3.secretKey);
  }

  async function expectHealed(): Promise<void> {
    expect(await digest(LARGE)).toBe(digestOf(large));
    const { path, bytes } = another();
    expect(await digest(path)).toBe(digestOf(bytes));
    expect(await digest(path)).toBe(digestOf(bytes));
    await expect.poll(async () => (await server.get('/health')).body.checks.store).toMatchObject({ status: 'ok' });
    expect((await server.get('/ready')).status).toBe(200);
  }

  async function packages(): Promise<string[]> {
    const { body } = await server.get('/api/v2/pulls?limit=500');
    return (body.items as { path: string; decision: string }[]).map(({ path }) => path);
  }

  describe.each([
    ['down', () => s3.down(), () => s3.up(), /ECONNREFUSED|hang up|ECONNRESET/, /the bucket bucket-\d+ at http/],
    [
      'refusing connections',
      () => proxy.refuse(),
      () => proxy.heal(),
      /ECONNREFUSED|ECONNRESET/,
      /the bucket bucket-\d+ at http/,
    ],
    ['frozen', async () => s3.freeze(), async () => s3.thaw(), /no answer for 15 s/, /has not answered for 2 s/],
  ] as const)('that is %s', (_, breaks, heals, reason, inHealth) => {
    test('goes on with what is in memory, says 503 for the rest, and heals by itself', async () => {
      await warm();
      await breaks();
      try {
        const unavailable = Promise.all([
          expectUnavailable(LARGE, reason),
          expectUnavailable(another().path, reason),
          expect
            .poll(async () => (await server.get('/health')).body.checks.store)
            .toMatchObject({ status: 'failing', message: expect.stringMatching(inHealth) }),
        ]);
        for (let times = 0; times < 5; times += 1) {
          expect(await digest(SMALL)).toBe(digestOf(small));
          await digest('/small');
        }
        await unavailable;
      } finally {
        await heals();
      }
      await expectHealed();
      expect((await packages()).filter((path) => path === SMALL.slice(1))).toHaveLength(7);
    });
  });

  test('that answers 5 s late is late, and nothing else', async () => {
    await warm();
    proxy.delay(5000);
    const cold = another();
    const slow = Promise.all([digest(LARGE), digest(cold.path)]);
    expect(await Promise.race([digest(SMALL), slow])).toBe(digestOf(small));
    expect(await slow).toEqual([digestOf(large), digestOf(cold.bytes)]);
    await proxy.heal();
    await expectHealed();
  });

  test('that is full keeps nothing more and gives what it has, until there is room', async () => {
    await warm();
    await s3.limit(bucket, 6_100_000);
    // What is large is on its way to the client before it is kept.
    const broken = await transfer(another(40_000_000).path);
    expect([broken.status, broken.whole]).toEqual([200, false]);
    expect(broken.bytes.length).toBeLessThan(40_000_000);
    await expectUnavailable(another(60_000).path, /no space left in the bucket .*QuotaExceeded.*free space/);
    expect(await digest(LARGE)).toBe(digestOf(large));
    const { uploads } = await s3.client().listIncompleteUploadsQuery(bucket, '', '', '', '');
    expect(uploads).toEqual([]);
    await s3.limit(bucket, undefined);
    await expectHealed();
  });

  /** As far as the connection went, with whether it ended as it should. */
  async function transfer(path: string): Promise<{ status: number; bytes: Buffer; whole: boolean }> {
    const [response] = (await once(httpRequest(`${server.url}/npm${path}`, { agent: false }).end(), 'response')) as [
      IncomingMessage,
    ];
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of response) chunks.push(chunk as Buffer);
    } catch {
      // It was broken off.
    }
    return { status: response.statusCode ?? 0, bytes: Buffer.concat(chunks), whole: response.complete };
  }

  test('whose answers are cut again and again breaks off its own, never with a complete wrong file', async () => {
    await warm();
    proxy.cutAfter(1_000_000);
    const { status, bytes, whole } = await transfer(LARGE);
    expect([status, whole]).toEqual([200, false]);
    expect(bytes.equals(large.subarray(0, bytes.length))).toBe(true);
    expect(bytes.length).toBeLessThan(large.length);
    await proxy.heal();
    await expectHealed();
  });

  test('whose answer is cut once goes on where it was, and the client sees nothing of it', async () => {
    await warm();
    proxy.cutAfter(4_000_000);
    expect(await digest(LARGE)).toBe(digestOf(large));
    await proxy.heal();
  });

  test('that goes away while a file is taken in keeps nothing of it and gives nobody all of it', async () => {
    await warm();
    const { path, bytes } = another(40_000_000);
    const gate = upstream.hold(path, { afterBytes: 30_000_000 });
    const asked = transfer(path);
    await gate.arrived();
    await proxy.refuse();
    gate.open();
    const got = await asked;
    expect([got.status, got.whole]).toEqual([200, false]);
    expect(got.bytes.length).toBeLessThan(bytes.length);
    await proxy.heal();
    expect(await digest(path)).toBe(digestOf(bytes));
    await expectHealed();
  });

  describe('does not start', () => {
    async function refusal(storage_url: string): Promise<string> {
      const failed = await TestServer.start({ settings: { storage_url } }).then(
        async (started) => {
          await started.stop();
          return new Error('it started');
        },
        (error: Error) => error,
      );
      expect(failed.message.split('\n')).toHaveLength(1);
      expect(failed.message).not.toContain(s3.secretKey);
      return failed.message;
    }

    test('without its bucket', async () => {
      expect(await refusal(s3.url('nowhere'))).toMatch(/there is no bucket nowhere at http.*: make it/);
    });

    test('with a wrong key', async () => {
      const url = s3.url(bucket);
      expect(await refusal(url.replace('secret%2Bkey', 'wrong'))).toMatch(/refuses the key .*SignatureDoesNotMatch/);
      expect(await refusal(url.replace(s3.accessKey, 'nobody'))).toMatch(/refuses the key .*InvalidAccessKeyId/);
    });

    test('where nobody listens', async () => {
      expect(await refusal(s3.url(bucket, 1))).toMatch(/cannot use the bucket .*127\.0\.0\.1:1.*ECONNREFUSED/);
    });
  });
});
