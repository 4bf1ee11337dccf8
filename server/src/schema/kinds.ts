import {
  Block,
  Cooldown,
  type Declared,
  Exemption,
  Field,
  type FieldSchema,
  Freeze,
  fieldsOf,
  Hosted,
  type Json,
  type KindSchema,
  Remote,
  resourceOf,
  Virtual,
} from '../contract/index.ts';
import { Fault } from '../engine/fault.ts';
import type { AnyFormat, RepositoryKind } from '../engine/format.ts';
import { formatOptions, formats } from '../formats/all.ts';
import { REPOSITORY_STATUS, STATUS_FIELDS } from './status-fields.ts';

export interface DeclaredKind {
  readonly schema: KindSchema;
  /** The contract's class with the formats' options joined in. */
  readonly declared: Declared;
  /** Names of the fields that hold one format's options. */
  readonly options: ReadonlySet<string>;
}

const USUAL: readonly string[] = ['remote', 'virtual'] satisfies RepositoryKind[];

/** Every declarative kind, with the formats' options joined in: what `schema.json` holds. */
export function kinds(): readonly KindSchema[] {
  return DECLARED.map(({ schema }) => schema);
}

/** The kind of that name; throws `Fault('not_found')` for one that is not known. */
export function kind(name: string): KindSchema {
  return declaredKind(name).schema;
}

/** The kind whose collection is called so in the management API: `remotes`; undefined when there is none. */
export function kindOfCollection(collection: string): KindSchema | undefined {
  return kinds().find((schema) => schema.collection === collection);
}

export function declaredKind(name: string): DeclaredKind {
  const found = DECLARED.find(({ schema }) => schema.kind === name);
  if (found) return found;
  const known = DECLARED.map(({ schema }) => schema.kind).join(', ');
  throw new Fault('not_found', `there is no kind of resource called ${JSON.stringify(name)}; known are ${known}`);
}

/** The class of a kind as the installed formats make it: `format` names one of them, and each brings its options. */
function join(declared: Declared, withOptions: boolean): DeclaredKind {
  const { kind, collection, description } = resourceOf(declared);
  const joined = class extends declared {};
  const format = fieldsOf(declared).find((field) => field.schema.name === 'format');
  if (format) {
    const { description, example } = format.schema;
    const ids = formats.filter(({ traits }) => (traits.kinds ?? USUAL).includes(kind)).map(({ id }) => id);
    Field.oneOf(description, ids, { example, required: true, immutable: true })(joined.prototype, 'format');
  }
  const options = withOptions ? formats.filter(({ id }) => formatOptions[id]) : [];
  for (const each of options) joinOptions(joined, each);
  const fields = fieldsOf(joined).map((field) => field.schema);
  return {
    schema: { kind, collection, description, fields, status: format ? REPOSITORY_STATUS : STATUS_FIELDS },
    declared: joined,
    options: new Set(format ? formats.map(({ id }) => id) : []),
  };
}

function joinOptions(joined: Declared, { id, traits }: AnyFormat): void {
  const options = formatOptions[id];
  if (!options) return;
  const example = exampleOf(fieldsOf(options).map((field) => field.schema));
  Field.object(`Options of a remote of format ${id} (${traits.title}).`, options, { example })(joined.prototype, id);
}

function exampleOf(fields: readonly FieldSchema[]): Json {
  return Object.fromEntries(fields.map(({ name, example }) => [name, example]));
}

const DECLARED: readonly DeclaredKind[] = [
  join(Remote, true),
  ...[Hosted, Virtual, Cooldown, Block, Exemption, Freeze].map((declared) => join(declared, false)),
];
