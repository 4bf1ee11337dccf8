import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { IntegrityError, type Readable, type Store, type Upload } from './store.ts';

export const sha256 = (bytes: Uint8Array | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Bytes that differ everywhere, so that a chunk out of place shows. */
export function sample(size: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let state = seed;
  for (let at = 0; at < size; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}

export async function put(store: Store, bytes: Uint8Array): Promise<string> {
  const upload = await store.begin();
  await upload.write(bytes);
  return (await upload.commit()).digest;
}

async function read(readable: Readable, start?: number, end?: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of readable.stream(start, end)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Reads it to the end and lets go of it. */
export async function consume(readable: Readable, start?: number, end?: number): Promise<Buffer> {
  try {
    return await read(readable, start, end);
  } finally {
    readable.release();
  }
}

/** What every store must do. `open` makes an empty one that goes by that clock. */
export function storeContract(name: string, open: (clock: { now: () => number }) => Promise<Store>): void {
  describe(name, () => {
    let store: Store;
    const clock = { now: Date.now };
    beforeEach(async () => {
      clock.now = Date.now;
      store = await open({ now: () => clock.now() });
    });
    afterEach(() => store.close());

    describe('at rest', () => restContract(() => store));
    describe('for whoever sweeps', () => ageContract(() => store, clock));
    describe('on the way in', () => uploadContract(() => store));
    describe('while it grows', () => followContract(() => store));
  });
}

function restContract(store: () => Store): void {
  test('bytes come back under their digest', async () => {
    const bytes = sample(3_000_000);
    const digest = await put(store(), bytes);
    expect(digest).toBe(sha256(bytes));
    expect(await store().stat(digest)).toEqual({ size: bytes.length });
    const blob = await store().open(digest);
    expect(blob?.size).toBe(bytes.length);
    expect((await blob?.bytes())?.equals(bytes)).toBe(true);
    expect(blob && (await read(blob)).equals(bytes)).toBe(true);
    blob?.release();
  });

  test('an empty blob is a blob', async () => {
    const digest = await put(store(), Buffer.alloc(0));
    expect(digest).toBe(sha256(''));
    const blob = await store().open(digest);
    expect(blob?.size).toBe(0);
    expect(blob && (await read(blob)).length).toBe(0);
    blob?.release();
  });

  test('what was never stored is not there', async () => {
    const digest = sha256('nothing');
    expect(await store().open(digest)).toBeUndefined();
    expect(await store().stat(digest)).toBeUndefined();
    expect(await store().delete(digest)).toBe(false);
  });

  test.each(['md5:00', 'sha256:../../../../etc/passwd', `sha256:${'A'.repeat(64)}`, ''])(
    'only a SHA-256 digest names a blob: %j',
    async (digest) => {
      await expect(store().open(digest)).rejects.toThrow('not a SHA-256 digest');
    },
  );

  test.each([
    [0, 1],
    [0, 1_048_576],
    [1_048_575, 1_048_577],
    [5, 2_500_000],
    [2_999_999, 3_000_000],
    [2_000_000, 9_000_000],
    [3_000_000, 3_000_001],
  ])('a range [%d, %d) is those bytes', async (start, end) => {
    const bytes = sample(3_000_000);
    const blob = await store().open(await put(store(), bytes));
    expect(blob && (await read(blob, start, end)).equals(bytes.subarray(start, end))).toBe(true);
    blob?.release();
  });

  test('a chunk stays as it is until the chunk after the next is asked for', async () => {
    const bytes = sample(6_000_000);
    const blob = await store().open(await put(store(), bytes));
    const previous: { at: number; chunk: Uint8Array }[] = [];
    let at = 0;
    for await (const chunk of blob?.stream() ?? []) {
      previous.push({ at, chunk });
      at += chunk.length;
      await new Promise((resolve) => setImmediate(resolve));
      for (const held of previous.slice(-2)) {
        expect(bytes.subarray(held.at, held.at + held.chunk.length).equals(held.chunk)).toBe(true);
      }
    }
    expect(at).toBe(bytes.length);
    blob?.release();
  });

  test('two readers of one blob do not disturb each other', async () => {
    const bytes = sample(5_000_000);
    const digest = await put(store(), bytes);
    const whole = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const blob = await store().open(digest);
        const got = blob && (await read(blob));
        blob?.release();
        return got?.equals(bytes);
      }),
    );
    expect(whole).toEqual(Array.from({ length: 8 }, () => true));
  });

  test('deleting a blob does not disturb who reads it', async () => {
    const bytes = sample(4_000_000);
    const digest = await put(store(), bytes);
    const blob = await store().open(digest);
    const chunks: Buffer[] = [];
    for await (const chunk of blob?.stream() ?? []) {
      if (chunks.length === 0) expect(await store().delete(digest)).toBe(true);
      chunks.push(Buffer.from(chunk));
    }
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    blob?.release();
    expect(await store().open(digest)).toBeUndefined();
    expect(await store().delete(digest)).toBe(false);
  });

  test('a released blob still ends the stream under way', async () => {
    const bytes = sample(4_000_000);
    const blob = await store().open(await put(store(), bytes));
    const stream = blob?.stream() ?? [];
    blob?.release();
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(Buffer.from(chunk));
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });

  test('a stream given up half way leaves the blob readable', async () => {
    const bytes = sample(4_000_000);
    const blob = await store().open(await put(store(), bytes));
    for await (const chunk of blob?.stream() ?? []) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect((await blob?.bytes())?.equals(bytes)).toBe(true);
    blob?.release();
  });

  test('the list names every blob and its size', async () => {
    const blobs = [sample(10, 1), sample(20, 2), sample(30, 3)];
    for (const bytes of blobs) await put(store(), bytes);
    const unfinished = await store().begin();
    await unfinished.write(sample(40, 4));
    const listed = new Map<string, number>();
    for await (const { digest, size, modified } of store().list()) {
      listed.set(digest, size);
      expect(Number.isInteger(modified)).toBe(true);
    }
    expect(listed).toEqual(new Map(blobs.map((bytes) => [sha256(bytes), bytes.length])));
    await unfinished.abort();
  });

  test('the list is in order, and goes on after any digest', async () => {
    const digests: string[] = [];
    for (let n = 0; n < 40; n += 1) digests.push(await put(store(), Buffer.from(`blob ${n}`)));
    digests.sort();
    const listed = async (after?: string): Promise<string[]> => {
      const found: string[] = [];
      for await (const { digest } of store().list(after)) found.push(digest);
      return found;
    };
    expect(await listed()).toEqual(digests);
    for (const at of [0, 7, 20, 39]) expect(await listed(digests[at])).toEqual(digests.slice(at + 1));
    const between = sha256(Buffer.from('no blob of these'));
    expect(await listed(between)).toEqual(digests.filter((digest) => digest > between));
  });

  test('what is in quarantine is not served any more, and can be stored anew', async () => {
    const bytes = sample(100_000);
    const digest = await put(store(), bytes);
    const open = await store().open(digest);
    open?.release();
    expect(await store().quarantine(digest)).toBe(true);
    expect(await store().open(digest)).toBeUndefined();
    expect(await store().stat(digest)).toBeUndefined();
    for await (const blob of store().list()) expect(blob).toBeUndefined();
    expect(await store().quarantine(digest)).toBe(false);
    expect(await store().delete(digest)).toBe(false);
    expect(await put(store(), bytes)).toBe(digest);
    expect((await store().stat(digest))?.size).toBe(bytes.length);
    expect(await store().quarantine(digest)).toBe(true);
  });

  test('a store that works says so', async () => {
    await expect(store().check()).resolves.toBeUndefined();
  });
}

function ageContract(store: () => Store, clock: { now: () => number }): void {
  const modified = async (): Promise<number> => {
    for await (const blob of store().list()) return blob.modified;
    throw new Error('the list is empty');
  };

  test('what is stored again a long time later is young again', async () => {
    const bytes = sample(1000);
    await put(store(), bytes);
    const before = await modified();
    expect(Math.abs(Date.now() - before)).toBeLessThan(60_000);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    clock.now = () => Date.now() + 3_600_000;
    expect(await put(store(), bytes)).toBe(sha256(bytes));
    expect(await modified()).toBeGreaterThan(before);
    const blob = await store().open(sha256(bytes));
    expect((await blob?.bytes())?.equals(bytes)).toBe(true);
    blob?.release();
  });
}

function uploadContract(store: () => Store): void {
  test('other hashes are computed while the bytes pass', async () => {
    const bytes = sample(100_000);
    const upload = await store().begin(['sha512', 'md5']);
    await upload.write(bytes.subarray(0, 60_000));
    await upload.write(bytes.subarray(60_000));
    const { hashes } = await upload.commit();
    for (const algorithm of ['sha256', 'sha512', 'md5']) {
      expect(hashes[algorithm]).toBe(createHash(algorithm).update(bytes).digest('hex'));
    }
  });

  test('what was announced and came is kept', async () => {
    const bytes = sample(1000);
    const upload = await store().begin(['sha512']);
    await upload.write(bytes);
    const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
    const committed = await upload.commit({ digest, size: 1000 });
    expect(await store().stat(committed.digest)).toEqual({ size: 1000 });
  });

  test.each([
    ['digest', { digest: `sha256:${'0'.repeat(64)}` }],
    ['digest', { digest: `sha1:${'0'.repeat(40)}` }],
    ['size', { size: 999 }],
  ] as const)('a wrong %s keeps nothing', async (what, expected) => {
    const bytes = sample(1000);
    const upload = await store().begin();
    await upload.write(bytes);
    await expect(upload.commit(expected)).rejects.toMatchObject({ name: 'IntegrityError', what });
    expect(await store().stat(sha256(bytes))).toBeUndefined();
    for await (const blob of store().list()) expect(blob).toBeUndefined();
  });

  test('the same bytes at the same time are one blob, for everyone', async () => {
    const bytes = sample(500_000);
    const digests = await Promise.all(Array.from({ length: 20 }, () => put(store(), bytes)));
    expect(new Set(digests)).toEqual(new Set([sha256(bytes)]));
    const blob = await store().open(sha256(bytes));
    expect((await blob?.bytes())?.equals(bytes)).toBe(true);
    blob?.release();
    let count = 0;
    for await (const _ of store().list()) count += 1;
    expect(count).toBe(1);
  });

  test('storing again what was deleted brings it back', async () => {
    const bytes = sample(2_000_000);
    const digest = await put(store(), bytes);
    const first = await store().open(digest);
    first?.release();
    await store().delete(digest);
    expect(await put(store(), bytes)).toBe(digest);
    const blob = await store().open(digest);
    expect((await blob?.bytes())?.equals(bytes)).toBe(true);
    blob?.release();
  });

  test('writes not waited for arrive in their order', async () => {
    const bytes = sample(300_000);
    const upload = await store().begin();
    const writes = [0, 1, 2].map((part) => upload.write(bytes.subarray(part * 100_000, (part + 1) * 100_000)));
    await Promise.all(writes);
    expect(upload.written).toBe(300_000);
    expect((await upload.commit({ size: 300_000 })).digest).toBe(sha256(bytes));
  });

  test('what is written can be looked at, to its last byte, before it is committed', async () => {
    const upload = await store().begin(['sha512']);
    const bytes = sample(3_000_000);
    await upload.write(bytes.subarray(0, 1_000_000));
    expect((await upload.hashes())['sha256']).toBe(sha256(bytes.subarray(0, 1_000_000)).slice('sha256:'.length));
    await upload.write(bytes.subarray(1_000_000));
    const hashes = await upload.hashes();
    expect(hashes['sha512']).toBe(createHash('sha512').update(bytes).digest('hex'));
    expect((await consume(upload.inspect())).equals(bytes)).toBe(true);
    expect((await consume(upload.inspect(), 2_999_990)).equals(bytes.subarray(2_999_990))).toBe(true);
    expect(await upload.commit()).toMatchObject({ hashes });
  });

  test('an aborted upload takes no more bytes and leaves none', async () => {
    const upload = await store().begin();
    await upload.write(sample(10));
    await upload.abort(new Error('upstream hung up'));
    await upload.abort();
    await expect(upload.write(sample(10))).rejects.toThrow('upstream hung up');
    await expect(upload.commit()).rejects.toThrow('upstream hung up');
    expect(await store().stat(sha256(sample(10)))).toBeUndefined();
  });
}

function followContract(store: () => Store): void {
  test.each([undefined, 2_000_000])('a follower sees all bytes as they come (size %s)', async (size) => {
    const bytes = sample(2_000_000);
    const upload = await store().begin();
    const followers = [upload.follow(size), upload.follow(size)].map((readable) => consume(readable));
    for (let at = 0; at < bytes.length; at += 64_000) await upload.write(bytes.subarray(at, at + 64_000));
    const late = consume(upload.follow(size), 1_000_000, 1_500_000);
    await upload.commit();
    for (const got of await Promise.all(followers)) expect(got.equals(bytes)).toBe(true);
    expect((await late).equals(bytes.subarray(1_000_000, 1_500_000))).toBe(true);
  });

  test('the first byte is there before the last has come, and the last only after the commit', async () => {
    const upload = await store().begin();
    const readable = upload.follow(6);
    const stream = readable.stream()[Symbol.asyncIterator]();
    readable.release();
    const seen: string[] = [];
    const next = async (): Promise<void> => {
      const { value } = await stream.next();
      if (value) seen.push(Buffer.from(value).toString());
    };
    const first = next();
    await upload.write(Buffer.from('abc'));
    await first;
    expect(seen).toEqual(['ab']);
    const second = next();
    await upload.write(Buffer.from('def'));
    await second;
    expect(seen).toEqual(['ab', 'cde']);
    const last = next();
    await upload.commit();
    await last;
    expect(seen).toEqual(['ab', 'cde', 'f']);
    expect(await stream.next()).toMatchObject({ done: true });
  });

  test('a follower of an aborted upload breaks off with its reason', async () => {
    const upload = await store().begin();
    const readable = upload.follow();
    const follower = consume(readable);
    const late = upload.follow();
    await upload.write(sample(1000));
    await Promise.all([
      expect(follower).rejects.toThrow('upstream hung up'),
      upload.abort(new Error('upstream hung up')),
    ]);
    await expect(consume(late)).rejects.toThrow('upstream hung up');
    await expect(consume(upload.follow())).rejects.toThrow('upstream hung up');
  });

  test('nobody holds a complete wrong file', async () => {
    const bytes = sample(1000);
    const upload = await store().begin();
    const got: Buffer[] = [];
    const follower = collect(upload, got);
    await upload.write(bytes);
    const wrong = { digest: `sha256:${'0'.repeat(64)}` };
    await Promise.all([
      expect(follower).rejects.toBeInstanceOf(IntegrityError),
      expect(upload.commit(wrong)).rejects.toBeInstanceOf(IntegrityError),
    ]);
    expect(Buffer.concat(got).length).toBeLessThan(bytes.length);
  });

  test('a follower who was promised another length breaks off', async () => {
    const upload = await store().begin();
    const follower = consume(upload.follow(11));
    await upload.write(sample(10));
    await Promise.all([
      expect(follower).rejects.toMatchObject({ name: 'IntegrityError', what: 'size' }),
      upload.commit(),
    ]);
  });

  test('who follows after the end reads the blob', async () => {
    const bytes = sample(100_000);
    const upload = await store().begin();
    await upload.write(bytes);
    await upload.commit();
    expect((await consume(upload.follow(), 10, 2000)).equals(bytes.subarray(10, 2000))).toBe(true);
  });

  test('who decides sees the last byte too, and whatever he asks for again', async () => {
    const bytes = sample(100_000);
    const upload = await store().begin();
    await upload.write(bytes);
    const readable = upload.inspect();
    expect(readable.size).toBe(bytes.length);
    expect((await read(readable, 99_990)).equals(bytes.subarray(99_990))).toBe(true);
    expect((await consume(readable)).equals(bytes)).toBe(true);
    expect(await upload.commit()).toMatchObject({ digest: sha256(bytes) });
  });

  test('a follower who leaves does not stop the upload', async () => {
    const upload = await store().begin();
    const readable = upload.follow();
    await upload.write(sample(1000));
    for await (const chunk of readable.stream()) {
      expect(chunk.length).toBe(999);
      break;
    }
    readable.release();
    await upload.write(sample(1000, 2));
    expect((await upload.commit()).size).toBe(2000);
  });
}

async function collect(upload: Upload, into: Buffer[]): Promise<void> {
  const readable = upload.follow();
  const stream = readable.stream();
  readable.release();
  for await (const chunk of stream) into.push(Buffer.from(chunk));
}
