import { type Change, keyOf, type Resources } from './change.ts';
import { membersFirst, referencesIn } from './references.ts';

/** What is referred to is put first and deleted last; otherwise as they came. */
export function inOrder(changes: readonly Change[], resources: Resources): readonly Change[] {
  const depth = new Map(membersFirst(resources).map((row, index) => [keyOf(row), index]));
  const deletes = changes
    .filter(({ op }) => op === 'delete')
    .sort((one, other) => (depth.get(keyOf(other)) ?? 0) - (depth.get(keyOf(one)) ?? 0));
  return [...putsInOrder(changes), ...deletes];
}

function putsInOrder(changes: readonly Change[]): readonly Change[] {
  const puts = new Map(changes.filter(({ op }) => op === 'put').map((change) => [keyOf(change), change]));
  const ordered = new Set<Change>();
  const begun = new Set<Change>();
  const visit = (change: Change): void => {
    if (begun.has(change)) return;
    begun.add(change);
    // The spec is not validated yet.
    const references = change.op === 'put' ? referencesIn(change.kind, change.spec) : [];
    for (const { kinds, name } of references) {
      for (const kind of kinds) {
        const named = puts.get(keyOf({ kind, name }));
        if (named) visit(named);
      }
    }
    ordered.add(change);
  };
  for (const change of changes) if (change.op === 'put') visit(change);
  return [...ordered];
}
