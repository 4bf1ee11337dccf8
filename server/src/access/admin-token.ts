import { readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeToken } from './token.ts';
import { writeOnce } from './write-once.ts';

export interface AdminToken {
  readonly value: string;
  /** The file it is kept in; undefined when the settings give it. */
  readonly path: string | undefined;
  /** True when others than its owner may read the file. */
  readonly exposed: boolean;
}

/** The administrator's token: as configured, else from `<data>/admin-token`, made at first start. */
export async function adminToken(data: string, configured: string | undefined): Promise<AdminToken> {
  if (configured !== undefined) return { value: configured, path: undefined, exposed: false };
  const path = join(data, 'admin-token');
  const value = (await kept(path)) ?? (await made(path));
  if (!/^[\x21-\x7e]{16,}$/.test(value)) {
    throw new Error(`${path} holds no token: delete the file to have a new one made, or set ENTREPOT_ADMIN_TOKEN`);
  }
  return { value, path, exposed: ((await stat(path)).mode & 0o077) !== 0 };
}

/**
 * The one token of all processes that share a database: `agree` is given what makes one, and resolves to the one that holds. It
 * is in `<data>/admin-token` afterwards, so that the command line works on every machine.
 */
export async function sharedAdminToken(
  data: string,
  agree: (local: () => Promise<string>) => Promise<string>,
): Promise<AdminToken> {
  const path = join(data, 'admin-token');
  // A folder that was used with another database keeps its token.
  const value = await agree(async () => (await kept(path)) || makeToken());
  if ((await kept(path)) !== value) {
    await unlink(path).catch(() => {});
    await writeOnce(path, `${value}\n`);
  }
  return { value, path, exposed: ((await stat(path)).mode & 0o077) !== 0 };
}

async function kept(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** What is in the file afterwards: another process may have been first. */
async function made(path: string): Promise<string> {
  await writeOnce(path, `${makeToken()}\n`);
  return (await readFile(path, 'utf8')).trim();
}
