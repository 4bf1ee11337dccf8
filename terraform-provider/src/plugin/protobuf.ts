/** Protocol Buffers (proto3) wire format, driven by a table of field numbers: `messages.ts` is the table. */

type Scalar = 'string' | 'bytes' | 'bool' | 'int';

interface Scalars {
  readonly string: string;
  readonly bytes: Uint8Array;
  readonly bool: boolean;
  /** int32, int64 or an enum: a safe integer. */
  readonly int: number;
}

/** `one` is absent on the wire when it has its zero value; `optional` (also a member of a oneof) has presence. */
type Rule = 'one' | 'optional' | 'many' | 'map';

export interface Field<R extends Rule = Rule, K = unknown> {
  readonly no: number;
  readonly rule: R;
  readonly kind: K;
}

export type Fields = Readonly<Record<string, Field>>;

export interface Message<F extends Fields = Fields> {
  readonly fields: F;
}

/** What a kind of field holds; a thunk stands for a message that contains itself, and then names its type. */
type Held<K> = K extends Scalar
  ? Scalars[K]
  : K extends Message<infer F>
    ? Draft<F>
    : K extends () => infer T
      ? T
      : never;
type HeldDecoded<K> = K extends Scalar
  ? Scalars[K]
  : K extends Message<infer F>
    ? Decoded<F>
    : K extends () => infer T
      ? T
      : never;

/** A message to be written: every field may be left out. */
export type Draft<F extends Fields> = {
  readonly [N in keyof F]?: (F[N] extends Field<infer R, infer K> ? Many<R, Held<K>> : never) | undefined;
};

/** A message that was read: scalars have their zero value, messages and `optional` fields may be undefined. */
export type Decoded<F extends Fields> = {
  readonly [N in keyof F]: F[N] extends Field<infer R, infer K> ? Read<R, K> : never;
};

type Many<R, T> = R extends 'many' ? readonly T[] : R extends 'map' ? Readonly<Record<string, T>> : T;
type Read<R, K> = R extends 'one'
  ? K extends Scalar
    ? Scalars[K]
    : HeldDecoded<K> | undefined
  : R extends 'optional'
    ? HeldDecoded<K> | undefined
    : Many<R, HeldDecoded<K>>;

export const one = <const K>(no: number, kind: K): Field<'one', K> => ({ no, rule: 'one', kind });
export const optional = <const K>(no: number, kind: K): Field<'optional', K> => ({ no, rule: 'optional', kind });
export const many = <const K>(no: number, kind: K): Field<'many', K> => ({ no, rule: 'many', kind });
/** A map from strings. */
export const map = <const K>(no: number, kind: K): Field<'map', K> => ({ no, rule: 'map', kind });
export const message = <const F extends Fields>(fields: F): Message<F> => ({ fields });

export function encode<F extends Fields>(type: Message<F>, value: Draft<F>): Uint8Array {
  const out: Uint8Array[] = [];
  for (const [name, field] of Object.entries(type.fields)) {
    const held = (value as Readonly<Record<string, unknown>>)[name];
    if (held !== undefined) encodeField(field, held, out);
  }
  return Buffer.concat(out);
}

/** Throws RangeError for a body that ends early or has a wire type that proto3 does not know. */
export function decode<F extends Fields>(type: Message<F>, body: Uint8Array): Decoded<F> {
  const byNumber = new Map(Object.entries(type.fields).map(([name, field]) => [field.no, [name, field] as const]));
  const value: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(type.fields)) value[name] = zero(field);
  const reader = new Reader(body);
  while (!reader.done) {
    const tag = reader.varint();
    const known = byNumber.get(Math.floor(tag / 8));
    const raw = reader.raw(tag % 8);
    if (known) decodeField(known[1], raw, value, known[0]);
  }
  return value as Decoded<F>;
}

function encodeField(field: Field, held: unknown, out: Uint8Array[]): void {
  switch (field.rule) {
    case 'many':
      for (const each of held as readonly unknown[]) encodeKind(field.no, field.kind, each, out);
      return;
    case 'map':
      for (const [key, each] of Object.entries(held as Readonly<Record<string, unknown>>)) {
        const entry: Uint8Array[] = [];
        encodeKind(1, 'string', key, entry);
        encodeKind(2, field.kind, each, entry);
        lengthDelimited(field.no, Buffer.concat(entry), out);
      }
      return;
    case 'one':
      if (isZero(field.kind, held)) return;
      encodeKind(field.no, field.kind, held, out);
      return;
    case 'optional':
      encodeKind(field.no, field.kind, held, out);
  }
}

function encodeKind(no: number, kind: unknown, held: unknown, out: Uint8Array[]): void {
  switch (kind) {
    case 'string':
      return lengthDelimited(no, Buffer.from(held as string), out);
    case 'bytes':
      return lengthDelimited(no, held as Uint8Array, out);
    case 'bool':
      out.push(varint(no * 8), varint(held ? 1 : 0));
      return;
    case 'int':
      out.push(varint(no * 8), varint(held as number));
      return;
    default:
      lengthDelimited(no, encode(messageOf(kind), held as Draft<Fields>), out);
  }
}

function decodeField(field: Field, raw: number | Uint8Array, value: Record<string, unknown>, name: string): void {
  if (field.rule === 'many') {
    (value[name] as unknown[]).push(decodeKind(field.kind, raw));
  } else if (field.rule === 'map') {
    const entry = decode({ fields: { key: one(1, 'string'), value: one(2, field.kind) } }, bytesOf(raw));
    (value[name] as Record<string, unknown>)[entry.key] = entry.value;
  } else {
    value[name] = decodeKind(field.kind, raw);
  }
}

function decodeKind(kind: unknown, raw: number | Uint8Array): unknown {
  switch (kind) {
    case 'string':
      return Buffer.from(bytesOf(raw)).toString();
    case 'bytes':
      return bytesOf(raw);
    case 'bool':
      return raw !== 0;
    case 'int':
      return raw;
    default:
      return decode(messageOf(kind), bytesOf(raw));
  }
}

function zero(field: Field): unknown {
  if (field.rule === 'many') return [];
  if (field.rule === 'map') return Object.create(null);
  if (field.rule === 'optional') return undefined;
  switch (field.kind) {
    case 'string':
      return '';
    case 'bytes':
      return new Uint8Array();
    case 'bool':
      return false;
    case 'int':
      return 0;
    default:
      return undefined;
  }
}

function isZero(kind: unknown, held: unknown): boolean {
  if (typeof kind !== 'string') return false;
  return kind === 'bytes' ? (held as Uint8Array).length === 0 : held === '' || held === 0 || held === false;
}

function messageOf(kind: unknown): Message {
  return (typeof kind === 'function' ? kind() : kind) as Message;
}

function bytesOf(raw: number | Uint8Array): Uint8Array {
  if (typeof raw === 'number') throw new RangeError('a number stands where a length-delimited field was expected');
  return raw;
}

function lengthDelimited(no: number, body: Uint8Array, out: Uint8Array[]): void {
  out.push(varint(no * 8 + 2), varint(body.length), body);
}

function varint(value: number): Uint8Array {
  if (value < 0) return bigVarint(BigInt.asUintN(64, BigInt(value)));
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function bigVarint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128n) {
    bytes.push(Number(rest % 128n) + 128);
    rest /= 128n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

class Reader {
  readonly #body: Uint8Array;
  #at = 0;

  constructor(body: Uint8Array) {
    this.#body = body;
  }

  get done(): boolean {
    return this.#at >= this.#body.length;
  }

  varint(): number {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#body[this.#at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(BigInt.asIntN(64, value));
    }
    throw new RangeError('the message ends inside a number');
  }

  /** A number for wire type 0, else the bytes; fixed-width fields, which no message here has, are skipped as bytes. */
  raw(wireType: number): number | Uint8Array {
    if (wireType === 0) return this.varint();
    const lengths: Readonly<Record<number, () => number>> = { 1: () => 8, 2: () => this.varint(), 5: () => 4 };
    const length = lengths[wireType]?.();
    if (length === undefined) throw new RangeError(`wire type ${wireType} is not proto3`);
    const end = this.#at + length;
    if (length < 0 || end > this.#body.length) throw new RangeError('the message ends inside a field');
    const bytes = this.#body.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }
}
