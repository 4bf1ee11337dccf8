import { hash, randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { type Readable, StoreError } from '../../store/store.ts';
import { Malformed } from '../format.ts';
import { filesOfZip } from './zip-files.ts';

const CHUNK = 1000;

/** As a store has them: its memory is used again. */
function readable(bytes: Buffer): Readable {
  const memory = [Buffer.alloc(CHUNK), Buffer.alloc(CHUNK)] as const;
  return {
    size: bytes.length,
    async *stream(start = 0, end = bytes.length) {
      for (let at = start; at < end; at += CHUNK) {
        const chunk = memory[(at / CHUNK) % 2 < 1 ? 0 : 1];
        yield chunk.subarray(0, bytes.copy(chunk, 0, at, Math.min(at + CHUNK, end)));
      }
    },
    release: () => {},
  };
}

type Made = readonly [name: string, bytes: Buffer, options?: { compress?: boolean; forceZip64Format?: boolean }];

function zipOf(...files: readonly Made[]): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, bytes, options] of files) zip.addBuffer(bytes, name, options);
  zip.end({ forceZip64Format: false, comment: 'a comment' });
  return buffer(zip.outputStream);
}

const digests = (files: readonly Made[]) =>
  files.map(([name, bytes]) => ({ name: Buffer.from(name).toString('latin1'), sha256: hash('sha256', bytes) }));

describe('what is in a zip', () => {
  test('small and large, packed and not, empty, with any name', async () => {
    const files: Made[] = [
      ['a/go.mod', Buffer.from('module a\n')],
      ['a/large', randomBytes(300_000)],
      ['a/large-stored', randomBytes(300_000), { compress: false }],
      ['a/shrinks', Buffer.alloc(2_000_000, 'entrepot')],
      ['a/stored', randomBytes(5000), { compress: false }],
      ['a/empty', Buffer.alloc(0)],
      ['a/ä', Buffer.from('ä')],
      ['a/64', randomBytes(10), { forceZip64Format: true }],
      ...Array.from({ length: 3000 }, (_, at): Made => [`a/${at}`, randomBytes(200)]),
    ];
    expect(await filesOfZip(readable(await zipOf(...files)))).toEqual(digests(files));
  });

  test('folders and nothing', async () => {
    const zip = new ZipFile();
    zip.addEmptyDirectory('a/');
    zip.end();
    expect(await filesOfZip(readable(await buffer(zip.outputStream)))).toEqual(digests([['a/', Buffer.alloc(0)]]));
    expect(await filesOfZip(readable(await zipOf()))).toEqual([]);
  });
});

describe('what is no zip', () => {
  const unreadable = (bytes: Buffer) => expect(filesOfZip(readable(bytes))).rejects.toBeInstanceOf(Malformed);

  test.each([0, 1, 21, 100_000])('%i bytes of anything', (size) => unreadable(randomBytes(size)));

  test('one that breaks off, wherever', async () => {
    const zip = await zipOf(['a', randomBytes(3000)], ['b', Buffer.alloc(3000)]);
    for (let size = 1; size < zip.length; size += 97) await unreadable(zip.subarray(0, size));
  });

  test.each([100, 200_000])('one with a changed byte in a file of %i', async (size) => {
    for (const compress of [true, false]) {
      const zip = await zipOf(['a', randomBytes(size), { compress }]);
      zip[80] = (zip[80] ?? 0) ^ 1;
      await unreadable(zip);
    }
  });

  test.each([
    ['one that says that a small file is smaller than it is', 100, 50],
    ['one that says that a large file is smaller than it is', 1_000_000, 70_000],
    ['one that says that a file is larger than it is', 100, 200],
    ['one that unpacks to more than a gibibyte', 100, 1024 ** 3 + 1],
  ])('%s', async (_what, size, said) => {
    const zip = await zipOf(['a', Buffer.alloc(size)]);
    const directory = zip.indexOf(Buffer.from('PK\x01\x02'));
    zip.writeUInt32LE(said, directory + 24);
    await unreadable(zip);
  });

  test('one that says it has more than 100,000 files', async () => {
    const made = new ZipFile();
    made.addBuffer(Buffer.alloc(10), 'a');
    made.end({ forceZip64Format: true, comment: '' });
    const zip = await buffer(made.outputStream);
    zip.writeBigUInt64LE(100_001n, zip.indexOf(Buffer.from('PK\x06\x06')) + 32);
    await expect(filesOfZip(readable(zip))).rejects.toThrow('100001 files');
  });
});

test('a store that fails is no reason to call it malformed', async () => {
  const zip = await zipOf(['a', randomBytes(300_000)]);
  const body = readable(zip);
  let reads = 0;
  const failing: Readable = {
    ...body,
    stream: (start, end) => {
      reads += 1;
      if (reads > 2) throw new StoreError('unreachable', 'the disk is gone');
      return body.stream(start, end);
    },
  };
  await expect(filesOfZip(failing)).rejects.toBeInstanceOf(StoreError);
});
