import type { Schema, SchemaAttributeDraft, SchemaObjectDraft, Sent } from './plugin/messages.ts';
import { attributesOf, elementOf, type FieldSchema, fieldsOf, type KindSchema, type ValueSchema } from './schema.ts';

const SCHEMA_VERSION = 0;

export function resourceSchema(kind: KindSchema): Sent<typeof Schema> {
  return schemaOf(kind.description, attributesOf(kind));
}

export function dataSourceSchema(kind: KindSchema): Sent<typeof Schema> {
  return schemaOf(`Reads one: ${kind.description}`, dataSourceAttributes(kind));
}

/** What can be read of a resource by its name: all but its secrets. */
export function dataSourceAttributes(kind: KindSchema): readonly FieldSchema[] {
  return attributesOf(kind)
    .filter((field) => !field.secret)
    .map((field, index) => (index === 0 ? field : readOnly(field)));
}

export function schemaOf(description: string, fields: readonly FieldSchema[]): Sent<typeof Schema> {
  return {
    version: SCHEMA_VERSION,
    block: { attributes: fields.map(attribute), description, descriptionKind: MARKDOWN },
  };
}

const MARKDOWN = 1;
const NESTING = { object: 1, list: 2, set: 3, map: 4 } as const;

function attribute(field: FieldSchema): SchemaAttributeDraft {
  const nested = nestedType(field);
  return {
    name: field.name,
    ...(nested ? { nestedType: nested } : { type: Buffer.from(JSON.stringify(typeOf(field))) }),
    description: field.description,
    descriptionKind: MARKDOWN,
    required: field.required === true,
    optional: field.required !== true && !isReadOnly(field),
    computed: field.required !== true && (isReadOnly(field) || field.default !== undefined),
    sensitive: field.secret === true,
    ...(field.deprecated && { deprecated: true, deprecationMessage: field.deprecated }),
  };
}

/** Objects, and lists, sets and maps of objects, are nested attributes: their fields have constraints of their own. */
function nestedType(value: ValueSchema): SchemaObjectDraft | undefined {
  const single = value.type === 'object';
  const object = single ? value : elementOf(value);
  if (object.type !== 'object') return undefined;
  const nesting = NESTING[value.type as keyof typeof NESTING];
  return { nesting, attributes: fieldsOf(object).map(attribute) };
}

type Type = string | readonly [string, Type | Readonly<Record<string, Type>>];

function typeOf(value: ValueSchema): Type {
  switch (value.type) {
    case 'integer':
      return 'number';
    case 'list':
    case 'set':
    case 'map':
      return [value.type, typeOf(elementOf(value))];
    case 'object':
      return ['object', Object.fromEntries(fieldsOf(value).map((field) => [field.name, typeOf(field)]))];
    default:
      return value.type;
  }
}

function isReadOnly(field: FieldSchema): boolean {
  return field.computed !== undefined;
}

function readOnly(field: FieldSchema): FieldSchema {
  const { required: _required, default: _default, deprecated: _deprecated, ...rest } = field;
  return {
    ...rest,
    computed: field.computed ?? 'stable',
    ...(field.fields && { fields: field.fields.filter((each) => !each.secret).map(readOnly) }),
    ...(field.element && { element: readOnlyElement(field.element) }),
  };
}

function readOnlyElement(element: ValueSchema): ValueSchema {
  return {
    ...element,
    ...(element.fields && { fields: element.fields.filter((each) => !each.secret).map(readOnly) }),
    ...(element.element && { element: readOnlyElement(element.element) }),
  };
}
