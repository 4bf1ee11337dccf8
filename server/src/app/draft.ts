import { isDeepStrictEqual } from 'node:util';
import { Fault, type FieldError } from '../engine/fault.ts';
import type { ManagedBy, ResourceRow } from '../ledger/ledger.ts';
import { kind as kindNamed } from '../schema/kinds.ts';
import { canonical, effective, validate, withSecrets } from '../schema/schema.ts';
import {
  type Change,
  type DeleteChange,
  keyOf,
  type Outcome,
  type PutChange,
  REPOSITORY_KINDS,
  type Resources,
} from './change.ts';
import { requireExpected } from './expected.ts';
import { referenceErrors, usersOf } from './references.ts';
import { timeErrors } from './times.ts';

/** The declared resources while a set of changes is made to them: first every change by itself, then what holds between them. */
export class Draft {
  readonly #before: Resources;
  readonly #after: Map<string, ResourceRow>;
  readonly #managedBy: ManagedBy;
  readonly #now: number;
  readonly #outcomes = new Map<Change, Outcome>();

  constructor(before: Resources, managedBy: ManagedBy, now: number) {
    this.#before = before;
    this.#after = new Map(before);
    this.#managedBy = managedBy;
    this.#now = now;
  }

  get resources(): Resources {
    return this.#after;
  }

  outcome(change: Change): Outcome {
    const outcome = this.#outcomes.get(change);
    if (!outcome) throw new Error(`the change of ${keyOf(change)} was not made`);
    return outcome;
  }

  make(change: Change): void {
    kindNamed(change.kind);
    const known = this.#after.get(keyOf(change));
    const current = known?.retiring ? undefined : known;
    if (current && current.managedBy === 'file' && this.#managedBy !== 'file') throw managedByFile(current);
    if (change.op === 'put') this.#put(change, current, known);
    else this.#delete(change, current);
  }

  settle(change: Change): void {
    if (change.op === 'put') this.#settlePut(change);
    else this.#settleDelete(change);
  }

  #put(change: PutChange, current: ResourceRow | undefined, known: ResourceRow | undefined): void {
    // What the first start made is nobody's yet: creating it again takes it over.
    const taken =
      change.expected?.state === 'absent' && current?.managedBy === 'defaults' && this.#managedBy !== 'defaults';
    requireExpected(change, taken ? undefined : current);
    const { kind, name } = change;
    const spec = validate(kind, withSecrets(kind, named(change), current?.spec));
    if (spec['name'] !== name)
      throw fieldFault([{ path: ['name'], message: `must be ${name}, the name in the address` }]);
    if (current) requireImmutable(current, spec);
    if (current && !taken && canonical(kind, current.spec) === canonical(kind, spec)) {
      this.#outcomes.set(change, { change, changed: false, created: false, row: current });
      return;
    }
    const untimely = timeErrors(kind, spec, this.#now);
    if (untimely.length > 0) throw fieldFault(untimely);
    const row: ResourceRow = {
      kind,
      name,
      spec,
      managedBy: this.#managedBy,
      retiring: false,
      revision: known?.revision ?? 0,
      createdAt: known?.createdAt ?? this.#now,
      updatedAt: this.#now,
    };
    this.#after.set(keyOf(row), row);
    this.#outcomes.set(change, { change, changed: true, created: !current || taken, row });
  }

  #settlePut(change: PutChange): void {
    const row = this.#after.get(keyOf(change));
    if (!row) return;
    const namesake = REPOSITORY_KINDS.filter((kind) => kind !== row.kind && REPOSITORY_KINDS.includes(row.kind))
      .map((kind) => this.#after.get(keyOf({ kind, name: row.name })))
      .find((other) => other !== undefined);
    if (namesake) {
      throw new Fault(
        'conflict',
        `there is a ${namesake.kind} called ${JSON.stringify(row.name)} already: repositories share one space of names`,
        {
          details: { existing: { kind: namesake.kind, name: namesake.name } },
        },
      );
    }
    const errors = referenceErrors(row, this.#after, this.#before.get(keyOf(row)));
    if (errors.length > 0) throw fieldFault(errors);
    this.#requireUsersFit(row);
  }

  /** A revived remote may come back with another format than the virtuals have that still name it. */
  #requireUsersFit(row: ResourceRow): void {
    const unfit = usersOf(row, this.#after).find(
      ({ kind, spec }) => kind === 'virtual' && spec['format'] !== row.spec['format'],
    );
    if (!unfit) return;
    const message = `must be ${String(unfit.spec['format'])}: ${unfit.kind} ${JSON.stringify(unfit.name)} of that format still names it`;
    throw fieldFault([{ path: ['format'], message }]);
  }

  #delete(change: DeleteChange, current: ResourceRow | undefined): void {
    const { kind, name } = change;
    if (!current) throw new Fault('not_found', `there is no ${kind} called ${JSON.stringify(name)}`);
    requireExpected(change, current);
    if (effective(kind, current.spec)['deletion_protection'] === true) {
      throw new Fault(
        'conflict',
        `${kind} ${JSON.stringify(name)} is protected: set deletion_protection to false before you delete it`,
      );
    }
    this.#after.delete(keyOf(current));
    this.#outcomes.set(change, { change, changed: true, created: false, row: current });
  }

  #settleDelete(change: DeleteChange): void {
    const { row } = this.outcome(change);
    const users = usersOf(row, this.#after);
    if (users.length === 0) return;
    if (change.inUse === 'retire') {
      this.#after.set(keyOf(row), { ...row, retiring: true, updatedAt: this.#now });
      return;
    }
    const named = users.map(({ kind, name }) => `${kind} ${JSON.stringify(name)}`).join(', ');
    const advice = 'take it out of there first, or delete it with in_use=retire to let it serve until then';
    throw new Fault('conflict', `${row.kind} ${JSON.stringify(row.name)} is in use by ${named}: ${advice}`, {
      details: { users: users.map(({ kind, name }) => ({ kind, name })) },
    });
  }
}

/** What the address of a change says already, its spec need not repeat; one that does must agree. */
function named({ name, spec }: PutChange): unknown {
  if (name === '' || typeof spec !== 'object' || spec === null || Array.isArray(spec) || 'name' in spec) return spec;
  return { name, ...spec };
}

function requireImmutable(current: ResourceRow, spec: Readonly<Record<string, unknown>>): void {
  const changed = kindNamed(current.kind).fields.filter(
    ({ name, immutable }) => immutable && !isDeepStrictEqual(current.spec[name], spec[name]),
  );
  if (changed.length === 0) return;
  throw fieldFault(
    changed.map(({ name }) => ({
      path: [name],
      message: `is set at creation only and is ${JSON.stringify(current.spec[name])}: delete the ${current.kind} and create it anew`,
    })),
  );
}

function managedByFile({ kind, name }: ResourceRow): Fault {
  return new Fault(
    'conflict',
    `${kind} ${JSON.stringify(name)} is declared in a file of the installation: change it there`,
  );
}

function fieldFault(errors: readonly FieldError[]): Fault {
  const shown = errors.map(({ path, message }) => `${path.map(String).join('.')} ${message}`);
  return new Fault('invalid', shown.slice(0, 5).join('; '), { details: { errors } });
}
