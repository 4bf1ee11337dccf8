import type { FieldSchema, Json, ValueSchema } from './field-schema.ts';

/** A class whose properties are declared with `Field`; its initialisers are the defaults. */
export type Declared = new () => object;

/** A type with its limits: what is said of it and what is asked of a value, kept together. */
export interface Shape {
  readonly schema: ValueSchema;
  /** class-validator's decorators, in the order in which they are asked. */
  readonly checks: readonly PropertyDecorator[];
  /** Of lists, sets and maps: each element is held to `shape` as the property `value` of a `box`. */
  readonly element?: { readonly shape: Shape; readonly box: Declared };
  /** Of objects. */
  readonly of?: Declared;
}

export interface DeclaredField {
  readonly schema: FieldSchema;
  readonly shape: Shape;
}

/** Something wrong with a value: where, from the root of what was asked about, and what is allowed there. */
export interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export type Rule = (value: object) => readonly Problem[];

interface Declaration {
  readonly fields: Map<string, DeclaredField>;
  readonly rules: Rule[];
}

const declarations = new WeakMap<object, Declaration>();

/** What decorators have said so far of a class, by its prototype; a subclass begins with what its parent has. */
export function declarationOf(prototype: object): Declaration {
  const known = declarations.get(prototype);
  if (known) return known;
  const parent = declarations.get(Object.getPrototypeOf(prototype));
  const fresh: Declaration = { fields: new Map(parent?.fields), rules: [...(parent?.rules ?? [])] };
  declarations.set(prototype, fresh);
  return fresh;
}

/** The fields of a class in order of declaration, with the defaults that its initialisers give. */
export function fieldsOf(declared: Declared): readonly DeclaredField[] {
  const defaults = new declared() as Readonly<Record<string, Json | undefined>>;
  return [...declarationOf(declared.prototype).fields].map(([name, field]) => {
    const value = defaults[name];
    return value === undefined ? field : { ...field, schema: { ...field.schema, default: value } };
  });
}

export function rulesOf(declared: Declared): readonly Rule[] {
  return declarationOf(declared.prototype).rules;
}
