import { decode, ExtData, ExtensionCodec, encode } from '@msgpack/msgpack';
import type { DynamicValue, Received, Sent } from './plugin/messages.ts';
import { elementOf, type FieldSchema, fieldsOf, type ValueSchema } from './schema.ts';
import { conformFields, type Fields, isFields, isUnknown, mapValues, UNKNOWN, type Value } from './value.ts';

/** The object in a DynamicValue; null when Terraform says there is none. */
export function decodeObject(
  fields: readonly FieldSchema[],
  value: Received<typeof DynamicValue> | undefined,
): Fields | null {
  const raw = value === undefined ? null : rawOf(value);
  return isFields(raw) ? conformFields(fields, raw) : null;
}

/** The state that Terraform kept as JSON, of whichever version of the schema. */
export function decodeState(fields: readonly FieldSchema[], json: Uint8Array): Fields | null {
  const raw: unknown = JSON.parse(Buffer.from(json).toString());
  return isFields(raw) ? conformFields(fields, raw) : null;
}

export function encodeObject(fields: readonly FieldSchema[], value: Fields | null): Sent<typeof DynamicValue> {
  return { msgpack: encode(value === null ? null : wireFields(fields, value), { extensionCodec }) };
}

const UNKNOWN_TYPE = 0;
const REFINED_UNKNOWN_TYPE = 12;

const extensionCodec = new ExtensionCodec();
extensionCodec.register({
  type: UNKNOWN_TYPE,
  encode: (value) => (isUnknown(value) ? Uint8Array.of(0) : null),
  decode: () => UNKNOWN,
});
extensionCodec.register({ type: REFINED_UNKNOWN_TYPE, encode: () => null, decode: () => UNKNOWN });

function rawOf(value: Received<typeof DynamicValue>): unknown {
  if (value.msgpack.length > 0) return knownExtensions(decode(value.msgpack, { extensionCodec, useBigInt64: true }));
  return value.json.length > 0 ? JSON.parse(Buffer.from(value.json).toString()) : null;
}

/** Every extension means unknown, those of later protocols too. */
function knownExtensions(raw: unknown): unknown {
  if (raw instanceof ExtData) return UNKNOWN;
  if (Array.isArray(raw)) return raw.map(knownExtensions);
  if (isFields(raw)) return Object.fromEntries(Object.entries(raw).map(([key, each]) => [key, knownExtensions(each)]));
  return raw;
}

function wireFields(fields: readonly FieldSchema[], value: Fields): Fields {
  return Object.fromEntries(fields.map((field) => [field.name, wire(field, value[field.name] ?? null)]));
}

function wire(schema: ValueSchema, value: Value): Value {
  if (value === null || isUnknown(value)) return value;
  if (Array.isArray(value)) return value.map((each) => wire(elementOf(schema), each));
  if (isFields(value)) {
    return schema.type === 'map'
      ? mapValues(value, (each) => wire(elementOf(schema), each))
      : wireFields(fieldsOf(schema), value);
  }
  // a fraction is exact only as decimal text: Terraform's numbers are not doubles
  return typeof value === 'number' && !Number.isSafeInteger(value) ? String(value) : value;
}
