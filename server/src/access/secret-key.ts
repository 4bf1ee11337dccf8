import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeOnce } from './write-once.ts';

/** What `<data>/secret-key` holds; undefined: there is no such file. */
export function keptSecretKey(data: string): Promise<string | undefined> {
  return read(join(data, 'secret-key'));
}

/** Made at first start and kept, readable by its owner only, in `<data>/secret-key`: 256 random bits. */
export async function madeSecretKey(data: string): Promise<string> {
  const path = join(data, 'secret-key');
  if ((await read(path)) === undefined) await writeOnce(path, `${randomBytes(32).toString('base64url')}\n`);
  // What is in the file afterwards: another process may have been first.
  const value = (await read(path)) ?? '';
  if (!/^[\x21-\x7e]{32,}$/.test(value)) {
    throw new Error(
      `${path} holds no key: restore it from a backup, or set ENTREPOT_SECRET_KEY to the key that was in it`,
    );
  }
  return value;
}

async function read(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
