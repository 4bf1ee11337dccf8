import type { ObjectRow } from '../ledger/ledger.ts';
import { Fault } from './fault.ts';

/** Before the digest, in the path of bytes kept beside others: no request can have it. */
export const BESIDE = '\u001f';

/** Undefined: the index announces what we have, or nothing that could be compared with it. */
export function otherDigest(row: ObjectRow, announced: string | undefined): string | undefined {
  if (announced === undefined || row.expected === undefined || row.expected === announced) return undefined;
  return row.expected.split(':', 1)[0] === announced.split(':', 1)[0] ? announced : undefined;
}

/** Neither is served before somebody looked. */
export function disputed(row: ObjectRow, other: string): Fault {
  const was = row.expected?.split(':', 1)[0] === other.split(':', 1)[0] ? row.expected : row.digest;
  return new Fault(
    'integrity',
    `The upstream of "${row.repository}" changed ${row.path}: it was ${was}, it is now ${other}. Evict it to take the new one, or set on_mutation to serve_first.`,
    { details: { changed: true } },
  );
}
