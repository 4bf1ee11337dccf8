import type { Path, Problem } from './diagnostics.ts';
import { elementOf, type FieldSchema, fieldsOf, type ValueSchema } from './schema.ts';
import { type Fields, isFields, isUnknown, type Value } from './value.ts';

/** Everything in a configuration that schema.json rules out; what is not known yet is taken to be right. */
export function validate(fields: readonly FieldSchema[], config: Fields): readonly Problem[] {
  return [
    ...fields.flatMap((field) => check(field, config[field.name] ?? null, [field.name])),
    ...foreignOptions(fields, config),
  ];
}

function check(schema: ValueSchema, value: Value, path: Path): readonly Problem[] {
  if (value === null || isUnknown(value)) return [];
  if (typeof value === 'string' && schema.type === 'string') return first(textRules(schema, value), path);
  if (schema.type === 'integer' || schema.type === 'number') return first(numberRules(schema, value), path);
  if (Array.isArray(value)) return [...first(countRules(schema, value), path), ...checkElements(schema, value, path)];
  if (!isFields(value)) return [];
  if (schema.type === 'object') {
    return fieldsOf(schema).flatMap((field) => check(field, value[field.name] ?? null, [...path, field.name]));
  }
  return [...first(countRules(schema, Object.keys(value)), path), ...checkEntries(schema, value, path)];
}

function checkElements(schema: ValueSchema, values: readonly Value[], path: Path): readonly Problem[] {
  return values.flatMap((each, index) => {
    const at = [...path, index];
    return each === null
      ? [invalid('must not be null: leave the element out', at)]
      : check(elementOf(schema), each, at);
  });
}

function checkEntries(schema: ValueSchema, entries: Fields, path: Path): readonly Problem[] {
  return Object.entries(entries).flatMap(([key, each]) => {
    const at = [...path, key];
    if (schema.pattern && !new RegExp(schema.pattern).test(key))
      return [invalid(`its key must be ${patternHelp(schema)}`, at)];
    return each === null ? [invalid('must not be null: leave the key out', at)] : check(elementOf(schema), each, at);
  });
}

function* textRules(schema: ValueSchema, text: string): Iterable<string | false> {
  yield schema.enum !== undefined &&
    !schema.enum.includes(text) &&
    `must be one of ${schema.enum.join(', ')}; it is ${quote(text)}`;
  const length = [...text].length;
  yield length < (schema.minLength ?? 0) &&
    (text === '' ? 'must not be empty' : `must have at least ${schema.minLength} characters`);
  yield length > (schema.maxLength ?? Infinity) && `must have at most ${schema.maxLength} characters; it has ${length}`;
  yield schema.pattern !== undefined &&
    !new RegExp(schema.pattern).test(text) &&
    `must be ${patternHelp(schema)}; it is ${quote(text)}`;
  yield schema.format === 'url' &&
    !isUrl(text) &&
    `must be a URL such as https://upstream.test/path; it is ${quote(text)}`;
  yield schema.format === 'pem' &&
    !/-----BEGIN [A-Z0-9 ]+-----/.test(text) &&
    'must be PEM text, with its -----BEGIN …----- line: file("ca.pem") reads it from a file';
}

function* numberRules(schema: ValueSchema, value: Value): Iterable<string | false> {
  const number = Number(value);
  yield schema.type === 'integer' && !Number.isInteger(number) && `must be a whole number; it is ${value}`;
  yield typeof value === 'string' && `has more digits than the server keeps: ${value}`;
  yield schema.min !== undefined && number < schema.min && `must be at least ${schema.min}; it is ${value}`;
  yield schema.max !== undefined && number > schema.max && `must be at most ${schema.max}; it is ${value}`;
}

/** Elements of a set that are not known yet may turn out to be equal to others. */
function* countRules(schema: ValueSchema, values: readonly Value[]): Iterable<string | false> {
  const mayShrink = schema.type === 'set' && values.some(isUnknown);
  yield values.length < (schema.minItems ?? 0) &&
    `must have at least ${things(schema.minItems ?? 0)}; it has ${values.length}`;
  yield !mayShrink &&
    values.length > (schema.maxItems ?? Infinity) &&
    `must have at most ${things(schema.maxItems ?? 0)}; it has ${values.length}`;
}

/** Options stand in an object of their format's name, and only the resource's own format has any. */
function foreignOptions(fields: readonly FieldSchema[], config: Fields): readonly Problem[] {
  const formats = fields.find((field) => field.name === 'format')?.enum ?? [];
  const format = config.format;
  if (typeof format !== 'string' || !formats.includes(format)) return [];
  return fields
    .filter((field) => field.type === 'object' && field.name !== format && formats.includes(field.name))
    .filter((field) => (config[field.name] ?? null) !== null)
    .map((field) =>
      invalid(`holds options of the format ${field.name}, but the format here is ${quote(format)}: remove it`, [
        field.name,
      ]),
    );
}

function first(rules: Iterable<string | false>, path: Path): readonly Problem[] {
  for (const complaint of rules) if (complaint !== false) return [invalid(complaint, path)];
  return [];
}

function invalid(complaint: string, path: Path): Problem {
  return { summary: `Invalid ${path[0]}`, detail: `${upper(complaint)}.`, path };
}

function patternHelp(schema: ValueSchema): string {
  return schema.pattern_help ?? `text that matches ${schema.pattern}`;
}

function isUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function things(count: number): string {
  return count === 1 ? '1 element' : `${count} elements`;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
