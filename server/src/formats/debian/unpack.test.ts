import { readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressSync as xzCompressSync } from '@napi-rs/lzma/xz';
import { describe, expect, test } from 'vitest';
import { Malformed } from '../../engine/format.ts';
import { unpacked } from './unpack.ts';

const text = Buffer.from('Package: widget\n'.repeat(50_000));
const WAYS = [
  { way: 'gzip', pack: (bytes: Uint8Array): Uint8Array => gzipSync(bytes) },
  { way: 'zstd', pack: (bytes: Uint8Array): Uint8Array => zstdCompressSync(bytes) },
  { way: 'xz', pack: (bytes: Uint8Array): Uint8Array => xzCompressSync(bytes) },
];

describe.each(WAYS)('$way', ({ pack }) => {
  test('is read, also when it is several one after the other', () => {
    expect(Buffer.from(unpacked(pack(text))).equals(text)).toBe(true);
    const twice = Buffer.concat([pack(text), pack(text)]);
    expect(unpacked(twice).length).toBe(2 * text.length);
  });

  test('of nothing is nothing', () => {
    expect(unpacked(pack(Buffer.alloc(0))).length).toBe(0);
  });

  test('up to the limit is read, above it is refused', () => {
    expect(unpacked(pack(text), text.length).length).toBe(text.length);
    expect(() => unpacked(pack(text), text.length - 1)).toThrow(/more than/);
  });

  test.each([0.1, 0.5, 0.9])('that ends after %d of it is Malformed', (part) => {
    const packed = pack(text);
    expect(() => unpacked(packed.subarray(0, Math.max(7, Math.floor(packed.length * part))))).toThrow(Malformed);
  });
});

// The reader of .xz verifies no check of its own: lists are compared with the digest that their Release file has for them.
test.each(WAYS.filter(({ way }) => way !== 'xz'))('$way with a byte changed is Malformed', ({ pack }) => {
  const packed = Buffer.from(pack(text));
  packed[packed.length >> 1] = (packed[packed.length >> 1] ?? 0) ^ 0xff;
  expect(() => unpacked(packed)).toThrow(Malformed);
});

describe('bzip2', () => {
  const file = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url));
  const packed = file('aptly-Packages.bz2');
  const whole = Buffer.from(unpacked(file('aptly-Packages.gz')));

  test('is read, also when it is several one after the other', () => {
    expect(Buffer.from(unpacked(packed)).equals(whole)).toBe(true);
    expect(unpacked(Buffer.concat([packed, packed])).length).toBe(2 * whole.length);
  });

  test('up to the limit is read, above it is refused', () => {
    expect(unpacked(packed, whole.length).length).toBe(whole.length);
    expect(() => unpacked(packed, whole.length - 1)).toThrow(/more than/);
  });

  test.each([10, 100, 800, 895])('that ends after %d bytes is Malformed', (length) => {
    expect(() => unpacked(packed.subarray(0, length))).toThrow(Malformed);
  });

  test.each([3, 6, 60, 450, 890])('with byte %d changed is Malformed', (at) => {
    const changed = Buffer.from(packed);
    changed[at] = (changed[at] ?? 0) ^ 0xff;
    expect(() => unpacked(changed)).toThrow(Malformed);
  });
});

test('what does not pack is limited too', () => {
  const packed = xzCompressSync(Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))));
  expect(() => unpacked(packed, 59_999)).toThrow(/more than/);
  expect(unpacked(packed, 60_000).length).toBe(60_000);
});

test('a bomb whose own list of sizes is modest is refused before it goes off', () => {
  const packed = Buffer.from(xzCompressSync(Buffer.alloc(2_000_000)));
  const index = packed.length - 12 - (packed.readUInt32LE(packed.length - 8) + 1) * 4;
  packed.fill(1, index + 2, index + 4);
  expect(() => unpacked(packed, 1_000_000)).toThrow(/more than/);
});

test('anything else is text', () => {
  expect(unpacked(text)).toBe(text);
  expect(unpacked(Buffer.alloc(0)).length).toBe(0);
});
