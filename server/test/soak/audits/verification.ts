import { createHash } from 'node:crypto';
import { comes } from '../health.ts';
import type { Session } from '../session.ts';
import { ask, type Heard } from '../wire.ts';

/** Milliseconds. */
const DONE_WITHIN = 120_000;

interface Verification {
  readonly state: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly findings: readonly { readonly kind: string; readonly digest: string }[];
}

/** The server's own verification finds what was harmed, and nothing else. `wrong`: blobs that are not what they are called. */
export async function auditVerification(session: Session, wrong: readonly string[]): Promise<Record<string, number>> {
  const state = await verified(session);
  const found = state?.findings ?? [];
  const { damage, findings, installation } = session;
  const others = found.filter(({ kind, digest }) => kind !== 'unreferenced' && !damage.has(hexOf(digest)));
  for (const { kind, ...one } of others) findings.add(`verifying finds a blob ${kind}`, JSON.stringify(one));
  const corrupt = digestsOf(found, 'corrupt');
  for (const sha256 of wrong)
    if (!corrupt.has(sha256) && (await isWrong(session, sha256)))
      findings.add('verifying does not find a blob that is wrong', sha256);
  const unreferenced = digestsOf(found, 'unreferenced');
  for (const sha256 of damage.orphans)
    if (!unreferenced.has(sha256) && (await installation.blobs.read(sha256)))
      findings.add('verifying does not find a blob without a row', sha256);
  return Object.fromEntries(Object.entries(state?.counts ?? {}).map(([kind, count]) => [`verify_${kind}`, count]));
}

/** Still: what reads every blob again now and then may have found it first. */
async function isWrong({ installation }: Session, sha256: string): Promise<boolean> {
  const bytes = await installation.blobs.read(sha256);
  return bytes !== undefined && createHash('sha256').update(bytes).digest('hex') !== sha256;
}

/** Undefined: it came to no end, which is told. */
async function verified(session: Session): Promise<Verification | undefined> {
  const begun = await manage(session, 'POST', { scope: 'store' });
  if (begun.status !== 202 && begun.status !== 409) throw new Error(`verify: ${begun.status} ${begun.body.toString()}`);
  let state: Verification | undefined;
  const isDone = await comes(DONE_WITHIN, async () => {
    state = JSON.parse((await manage(session, 'GET')).body.toString('utf8')) as Verification;
    return state.state !== 'running';
  });
  if (isDone && state?.state === 'done') return state;
  session.findings.add('the store could not be verified', JSON.stringify(state));
  return undefined;
}

function digestsOf(found: Verification['findings'], kind: string): ReadonlySet<string> {
  return new Set(found.filter((one) => one.kind === kind).map(({ digest }) => hexOf(digest)));
}

function hexOf(digest: string): string {
  return digest.replace('sha256:', '');
}

function manage({ addresses, installation }: Session, method: 'GET' | 'POST', body?: object): Promise<Heard> {
  return ask({
    method,
    url: `${addresses[0]}/api/v2/verify`,
    headers: { authorization: `Bearer ${installation.token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    kept: true,
  });
}
