import { elementOf, type FieldSchema, fieldsOf, type ValueSchema } from './schema.ts';

/** A value that Terraform does not know yet. */
export class Unknown {
  readonly unknown = true;
}

export const UNKNOWN = new Unknown();

/** Numbers that no double holds exactly stay decimal text. */
export type Value = null | boolean | number | string | Unknown | readonly Value[] | Fields;

/** An object or a map. */
export interface Fields {
  readonly [name: string]: Value;
}

export function isUnknown(value: unknown): value is Unknown {
  return value instanceof Unknown;
}

/** Known through and through. */
export function isKnown(value: Value): boolean {
  if (isUnknown(value)) return false;
  if (Array.isArray(value)) return value.every(isKnown);
  return !isFields(value) || Object.values(value).every(isKnown);
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isUnknown(value);
}

/**
 * `raw` as a value of the type: every field of an object is there and no other, what cannot be of the type is null.
 * Missing and null are the same; empty is not null.
 */
export function conform(schema: ValueSchema, raw: unknown): Value {
  if (raw === null || raw === undefined) return null;
  if (isUnknown(raw)) return UNKNOWN;
  switch (schema.type) {
    case 'string':
      return typeof raw === 'object' ? null : String(raw);
    case 'bool':
      return typeof raw === 'boolean' ? raw : null;
    case 'integer':
    case 'number':
      return numberOf(raw);
    case 'list':
    case 'set':
      return Array.isArray(raw) ? raw.map((each) => conform(elementOf(schema), each)) : null;
    case 'map':
      return isFields(raw) ? mapValues(raw, (each) => conform(elementOf(schema), each)) : null;
    case 'object':
      return isFields(raw) ? conformFields(fieldsOf(schema), raw) : null;
  }
}

export function conformFields(fields: readonly FieldSchema[], raw: Readonly<Record<string, unknown>>): Fields {
  return fieldMap(fields, (field) => conform(field, raw[field.name]));
}

/** One value for every field, in the schema's order. */
export function fieldMap(fields: readonly FieldSchema[], valueOf: (field: FieldSchema) => Value): Fields {
  return Object.fromEntries(fields.map((field) => [field.name, valueOf(field)]));
}

export function mapValues(map: Fields, valueOf: (value: Value, key: string) => Value): Fields {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, valueOf(value, key)]));
}

/** A text that is the same for equal values; the order of a set does not count. */
export function fingerprint(schema: ValueSchema, value: Value): string {
  if (isUnknown(value)) return 'unknown';
  if (Array.isArray(value)) {
    const each = value.map((element) => fingerprint(elementOf(schema), element));
    return `[${(schema.type === 'set' ? each.sort() : each).join()}]`;
  }
  if (isFields(value))
    return schema.type === 'map' ? mapPrint(elementOf(schema), value) : objectPrint(fieldsOf(schema), value);
  return JSON.stringify(value);
}

export function same(schema: ValueSchema, a: Value, b: Value): boolean {
  return fingerprint(schema, a) === fingerprint(schema, b);
}

function mapPrint(element: ValueSchema, value: Fields): string {
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${fingerprint(element, value[key] ?? null)}`).join()}}`;
}

function objectPrint(fields: readonly FieldSchema[], value: Fields): string {
  return `{${fields.map((field) => `${field.name}:${fingerprint(field, value[field.name] ?? null)}`).join()}}`;
}

function numberOf(raw: unknown): Value {
  if (typeof raw === 'bigint') return Number.isSafeInteger(Number(raw)) ? Number(raw) : String(raw);
  if (typeof raw === 'number') return raw;
  if (typeof raw !== 'string' || !Number.isFinite(Number(raw))) return null;
  return String(Number(raw)) === raw ? Number(raw) : raw;
}
