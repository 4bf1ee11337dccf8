import type { Envelope } from './client.ts';
import {
  attributesOf,
  elementOf,
  type FieldSchema,
  fieldsOf,
  type Json,
  type KindSchema,
  type ValueSchema,
} from './schema.ts';
import { conform, type Fields, fieldMap, fingerprint, isFields, isUnknown, mapValues, type Value } from './value.ts';

/** The spec to send: what the configuration says and nothing more, so that the server stores it as declared. */
export function toSpec(kind: KindSchema, config: Fields): Record<string, Json> {
  return jsonFields(kind.fields, config);
}

/**
 * The Terraform state of what the server holds: unset attributes have their default, as in a plan. Secrets, which the
 * server never returns, are those of `prior`.
 */
export function toState(kind: KindSchema, envelope: Envelope, prior: Fields | null): Fields {
  const names = new Set(kind.status.map((field) => field.name));
  return fieldMap(attributesOf(kind), (field) =>
    names.has(field.name)
      ? conform(field, envelope.status[field.name] ?? envelope[field.name as keyof Envelope])
      : stateField(field, envelope.spec[field.name], prior?.[field.name] ?? null),
  );
}

function stateField(field: FieldSchema, raw: unknown, prior: Value): Value {
  if (field.secret) return prior;
  if (raw === undefined || raw === null) return field.default === undefined ? null : conform(field, field.default);
  return stateValue(field, raw, prior);
}

function stateValue(schema: ValueSchema, raw: unknown, prior: Value): Value {
  if (schema.type === 'object' && isFields(raw)) {
    return fieldMap(fieldsOf(schema), (field) =>
      stateField(field, raw[field.name], isFields(prior) ? (prior[field.name] ?? null) : null),
    );
  }
  if (schema.type === 'map' && isFields(raw)) {
    return mapValues(raw, (each, key) =>
      stateValue(elementOf(schema), each, isFields(prior) ? (prior[key] ?? null) : null),
    );
  }
  if (Array.isArray(raw))
    return raw.map((each, index) => stateValue(elementOf(schema), each, priorElement(schema, each, index, prior)));
  return conform(schema, raw);
}

/** The earlier self of an element: by position in a list, in a set the one that differs in nothing but secrets. */
function priorElement(schema: ValueSchema, raw: unknown, index: number, prior: Value): Value {
  if (!Array.isArray(prior)) return null;
  if (schema.type === 'list') return prior[index] ?? null;
  const element = elementOf(schema);
  const bare = fingerprint(element, stateValue(element, raw, null));
  return prior.find((each: Value) => fingerprint(element, stateValue(element, each, null)) === bare) ?? null;
}

function jsonFields(fields: readonly FieldSchema[], value: Fields): Record<string, Json> {
  const set = fields.filter((field) => !field.computed && (value[field.name] ?? null) !== null);
  return Object.fromEntries(set.map((field) => [field.name, json(field, value[field.name] ?? null)]));
}

function json(schema: ValueSchema, value: Value): Json {
  if (isUnknown(value)) throw new TypeError('a value is still unknown when it is to be applied');
  if (Array.isArray(value)) return value.map((each: Value) => json(elementOf(schema), each));
  if (isFields(value)) {
    if (schema.type === 'object') return jsonFields(fieldsOf(schema), value);
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, json(elementOf(schema), each)]));
  }
  return schema.type === 'number' ? Number(value) : (value as Json);
}
