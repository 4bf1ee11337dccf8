import { ExtensionCodec, encode } from '@msgpack/msgpack';
import { expect, test } from 'vitest';
import { sample } from '../test/support/sample.ts';
import { decodeObject, decodeState, encodeObject } from './codec.ts';
import { attributesOf } from './schema.ts';
import { type Fields, UNKNOWN } from './value.ts';

const attributes = attributesOf(sample);
const empty = Object.fromEntries(attributes.map(({ name }) => [name, null]));
const received = (sent: ReturnType<typeof encodeObject>) => ({
  msgpack: sent.msgpack ?? new Uint8Array(),
  json: sent.json ?? new Uint8Array(),
});
const there = (value: Fields | null): Fields | null =>
  decodeObject(attributes, received(encodeObject(attributes, value)));

test('every attribute is written, null when it is unset, and none that the schema does not have', () => {
  expect(there({ name: 'a', stranger: 'x' } as Fields)).toEqual({ ...empty, name: 'a' });
});

test('no object at all is one byte', () => {
  expect(encodeObject(attributes, null)).toEqual({ msgpack: Uint8Array.of(0xc0) });
  expect(there(null)).toBeNull();
  expect(decodeObject(attributes, undefined)).toBeNull();
});

test('empty is not unset, wherever it stands', () => {
  const value = {
    ...empty,
    patterns: [],
    members: [],
    labels: {},
    comment: '',
    auth: { type: 'bearer', token: null, timeout: '' },
  };
  expect(there(value)).toEqual(value);
});

test('nested values come back as they were', () => {
  const rule = { action: 'deny', weight: 3, key: null };
  const value = {
    ...empty,
    count: 9,
    ratio: 0.1,
    enabled: false,
    rules: [rule, rule],
    grants: [rule],
    routes: { a: rule },
    labels: { a: 'b' },
  };
  expect(there(value)).toEqual(value);
});

test('what is not known yet is so at every depth', () => {
  const value = {
    ...empty,
    url: UNKNOWN,
    patterns: ['a', UNKNOWN],
    labels: { a: UNKNOWN },
    rules: UNKNOWN,
    auth: { type: UNKNOWN, token: null, timeout: null },
  };
  expect(there(value)).toEqual(value);
});

class Marker {}

test('an extension of a later protocol, or one that narrows it down, is also not known yet', () => {
  for (const type of [12, 99]) {
    const extensionCodec = new ExtensionCodec();
    extensionCodec.register({
      type,
      encode: (value) => (value instanceof Marker ? Uint8Array.of(0x81, 1, 0xc2) : null),
      decode: () => null,
    });
    const msgpack = encode({ ...empty, url: new Marker(), patterns: [new Marker()] }, { extensionCodec });
    expect(decodeObject(attributes, { msgpack, json: new Uint8Array() })).toEqual({
      ...empty,
      url: UNKNOWN,
      patterns: [UNKNOWN],
    });
  }
});

test('numbers keep every digit: as numbers when they are exact, else as decimal text', () => {
  const decoded = (count: unknown) =>
    decodeObject(attributes, { msgpack: encode({ ...empty, count }, { useBigInt64: true }), json: new Uint8Array() })
      ?.count;
  expect(decoded(2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER);
  expect(decoded(2n ** 53n + 1n)).toBe('9007199254740993');
  expect(decoded('0.1')).toBe(0.1);
  expect(decoded('0.10000000000000000001')).toBe('0.10000000000000000001');
  expect(decoded(-3)).toBe(-3);
});

test('a fraction is sent as decimal text, in which Terraform reads it exactly', () => {
  const { msgpack } = encodeObject([{ name: 'ratio', type: 'number', description: '' }], { ratio: 0.1 });
  expect(msgpack).toEqual(encode({ ratio: '0.1' }));
});

test('kept state of another version: unknown attributes go, missing ones and those of another type are null', () => {
  const json = Buffer.from(
    JSON.stringify({
      name: 'a',
      long_gone: 1,
      patterns: 'not a list',
      labels: { a: 'b' },
      auth: { type: 'bearer', old: 1 },
    }),
  );
  expect(decodeState(attributes, json)).toEqual({
    ...empty,
    name: 'a',
    labels: { a: 'b' },
    auth: { type: 'bearer', token: null, timeout: null },
  });
});
