import { RE2JS } from 're2js';
import { expect, test } from 'vitest';
import { type Declared, type FieldSchema, fieldsOf, inspect, type ValueSchema } from '../contract/index.ts';
import { formatOptions, formats } from '../formats/all.ts';
import { generatedFiles } from './generate.ts';
import { declaredKind, kinds } from './kinds.ts';
import { openapi } from './openapi.ts';
import { componentName } from './operations.ts';
import { REPOSITORY_STATUS } from './status-fields.ts';

interface Placed {
  readonly where: string;
  readonly field: FieldSchema;
  /** From the spec: names of fields. */
  readonly path: readonly string[];
  readonly of: Declared | undefined;
}

function placed(
  kind: string,
  fields: readonly FieldSchema[],
  of: Declared | undefined,
  at: readonly string[] = [],
): Placed[] {
  return fields.flatMap((field) => {
    const path = [...at, field.name];
    const shape = of && fieldsOf(of).find(({ schema }) => schema.name === field.name)?.shape;
    const inner = field.fields ? placed(kind, field.fields, shape?.of, path) : [];
    return [{ where: `${kind}.${path.join('.')}`, field, path, of }, ...inner];
  });
}

const SPECS = kinds().flatMap(({ kind, fields }) => placed(kind, fields, declaredKind(kind).declared));
const document = openapi({ version: '0' });
const provider = JSON.parse(generatedFiles().get('terraform-provider/schema.json') ?? '');

/** A value as the field of an otherwise empty object of its class. */
function wrong({ of, field }: Placed, value: unknown): readonly string[] {
  if (!of) throw new Error(`${field.name} has no class`);
  return inspect(of, { [field.name]: value })
    .filter(({ path }) => path[0] === field.name)
    .map(({ path, message }) => `${path.join('.')}: ${message}`);
}

test('there is something to walk: every kind, every option of every format', () => {
  expect(SPECS.length).toBeGreaterThan(40);
  for (const [id, options] of Object.entries(formatOptions)) {
    expect(formats.map((format) => format.id)).toContain(id);
    const walked = SPECS.filter(({ path }) => path[0] === id && path.length === 2).map(({ field }) => field.name);
    expect(walked).toEqual(fieldsOf(options).map(({ schema }) => schema.name));
  }
});

test('a kind begins with its name, which is required and never changes', () => {
  for (const { fields } of kinds()) expect(fields[0]).toMatchObject({ name: 'name', required: true, immutable: true });
});

test('no format is called as a field of a remote', () => {
  for (const { fields } of kinds()) {
    const names = fields.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  }
});

test.each(SPECS.map((each) => [each.where, each] as const))(
  '%s says what it is, in a sentence',
  (_where, { field }) => {
    expect(field.description).toMatch(/^[A-Z"].{10,}\.$/s);
    expect(field.name).toMatch(/^[a-z][a-z0-9_]*$/);
  },
);

test.each(SPECS.map((each) => [each.where, each] as const))(
  'the example of %s is one that is accepted',
  (_where, each) => {
    expect(each.field.example).toBeDefined();
    expect(wrong(each, each.field.example)).toEqual([]);
  },
);

test.each(SPECS.filter(({ field }) => field.default !== undefined).map((each) => [each.where, each] as const))(
  'the default of %s is one that is accepted, and another than its example',
  (_where, each) => {
    expect(wrong(each, each.field.default)).toEqual([]);
    expect(each.field.example).not.toEqual(each.field.default);
    expect(each.field.required).toBeUndefined();
  },
);

test.each(SPECS.map((each) => [each.where, each] as const))('%s refuses a value of another type', (_where, each) => {
  const other = each.field.type === 'bool' ? 'true' : true;
  expect(wrong(each, other)).toEqual([expect.stringMatching(/must be /)]);
});

test.each(SPECS.map((each) => [each.where, each] as const))('%s has its place in OpenAPI', (where, { field, path }) => {
  let schema = document.components['schemas']?.[`${componentName(where.split('.')[0] ?? '')}Spec`] as Record<
    string,
    never
  >;
  for (const step of path) schema = schema['properties']?.[step] as unknown as Record<string, never>;
  expect(schema).toMatchObject({ examples: [field.example] });
  expect(schema['description']).toContain(field.description);
});

test.each(SPECS.map((each) => [each.where, each] as const))(
  '%s has its place in the schema of the provider',
  (where, { field, path }) => {
    const kind = provider.kinds.find((each: { kind: string }) => each.kind === where.split('.')[0]);
    const found = path.reduce(
      (fields, name) => fields.find((each: FieldSchema) => each.name === name)?.fields ?? [],
      kind.fields,
    );
    expect(found).toEqual(field.fields ?? []);
    const siblings = path
      .slice(0, -1)
      .reduce((fields, name) => fields.find((each: FieldSchema) => each.name === name).fields, kind.fields);
    expect(siblings).toContainEqual(JSON.parse(JSON.stringify(field)));
  },
);

function patterns(value: ValueSchema): string[] {
  const inner = [...(value.fields ?? []), ...(value.element ? [value.element] : [])].flatMap(patterns);
  return value.pattern === undefined ? inner : [value.pattern, ...inner];
}

test('patterns mean the same to JavaScript and to linear-time engines', () => {
  const all = kinds().flatMap(({ fields }) => fields.flatMap(patterns));
  expect(all.length).toBeGreaterThan(10);
  for (const pattern of all) {
    expect(() => new RegExp(pattern, 'u')).not.toThrow();
    expect(() => RE2JS.compile(pattern)).not.toThrow();
  }
});

test('secrets are in objects, so that one left out can be told from one that goes', () => {
  for (const { path } of SPECS.filter(({ field }) => field.secret)) expect(path.length).toBeGreaterThan(1);
});

test('what the server computes says whether it stays', () => {
  for (const field of REPOSITORY_STATUS) {
    expect(field.computed).toMatch(/^(stable|volatile)$/);
    expect(field.description).toMatch(/\.$/);
    expect(field.example).toBeDefined();
  }
});
