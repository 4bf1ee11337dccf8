import type { ObjectRow } from '../../ledger/ledger.ts';
import { Fault } from '../fault.ts';

/** Before the digest, in the path of bytes kept beside others: no request can have it. */
export const BESIDE = '\u001f';

const DIGEST = /^(?:md5|sha\d+):/;

/** Undefined: the index announces what we have, or nothing that could be compared with it. */
export function otherDigest(row: ObjectRow, announced: string | undefined): string | undefined {
  if (announced === undefined || row.expected === undefined || row.expected === announced) return undefined;
  return row.expected.split(':', 1)[0] === announced.split(':', 1)[0] ? announced : undefined;
}

/** The upstream's having the same bytes again says nothing against a record of what is in them. */
export function disputedByBytes({ disputed }: ObjectRow): boolean {
  return disputed !== undefined && DIGEST.test(disputed);
}

/** Neither is served before somebody looked. */
export function disputed(row: ObjectRow, other: string): Fault {
  if (!DIGEST.test(other)) return notOnRecord(row, other);
  const was = row.expected?.split(':', 1)[0] === other.split(':', 1)[0] ? row.expected : row.digest;
  return new Fault(
    'integrity',
    `The upstream of "${row.repository}" changed ${row.path}: it was ${was}, it is now ${other}. Evict it to take the new one, or set on_mutation to serve_first.`,
    { details: { changed: true } },
  );
}

function notOnRecord({ repository, path }: ObjectRow, recorded: string): Fault {
  return new Fault(
    'integrity',
    `What "${repository}" has as ${path} is not what is on record, ${recorded}. Evict it to fetch it again, or set on_mutation to serve_first.`,
    { details: { changed: true } },
  );
}
