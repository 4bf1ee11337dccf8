import { auditBlobs } from './audits/blobs.ts';
import { auditFiles, auditHealed } from './audits/files.ts';
import { auditIndexes } from './audits/indexes.ts';
import { auditPublications } from './audits/publications.ts';
import { auditPulls } from './audits/pulls.ts';
import { settle } from './audits/settle.ts';
import type { Session } from './session.ts';

/** How much was looked at. */
export type Audited = Readonly<Record<string, number>>;

/** Holds what the servers have against what clients received, without a restart. */
export async function audit(session: Session): Promise<Audited> {
  session.world.end(Date.now());
  await settle(session);
  const indexes = await auditIndexes(session);
  const publications = await auditPublications(session);
  const files = await auditFiles(session);
  const blobs = await auditBlobs(session);
  const healed = await auditHealed(session);
  const pulls = await auditPulls(session);
  return { ...pulls, ...publications, ...indexes, ...files, ...blobs, ...healed };
}
