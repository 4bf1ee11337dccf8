/** The shape of `schema.json`, all that this provider knows of the server's resources. */
export interface SchemaFile {
  readonly version: number;
  readonly kinds: readonly KindSchema[];
}

export interface KindSchema {
  /** `remote`: the Terraform resource is `entrepot_remote`. */
  readonly kind: string;
  /** `remotes`: its path in the management API. */
  readonly collection: string;
  readonly description: string;
  /** Of the spec; `name` is the first. */
  readonly fields: readonly FieldSchema[];
  /** Set by the server. */
  readonly status: readonly FieldSchema[];
}

export interface FieldSchema extends ValueSchema {
  readonly name: string;
  readonly description: string;
  readonly example?: Json;
  readonly required?: boolean;
  readonly default?: Json;
  readonly immutable?: boolean;
  readonly secret?: boolean;
  /** `stable` once the resource exists, or `volatile`: new at every change. */
  readonly computed?: 'stable' | 'volatile';
  readonly deprecated?: string;
}

export interface ValueSchema {
  readonly type: 'string' | 'integer' | 'number' | 'bool' | 'list' | 'set' | 'map' | 'object';
  /** Of `list`, `set`, `map`. */
  readonly element?: ValueSchema;
  /** Of `object`. */
  readonly fields?: readonly FieldSchema[];
  readonly format?: 'duration' | 'bytes' | 'url' | 'regex' | 'name' | 'pem';
  /** Of a string, or of the keys of a map. */
  readonly pattern?: string;
  /** What the pattern means, to follow "must be". */
  readonly pattern_help?: string;
  readonly enum?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** The attributes of the Terraform resource: the spec, then what the server says of it. */
export function attributesOf(kind: KindSchema): readonly FieldSchema[] {
  return [
    ...kind.fields,
    ...kind.status.map((field) => ({ ...field, computed: field.computed ?? ('volatile' as const) })),
  ];
}

/** A value whose type has no element or fields takes any text: schema.json always names them. */
export function elementOf(value: ValueSchema): ValueSchema {
  return value.element ?? { type: 'string' };
}

export function fieldsOf(value: ValueSchema): readonly FieldSchema[] {
  return value.fields ?? [];
}
