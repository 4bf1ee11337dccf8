import { IsDefined, ValidateIf } from 'class-validator';
import * as collection from './collection.ts';
import type { FieldSchema, Json } from './field-schema.ts';
import type { PemKind } from './pem.ts';
import { type Declared, declarationOf, type Shape } from './shape.ts';
import * as value from './value.ts';

export interface FieldOptions {
  /** A value as people write it: shown in the docs, used by tests. */
  readonly example: Json;
  readonly required?: true;
  /** Set at creation only. */
  readonly immutable?: true;
  /** Stored, never returned, never in a message. */
  readonly secret?: true;
  /** What to use instead. */
  readonly deprecated?: string;
}

/** Types of elements of lists, sets and maps. */
export const Value = {
  text: value.text,
  name: value.name,
  pattern: value.pattern,
  oneOf: value.oneOf,
  duration: value.durationText,
  packages: value.packagePattern,
  object: collection.object,
};

/**
 * Declares a property of a spec: validation, storage, OpenAPI, Terraform and the docs follow from it.
 * A default is the property's initialiser; a property without one that is not `required` may be left out.
 */
export const Field = {
  /** The name of the resource itself. */
  name: (description: string, options: FieldOptions) => declare(description, options, value.name()),
  /** The name of a repository, which is part of its address. */
  repositoryName: (description: string, options: FieldOptions) => declare(description, options, value.repositoryName()),
  text: (description: string, options: FieldOptions & value.TextLimits) =>
    declare(description, options, value.text(options)),
  /** http or https, without credentials, query and fragment. */
  url: (description: string, options: FieldOptions) => declare(description, options, value.url()),
  /** Written `30s`, `5m`, `7d`, `0`; `duration()` gives milliseconds. */
  duration: (description: string, options: FieldOptions & { readonly min?: string; readonly max?: string }) =>
    declare(description, options, value.durationText(options)),
  /** Written `2026-05-11T00:00:00Z`; `parseTime()` gives epoch milliseconds. */
  time: (description: string, options: FieldOptions) => declare(description, options, value.timeText()),
  /** A set of package URLs, with `*`, a version or a `vers` range. */
  packages: (description: string, options: FieldOptions & collection.Counts) =>
    declare(description, options, collection.set(value.packagePattern(), { maxItems: MOST_PACKAGES, ...options })),
  /** What is said of packages, by their package URLs. */
  byPackage: (description: string, element: Shape, options: FieldOptions) =>
    declare(description, options, collection.map(element, PACKAGE_KEYS, { maxItems: MOST_PACKAGES })),
  /** A set of names of packages as clients write them, with `*`. */
  claims: (description: string, options: FieldOptions) =>
    declare(description, options, collection.set(value.claimText(), { maxItems: 1000 })),
  /** Written `500kB`, `150MB`; `bytes()` gives a number. */
  bytes: (description: string, options: FieldOptions) => declare(description, options, value.byteCount()),
  integer: (description: string, options: FieldOptions & value.Range) =>
    declare(description, options, value.integer(options)),
  bool: (description: string, options: FieldOptions) => declare(description, options, value.bool()),
  oneOf: (description: string, values: readonly string[], options: FieldOptions) =>
    declare(description, options, value.oneOf(values)),
  /** A regular expression of RE2 syntax. */
  pattern: (description: string, options: FieldOptions) => declare(description, options, value.pattern()),
  /** A set of regular expressions of RE2 syntax. */
  patterns: (description: string, options: FieldOptions) =>
    declare(description, options, collection.set(value.pattern(), { maxItems: 200 })),
  pem: (description: string, kind: PemKind, options: FieldOptions) => declare(description, options, value.pem(kind)),
  /** The name of another resource; that it exists is asked when the configuration changes. */
  ref: (description: string, options: FieldOptions) => declare(description, options, value.name()),
  /** Names of other resources, whatever their order. */
  refSet: (description: string, options: FieldOptions & collection.Counts) =>
    declare(description, options, collection.set(value.name(), options)),
  /** Names of other resources, in an order that matters, each once. */
  refs: (description: string, options: FieldOptions & collection.Counts) => {
    const { checks, ...shape } = collection.list(value.name(), options);
    return declare(description, options, {
      ...shape,
      checks: [...checks.slice(0, -1), collection.unique, ...checks.slice(-1)],
    });
  },
  list: (description: string, element: Shape, options: FieldOptions & collection.Counts) =>
    declare(description, options, collection.list(element, options)),
  set: (description: string, element: Shape, options: FieldOptions & collection.Counts) =>
    declare(description, options, collection.set(element, options)),
  map: (description: string, element: Shape, keys: collection.Keys, options: FieldOptions & collection.Counts) =>
    declare(description, options, collection.map(element, keys, options)),
  object: (description: string, of: Declared, options: FieldOptions) =>
    declare(description, options, collection.object(of)),
  labels: (description: string, options: FieldOptions) =>
    declare(
      description,
      options,
      collection.map(value.text({ minLength: 0, maxLength: 256 }), LABEL_KEYS, { maxItems: 64 }),
    ),
};

/** Lists of what was found to be malicious are this long. */
const MOST_PACKAGES = 20_000;

const PACKAGE_KEYS: collection.Keys = {
  pattern: value.PACKAGES_PATTERN,
  help: value.PACKAGES_HELP,
  caseMatters: true,
};

const LABEL_KEYS: collection.Keys = {
  pattern: '^[a-z0-9]([a-z0-9._/-]{0,61}[a-z0-9])?$',
  help: '1 to 63 lower-case letters, digits and any of . _ / - between them',
};

function declare(description: string, options: FieldOptions, shape: Shape): PropertyDecorator {
  const presence = options.required
    ? IsDefined({ message: 'is required' })
    : ValidateIf((_object, given) => given !== undefined);
  return (prototype, property) => {
    declarationOf(prototype).fields.set(String(property), {
      schema: schemaOf(String(property), description, options, shape),
      shape,
    });
    for (const check of [presence, ...shape.checks]) check(prototype, property);
  };
}

function schemaOf(name: string, description: string, options: FieldOptions, shape: Shape): FieldSchema {
  const { example, required, immutable, secret, deprecated } = options;
  return {
    name,
    ...shape.schema,
    description,
    example,
    ...(required && { required }),
    ...(immutable && { immutable }),
    ...(secret && { secret }),
    ...(deprecated !== undefined && { deprecated }),
  };
}
