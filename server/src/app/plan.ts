import { Fault } from '../engine/fault.ts';
import type { ManagedBy, ResourceChange } from '../ledger/ledger.ts';
import { type Change, keyOf, type Outcome, type Resources } from './change.ts';
import { Draft } from './draft.ts';
import { usersOf } from './references.ts';

export interface Planned {
  /** In the order of the changes. */
  readonly outcomes: readonly Outcome[];
  /** Empty: all is so already. */
  readonly changes: readonly ResourceChange[];
  /** What would be declared afterwards; a row that was put still has its predecessor's revision, or 0. */
  readonly resources: Resources;
}

/**
 * What a set of changes comes to, judged together: what one of them creates, another may refer to.
 * Throws the `Fault` of the only change, or one that speaks for all that cannot be made: the paths of its `errors` then
 * start with the position of the change in the set.
 */
export function plan(before: Resources, changes: readonly Change[], managedBy: ManagedBy, now: number): Planned {
  const draft = new Draft(before, managedBy, now);
  const faults = new Map<Change, Fault>();
  const attempt = (change: Change, step: () => void): void => {
    if (faults.has(change)) return;
    try {
      step();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      faults.set(change, error);
    }
  };
  for (const change of changes) attempt(change, () => draft.make(change));
  for (const change of changes) attempt(change, () => draft.settle(change));
  if (faults.size > 0) throw combined(changes, faults);
  const resources = withoutUnused(draft.resources);
  return {
    outcomes: changes.map((change) => draft.outcome(change)),
    changes: difference(before, resources),
    resources,
  };
}

/** A retiring resource goes with its last user; which may have been the last user of another. */
function withoutUnused(resources: Resources): Resources {
  const kept = new Map(resources);
  for (;;) {
    const unused = [...kept.values()].filter((row) => row.retiring && usersOf(row, kept).length === 0);
    if (unused.length === 0) return kept;
    for (const row of unused) kept.delete(keyOf(row));
  }
}

function difference(before: Resources, after: Resources): ResourceChange[] {
  const put = [...after.values()].filter((row) => before.get(keyOf(row)) !== row);
  const gone = [...before.values()].filter((row) => !after.has(keyOf(row)));
  return [
    ...put.map((row): ResourceChange => {
      const { kind, name, spec, managedBy, retiring } = row;
      return { op: 'put', kind, name, spec, managedBy, retiring, expect: before.get(keyOf(row))?.revision ?? 'absent' };
    }),
    ...gone.map(({ kind, name, revision }): ResourceChange => ({ op: 'delete', kind, name, expect: revision })),
  ];
}

function combined(changes: readonly Change[], faults: ReadonlyMap<Change, Fault>): Fault {
  const [first] = faults.values();
  if (!first || changes.length === 1) return first as Fault;
  const sentences = [...faults].map(([{ kind, name }, fault]) => `${kind} ${JSON.stringify(name)}: ${fault.message}`);
  const errors = [...faults].flatMap(([change, fault]) => {
    const at = changes.indexOf(change);
    const inSpec = fault.details.errors?.map(({ path, message }) => ({ path: [at, 'spec', ...path], message }));
    return inSpec ?? [{ path: [at], message: fault.message }];
  });
  return new Fault(first.code, `nothing was changed; ${sentences.slice(0, 5).join('; ')}`, { details: { errors } });
}
