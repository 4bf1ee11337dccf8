/** What is known of one field: exactly what `schema.json` says of it, and what OpenAPI, Terraform and the docs are made from. */
export interface FieldSchema extends ValueSchema {
  readonly name: string;
  readonly description: string;
  readonly example: Json;
  readonly required?: true;
  /** The initialiser of the contract class's property. */
  readonly default?: Json;
  /** Set at creation only: changing it means another resource. */
  readonly immutable?: true;
  /** Stored, never returned. */
  readonly secret?: true;
  /** Set by the server: `stable` after creation, or `volatile`. */
  readonly computed?: 'stable' | 'volatile';
  readonly deprecated?: string;
}

/** A value's type and limits; elements of lists, sets and maps have one too. */
export interface ValueSchema {
  readonly type: 'string' | 'integer' | 'number' | 'bool' | 'list' | 'set' | 'map' | 'object';
  /** Of `list`, `set`, `map`. */
  readonly element?: ValueSchema;
  /** Of `object`. */
  readonly fields?: readonly FieldSchema[];
  readonly format?: 'duration' | 'bytes' | 'url' | 'regex' | 'name' | 'pem' | 'time' | 'packages';
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

export interface KindSchema {
  /** `remote` */
  readonly kind: string;
  /** `remotes`: the collection's path segment in the management API. */
  readonly collection: string;
  readonly description: string;
  /** Of the spec; `name` is the first. */
  readonly fields: readonly FieldSchema[];
  /** Computed by the server. */
  readonly status: readonly FieldSchema[];
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
