import { Fault } from '../engine/fault.ts';
import type { ResourceRow } from '../ledger/ledger.ts';
import type { Change } from './change.ts';

/** Throws when the resource is not as the change expects it; `current` undefined: it does not exist. */
export function requireExpected({ kind, name, expected }: Change, current: ResourceRow | undefined): void {
  if (!expected) return;
  const what = `${kind} ${JSON.stringify(name)}`;
  const details = current ? { existing: { kind, name, revision: current.revision } } : {};
  if (expected.state === 'absent') {
    if (current)
      throw new Fault(expected.otherwise, `${what} exists already, at revision ${current.revision}`, { details });
    return;
  }
  if (!current) throw new Fault('precondition_failed', `${what} does not exist any more`);
  if (expected.state === 'at' && !expected.revisions.includes(current.revision)) {
    const message = `${what} was changed meanwhile: it is at revision ${current.revision}; read it again and decide anew`;
    throw new Fault('precondition_failed', message, { details });
  }
}
