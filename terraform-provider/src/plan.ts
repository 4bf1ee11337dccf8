import type { Path } from './diagnostics.ts';
import { elementOf, type FieldSchema, fieldsOf, type ValueSchema } from './schema.ts';
import { conform, type Fields, fieldMap, isFields, isUnknown, mapValues, same, UNKNOWN, type Value } from './value.ts';

export interface Plan {
  readonly planned: Fields;
  readonly changed: boolean;
  /** Where an immutable attribute changes: Terraform then plans the resource anew. */
  readonly replace: readonly Path[];
}

/**
 * What the resource will be: the configuration where it says something, else the default, else what the server last
 * said; not known while there is nothing yet. Volatile attributes become unknown only when something else changes.
 */
export function plan(fields: readonly FieldSchema[], prior: Fields | null, config: Fields): Plan {
  const planned = plannedFields(fields, prior, config);
  if (prior === null) return { planned, changed: true, replace: [] };
  const resource: ValueSchema = { type: 'object', fields };
  if (same(resource, planned, prior)) return { planned, changed: false, replace: [] };
  return {
    planned: fieldMap(fields, (field) => (field.computed === 'volatile' ? UNKNOWN : (planned[field.name] ?? null))),
    changed: true,
    replace: changedImmutables(resource, planned, prior, []),
  };
}

/** The planned values, with what was unknown as the server settled it. */
export function settle(planned: Value, actual: Value): Value {
  if (isUnknown(planned)) return actual;
  if (Array.isArray(planned))
    return planned.map((each, index) => settle(each, Array.isArray(actual) ? (actual[index] ?? null) : null));
  if (isFields(planned))
    return mapValues(planned, (each, name) => settle(each, isFields(actual) ? (actual[name] ?? null) : null));
  return planned;
}

function plannedFields(fields: readonly FieldSchema[], prior: Value, config: Fields): Fields {
  return fieldMap(fields, (field) => {
    const asked = config[field.name] ?? null;
    const before = isFields(prior) ? (prior[field.name] ?? null) : null;
    if (asked !== null) return plannedValue(field, before, asked);
    if (field.default !== undefined) return conform(field, field.default);
    if (field.computed) return isFields(prior) ? before : UNKNOWN;
    return null;
  });
}

/** Of a set no element has an earlier self: each is planned from the configuration alone. */
function plannedValue(schema: ValueSchema, prior: Value, config: Value): Value {
  if (Array.isArray(config)) {
    const before = schema.type === 'list' && Array.isArray(prior) ? prior : [];
    return config.map((each, index) => plannedValue(elementOf(schema), before[index] ?? null, each));
  }
  if (!isFields(config)) return config;
  if (schema.type === 'object') return plannedFields(fieldsOf(schema), prior, config);
  return mapValues(config, (each, key) =>
    plannedValue(elementOf(schema), isFields(prior) ? (prior[key] ?? null) : null, each),
  );
}

function changedImmutables(schema: ValueSchema, planned: Value, prior: Value, path: Path): readonly Path[] {
  if (schema.type !== 'object' || !isFields(planned) || !isFields(prior)) return [];
  return fieldsOf(schema).flatMap((field) => {
    const at = [...path, field.name];
    const [after, before] = [planned[field.name] ?? null, prior[field.name] ?? null];
    if (field.immutable) return same(field, after, before) ? [] : [at];
    return changedImmutables(field, after, before, at);
  });
}
