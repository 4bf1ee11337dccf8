import { isDeepStrictEqual } from 'node:util';
import type { FieldSchema, ValueSchema } from '../contract/index.ts';

type Fields = readonly FieldSchema[];
type Values = Readonly<Record<string, unknown>>;

/** With every default; an object that was left out is there when nothing in it is required. */
export function completed(fields: Fields, spec: Values): Record<string, unknown> {
  return mapFields(fields, spec, (field, value) => {
    if (value !== undefined) return inside(field, value, completed);
    if (field.default !== undefined) return structuredClone(field.default);
    const free = field.type === 'object' && field.fields?.every(({ required }) => !required);
    const filled = free ? completed(field.fields ?? [], {}) : {};
    return Object.keys(filled).length > 0 ? filled : undefined;
  });
}

export function withoutSecrets(fields: Fields, spec: Values): Record<string, unknown> {
  return mapFields(fields, spec, (field, value) => (field.secret ? undefined : inside(field, value, withoutSecrets)));
}

/** `next`, key order kept, with the secrets that it leaves out where all else in their object is as in `prior`. */
export function withKeptSecrets(fields: Fields, next: Values, prior: Values): Record<string, unknown> {
  const secrets = fields.filter(({ name, secret }) => secret && next[name] === undefined && prior[name] !== undefined);
  const unchanged = isDeepStrictEqual(withoutSecrets(fields, next), withoutSecrets(fields, prior));
  const kept = unchanged ? secrets.map(({ name }) => [name, prior[name]]) : [];
  const nested = fields.flatMap(({ name, type, fields: inner }) => {
    const [mine, theirs] = [next[name], prior[name]];
    return type === 'object' && inner && isRecord(mine) && isRecord(theirs)
      ? [[name, withKeptSecrets(inner, mine, theirs)] as const]
      : [];
  });
  return { ...next, ...Object.fromEntries([...kept, ...nested]) };
}

/** Keys and sets sorted, defaults dropped. An object left out and an empty one stay different. */
export function comparable(fields: Fields, spec: Values): Record<string, unknown> {
  const kept = mapFields(fields, spec, (field, value) =>
    value === undefined || isDeepStrictEqual(value, field.default) ? undefined : ordered(field, value),
  );
  return sorted(kept);
}

export function isRecord(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function ordered(schema: ValueSchema, value: unknown): unknown {
  const { element } = schema;
  if (schema.type === 'object') return inside(schema, value, comparable);
  if (schema.type === 'map' && isRecord(value)) return sorted(value);
  if (!element || !Array.isArray(value)) return value;
  const items = value.map((item) => ordered(element, item));
  return schema.type === 'list' ? items : items.map((item) => JSON.stringify(item)).sort();
}

function sorted(values: Values): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** `change` for the fields of an object, or of the objects in a collection; anything else as it is. */
function inside(schema: ValueSchema, value: unknown, change: (fields: Fields, spec: Values) => unknown): unknown {
  const { fields, element } = schema;
  if (fields) return isRecord(value) ? change(fields, value) : value;
  if (element?.type !== 'object') return value;
  if (Array.isArray(value)) return value.map((item) => inside(element, item, change));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inside(element, item, change)]));
}

/** In the order of the spec, then of declaration; a field whose value becomes undefined is left out. */
function mapFields(
  fields: Fields,
  spec: Values,
  change: (field: FieldSchema, value: unknown) => unknown,
): Record<string, unknown> {
  const byName = new Map(fields.map((field) => [field.name, field]));
  const names = new Set([...Object.keys(spec), ...byName.keys()]);
  const entries = [...names].flatMap((name) => {
    const field = byName.get(name);
    const value = field && change(field, spec[name]);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}
