import type { FieldSchema, ValueSchema } from '../contract/index.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The fields of an object as a JSON Schema, 2020-12: what OpenAPI 3.1 speaks. */
export function objectSchema(fields: readonly FieldSchema[]): JsonSchema {
  const required = fields.filter((field) => field.required).map(({ name }) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field.name, fieldSchema(field)])),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

function fieldSchema(field: FieldSchema): JsonSchema {
  return {
    ...valueSchema(field),
    description: field.immutable ? `${field.description} Set at creation only.` : field.description,
    examples: [field.example],
    ...(field.default !== undefined && { default: field.default }),
    ...(field.secret && { writeOnly: true }),
    ...(field.computed && { readOnly: true }),
    ...(field.deprecated !== undefined && { deprecated: true }),
  };
}

function valueSchema(value: ValueSchema): JsonSchema {
  const { type, element } = value;
  if (type === 'object') return objectSchema(value.fields ?? []);
  if (type === 'map') {
    return {
      type: 'object',
      additionalProperties: element ? valueSchema(element) : true,
      ...(value.pattern !== undefined && { propertyNames: { pattern: value.pattern } }),
      ...(value.maxItems !== undefined && { maxProperties: value.maxItems }),
    };
  }
  if (type === 'list' || type === 'set') {
    const { minItems, maxItems } = value;
    return given({
      type: 'array',
      items: element && valueSchema(element),
      minItems,
      maxItems,
      uniqueItems: type === 'set' || undefined,
    });
  }
  const { pattern, minLength, maxLength, min, max } = value;
  const format = value.format === 'url' ? 'uri' : value.format === 'regex' ? 'regex' : undefined;
  const named = type === 'bool' ? 'boolean' : type;
  return given({ type: named, enum: value.enum, format, pattern, minLength, maxLength, minimum: min, maximum: max });
}

function given(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined));
}
