import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import * as messages from './messages.ts';
import { decode, encode, type Field, type Message } from './protobuf.ts';

const proto = readFileSync(new URL('../../test/fixtures/plugin.proto', import.meta.url), 'utf8');
const reference = protobuf.parse(proto).root;

/** Every message there is, by its name in the .proto file. */
const table = Object.entries(messages).flatMap(([name, value]): [string, Message][] =>
  'request' in value
    ? [
        [`${name}Request`, value.request],
        [`${name}Response`, value.response],
      ]
    : [[name, value as Message]],
);

test('every message of the reference is one of ours', () => {
  const theirs = Object.values(reference.nested ?? {}).filter((each) => each instanceof protobuf.Type);
  expect(table.map(([name]) => name).sort()).toEqual(theirs.map(({ name }) => name).sort());
});

test.each(table)('%s has the same fields', (name, message) => {
  const theirs = reference.lookupType(name).fieldsArray.map((field) => [field.name, field.id]);
  expect(Object.entries(message.fields).map(([field, { no }]) => [field, no])).toEqual(theirs);
});

test.each(table)('%s reads and writes as the library does', (name, message) => {
  const type = reference.lookupType(name);
  for (const value of samples(message, 0)) {
    const ours = encode(message, value as never);
    expect(plain(type.toObject(type.decode(ours), READ))).toEqual(plain(withZeros(message, value)));
    expect(plain(decode(message, type.encode(type.fromObject(value)).finish()))).toEqual(
      plain(withZeros(message, value)),
    );
  }
});

test('a step of a path keeps the index 0', () => {
  const bytes = encode(messages.AttributePathStep, { elementKeyInt: 0 });
  expect(decode(messages.AttributePathStep, bytes)).toEqual({ elementKeyInt: 0 });
});

test('numbers beyond 32 bits and below zero arrive whole', () => {
  for (const number of [127, 128, 16_384, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER, -1, -(2 ** 40)]) {
    const bytes = encode(messages.AttributePathStep, { elementKeyInt: number });
    expect(decode(messages.AttributePathStep, bytes).elementKeyInt).toBe(number);
  }
});

test('fields of later protocols are passed over', () => {
  const later = protobuf.parse(
    'syntax = "proto3"; message M { string name = 1; fixed64 a = 90; fixed32 b = 91; string c = 92; int64 d = 93; }',
  );
  const bytes = later.root.lookupType('M').encode({ name: 'x', a: 1, b: 2, c: 'y', d: 5 }).finish();
  expect(decode(messages.DynamicValue, bytes)).toEqual({ msgpack: Buffer.from('x'), json: new Uint8Array() });
});

test('a message that ends early is refused', () => {
  const whole = encode(messages.RawState, { json: Buffer.from('{"name":"a"}') });
  for (let length = 1; length < whole.length; length++) {
    expect(() => decode(messages.RawState, whole.subarray(0, length))).toThrow(RangeError);
  }
});

const READ = { longs: Number, enums: Number, defaults: true, oneofs: false } as const;

/** The empty message, one with every field that can be at once, and one for each member of a oneof. */
function samples(message: Message, depth: number): Record<string, unknown>[] {
  const fields = Object.entries(message.fields);
  const exclusive = fields.filter(([, { rule }]) => rule === 'optional');
  const shared = fields.filter(([, { rule }]) => rule !== 'optional');
  const all = Object.fromEntries(shared.map(([name, field]) => [name, sampleOf(field, depth)]));
  return [{}, all, ...exclusive.map(([name, field]) => ({ ...all, [name]: sampleOf(field, depth) }))];
}

function sampleOf(field: Field, depth: number): unknown {
  if (field.rule === 'many') return depth > 3 ? [] : [sampleKind(field.kind, depth), sampleKind(field.kind, depth)];
  if (field.rule === 'map')
    return { entrepot_remote: sampleKind(field.kind, depth), ключ: sampleKind(field.kind, depth) };
  return sampleKind(field.kind, depth);
}

function sampleKind(kind: unknown, depth: number): unknown {
  if (kind === 'string') return 'text with ünï¢ode ✓';
  if (kind === 'bytes') return Buffer.from([0, 1, 128, 255]);
  if (kind === 'bool') return true;
  if (kind === 'int') return 2;
  return samples(messageOf(kind), depth + 1).at(-1);
}

/** As a reader sees it: scalars that were left out have their zero value, messages and members of a oneof are absent. */
function withZeros(message: Message, value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(message.fields).map(([name, field]) => [name, zeroed(field, value[name])]));
}

function zeroed(field: Field, value: unknown): unknown {
  const inner = (each: unknown): unknown =>
    typeof field.kind === 'string' ? each : withZeros(messageOf(field.kind), each as Record<string, unknown>);
  if (field.rule === 'many') return ((value ?? []) as unknown[]).map(inner);
  if (field.rule === 'map')
    return Object.fromEntries(Object.entries(value ?? {}).map(([key, each]) => [key, inner(each)]));
  if (value !== undefined) return inner(value);
  if (field.rule === 'optional') return undefined;
  return { string: '', bytes: Buffer.alloc(0), bool: false, int: 0 }[field.kind as 'string'];
}

function messageOf(kind: unknown): Message {
  return (typeof kind === 'function' ? kind() : kind) as Message;
}

/** Absent and null are the same, bytes are their base64. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, each) =>
      each instanceof Uint8Array || each?.type === 'Buffer'
        ? Buffer.from(each.data ?? each).toString('base64')
        : (each ?? undefined),
    ),
  );
}
