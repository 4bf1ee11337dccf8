import { suggestion } from '../contract/index.ts';
import type { FieldError } from '../engine/fault.ts';
import type { ResourceRow } from '../ledger/ledger.ts';
import { keyOf, REPOSITORY_KINDS, type Resources } from './change.ts';

/** Names of the repositories that a resource refers to, in order. */
export function referencesOf(row: ResourceRow): readonly string[] {
  return row.kind === 'virtual' ? ((row.spec['members'] ?? []) as readonly string[]) : [];
}

/** Whatever refers to the repository, in order of kind and name. */
export function usersOf(row: ResourceRow, resources: Resources): readonly ResourceRow[] {
  if (!REPOSITORY_KINDS.includes(row.kind)) return [];
  return [...resources.values()].filter(
    (other) => keyOf(other) !== keyOf(row) && referencesOf(other).includes(row.name),
  );
}

export function repositoryNamed(name: string, resources: Resources): ResourceRow | undefined {
  for (const kind of REPOSITORY_KINDS) {
    const found = resources.get(keyOf({ kind, name }));
    if (found) return found;
  }
  return undefined;
}

/** What is wrong with the references of a resource. `before`: as it was, if it was; what it already had may be retiring. */
export function referenceErrors(row: ResourceRow, resources: Resources, before: ResourceRow | undefined): FieldError[] {
  const had = new Set(before ? referencesOf(before) : []);
  return referencesOf(row).flatMap((name, index): FieldError[] => {
    const message = memberProblem(row, name, resources, had);
    return message === undefined ? [] : [{ path: ['members', index], message }];
  });
}

/** Members before what has them, so that each can be built from those before it. */
export function membersFirst(resources: Resources): readonly ResourceRow[] {
  const ordered = new Set<ResourceRow>();
  const begun = new Set<ResourceRow>();
  const visit = (row: ResourceRow): void => {
    if (begun.has(row)) return;
    begun.add(row);
    for (const name of referencesOf(row)) {
      const member = repositoryNamed(name, resources);
      if (member) visit(member);
    }
    ordered.add(row);
  };
  for (const row of resources.values()) visit(row);
  return [...ordered];
}

function memberProblem(
  row: ResourceRow,
  name: string,
  resources: Resources,
  had: ReadonlySet<string>,
): string | undefined {
  if (name === row.name) return 'names the virtual itself';
  const member = repositoryNamed(name, resources);
  if (!member) {
    const format = row.spec['format'];
    const names = [...resources.values()].filter(({ spec }) => spec['format'] === format).map((other) => other.name);
    const near = suggestion(name, names);
    return `names ${JSON.stringify(name)}, which does not exist${near === undefined ? '' : `: did you mean ${near}?`}`;
  }
  if (member.spec['format'] !== row.spec['format']) {
    return `names ${JSON.stringify(name)}, which is of format ${String(member.spec['format'])}; this virtual is of format ${String(row.spec['format'])}`;
  }
  if (member.retiring && !had.has(name)) return `names ${JSON.stringify(name)}, which is being deleted`;
  const circle = pathTo(row.name, member, resources, new Set());
  return circle && `closes a circle: ${[row.name, ...circle].join(' → ')}`;
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
  for (const next of referencesOf(from)) {
    const member = repositoryNamed(next, resources);
    const rest = member && pathTo(name, member, resources, seen);
    if (rest) return [from.name, ...rest];
  }
  return undefined;
}
