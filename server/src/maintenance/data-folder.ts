import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** In a data folder while a backup takes its place there; no server starts with it. */
export const PARTIAL = 'restore.partial';

/** The folder of the journal. */
export function journalOf({ data, journal }: { readonly data: string; readonly journal: string | undefined }): string {
  return journal ?? join(data, 'journal');
}

/** Throws one line when a restore was broken off in this folder: what is there is half of one thing and half of another. */
export async function requireWhole(data: string): Promise<void> {
  if (!(await exists(join(data, PARTIAL)))) return;
  throw new Error(
    `${data} holds a restore that was broken off (${PARTIAL}): run "entrepot restore" again, with --force, before Entrepot is started`,
  );
}

/** Paths of the ledger and of pulls on their way into it, the ledger first. Blobs are in nobody's way. */
export async function occupants({
  database,
  journal,
}: {
  readonly database: string;
  readonly journal: string;
}): Promise<string[]> {
  const files = ['', '-wal', '-shm'].map((suffix) => `${database}${suffix}`);
  const there = [];
  for (const path of files) if (await exists(path)) there.push(path);
  if (await hasRows(journal)) there.push(journal);
  return there;
}

async function hasRows(journal: string): Promise<boolean> {
  const names = await readdir(journal, { recursive: true }).catch(() => []);
  for (const name of names) {
    const found = await stat(join(journal, name)).catch(() => undefined);
    if (found?.isFile() && found.size > 0 && name.endsWith('.ndjson')) return true;
  }
  return false;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
}
