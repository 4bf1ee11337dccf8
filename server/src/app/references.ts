import { suggestion } from '../contract/index.ts';
import type { FieldError } from '../engine/fault.ts';
import type { ResourceRow } from '../ledger/ledger.ts';
import { keyOf, REPOSITORY_KINDS, type Resources } from './change.ts';

/** A field by whose items a resource names others. */
interface ReferringField {
  readonly field: string;
  /** Kinds of what is named, of which one has each name. */
  readonly kinds: readonly string[];
}

const REPOSITORIES: ReferringField = { field: 'repositories', kinds: REPOSITORY_KINDS };
const REFERRING: Readonly<Record<string, readonly ReferringField[]>> = {
  virtual: [{ field: 'members', kinds: REPOSITORY_KINDS }],
  cooldown: [REPOSITORIES],
  freeze: [REPOSITORIES],
  exemption: [{ field: 'from', kinds: ['cooldown'] }],
};

/** Kinds of what can be named: of the others there may be thousands, and nothing uses them. */
const REFERRED: ReadonlySet<string> = new Set(
  Object.values(REFERRING).flatMap((fields) => fields.flatMap(({ kinds }) => kinds)),
);

export interface Reference extends ReferringField {
  readonly name: string;
  /** Its place in the field. */
  readonly index: number;
}

/** Other resources that a spec names, in order; the spec need not be valid. */
export function referencesIn(kind: string, spec: unknown): readonly Reference[] {
  if (typeof spec !== 'object' || spec === null) return [];
  return (REFERRING[kind] ?? []).flatMap(({ field, kinds }) => {
    const names: unknown = (spec as Readonly<Record<string, unknown>>)[field];
    return Array.isArray(names) ? names.map((name, index) => ({ field, kinds, name: String(name), index })) : [];
  });
}

/** Whatever refers to the resource, in order of kind and name. */
export function usersOf(row: ResourceRow, resources: Resources): readonly ResourceRow[] {
  if (!REFERRED.has(row.kind)) return [];
  return [...resources.values()].filter(
    (other) =>
      referencesIn(other.kind, other.spec).some(({ kinds, name }) => name === row.name && kinds.includes(row.kind)) &&
      keyOf(other) !== keyOf(row),
  );
}

/** What is wrong with the references of a resource. `before`: as it was, if it was; what it already had may be retiring. */
export function referenceErrors(row: ResourceRow, resources: Resources, before: ResourceRow | undefined): FieldError[] {
  const had = new Set(before ? referencesIn(before.kind, before.spec).map(({ name }) => name) : []);
  return referencesIn(row.kind, row.spec).flatMap((reference): FieldError[] => {
    const message = problemOf(row, reference, resources, had);
    return message === undefined ? [] : [{ path: [reference.field, reference.index], message }];
  });
}

/** What is referred to before what refers to it, so that each can be built from those before it. */
export function membersFirst(resources: Resources): readonly ResourceRow[] {
  const ordered = new Set<ResourceRow>();
  const begun = new Set<ResourceRow>();
  const visit = (row: ResourceRow): void => {
    if (begun.has(row)) return;
    begun.add(row);
    for (const reference of referencesIn(row.kind, row.spec)) {
      const named = namedBy(reference, resources);
      if (named) visit(named);
    }
    ordered.add(row);
  };
  for (const row of resources.values()) visit(row);
  return [...ordered];
}

function namedBy({ kinds, name }: Reference, resources: Resources): ResourceRow | undefined {
  return kinds.map((kind) => resources.get(keyOf({ kind, name }))).find((row) => row !== undefined);
}

function problemOf(
  row: ResourceRow,
  reference: Reference,
  resources: Resources,
  had: ReadonlySet<string>,
): string | undefined {
  const { name } = reference;
  const isMember = row.kind === 'virtual';
  if (isMember && name === row.name) return 'names the virtual itself';
  const named = namedBy(reference, resources);
  if (!named) return missing(row, reference, resources);
  if (isMember && named.spec['format'] !== row.spec['format']) {
    return `names ${JSON.stringify(name)}, which is of format ${String(named.spec['format'])}; this virtual is of format ${String(row.spec['format'])}`;
  }
  if (named.retiring && !had.has(name)) return `names ${JSON.stringify(name)}, which is being deleted`;
  const circle = isMember ? pathTo(row.name, named, resources, new Set()) : undefined;
  return circle && `closes a circle: ${[row.name, ...circle].join(' → ')}`;
}

function missing(row: ResourceRow, { kinds, name }: Reference, resources: Resources): string {
  const format = row.spec['format'];
  const names = [...resources.values()]
    .filter(({ kind, spec }) => kinds.includes(kind) && (format === undefined || spec['format'] === format))
    .map((other) => other.name);
  const near = suggestion(name, names);
  return `names ${JSON.stringify(name)}, which does not exist${near === undefined ? '' : `: did you mean ${near}?`}`;
}

/** The names that lead from a member back to the virtual; undefined when none do. */
function pathTo(
  name: string,
  from: ResourceRow,
  resources: Resources,
  seen: Set<string>,
): readonly string[] | undefined {
  if (from.name === name) return [name];
  if (seen.has(from.name)) return undefined;
  seen.add(from.name);
  for (const reference of referencesIn(from.kind, from.spec)) {
    const member = namedBy(reference, resources);
    const rest = member && pathTo(name, member, resources, seen);
    if (rest) return [from.name, ...rest];
  }
  return undefined;
}
