import { createHash } from 'node:crypto';
import { HOSTED, repositoriesOf, STILL } from '../repositories.ts';
import type { Session } from '../session.ts';
import { ask } from '../wire.ts';
import { auditVerification } from './verification.ts';

interface Row {
  readonly path: string;
  readonly digest: string;
  readonly size: number;
}

/** Every blob is what its name says, and every row has its blob. */
export async function auditBlobs(session: Session): Promise<Record<string, number>> {
  const { damage, findings, installation } = session;
  const rows = await rowsOf(session);
  const present = new Set<string>();
  const wrong: string[] = [];
  for await (const { sha256 } of installation.blobs.list()) {
    present.add(sha256);
    const bytes = await installation.blobs.read(sha256);
    if (bytes && createHash('sha256').update(bytes).digest('hex') !== sha256) wrong.push(sha256);
  }
  for (const sha256 of wrong) if (!damage.has(sha256)) findings.add('a blob is not what its name says', sha256);
  const named = new Set(rows.map(hexOf));
  await requireBlobs(
    session,
    rows.filter((row) => !present.has(hexOf(row)) && !damage.has(hexOf(row))),
  );
  const meant = wrong.filter((sha256) => named.has(sha256));
  const verified = installation.can.has('verify') ? await auditVerification(session, meant) : {};
  return {
    ...verified,
    rows_of_objects: rows.length,
    blobs: present.size,
    blobs_without_row: [...present].filter((sha256) => !named.has(sha256)).length,
    blobs_still_harmed: wrong.length,
  };
}

/** What was evicted between the two looks has no row any more. */
async function requireBlobs(session: Session, suspects: readonly Row[]): Promise<void> {
  if (suspects.length === 0) return;
  const rows = new Set((await rowsOf(session)).map(hexOf));
  for (const row of suspects) {
    if (!rows.has(hexOf(row)) || (await session.installation.blobs.read(hexOf(row)))) continue;
    session.findings.add('a row has no blob', `${row.path} ${row.digest}`);
  }
}

function hexOf({ digest }: Row): string {
  return digest.replace('sha256:', '');
}

async function rowsOf(session: Session): Promise<readonly Row[]> {
  const formats = new Set(session.world.packages.map(({ ecosystem }) => ecosystem.format));
  const remotes = [...formats].map((format) => `remotes/${repositoriesOf(format)[0]}`);
  const hosted = [...Object.values(HOSTED), STILL].map((name) => `hosted/${name}`);
  const rows: Row[] = [];
  for (const repository of [...remotes, ...hosted]) {
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page: { items: Row[]; next?: string | null } = await manage(
        session,
        `${repository}/objects?limit=100${after}`,
      );
      rows.push(...page.items);
      after = page.next ? `&after=${encodeURIComponent(page.next)}` : undefined;
    }
  }
  return rows;
}

/** Throws when it is not answered. */
async function manage<T>({ addresses, installation }: Session, path: string): Promise<T> {
  const headers = { authorization: `Bearer ${installation.token}` };
  const { status, body } = await ask({ url: `${addresses[0]}/api/v2/${path}`, headers, kept: true });
  if (status !== 200) throw new Error(`${path}: ${status} ${body.toString('utf8')}`);
  return JSON.parse(body.toString('utf8')) as T;
}
