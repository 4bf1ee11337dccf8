import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CommandError } from './client.ts';

/** Bytes; what is larger is not even read. */
const LARGEST = 128 * 1024 * 1024;

/** Of a file that the user names. Throws `CommandError`. */
export async function textOf(file: string, cwd: string): Promise<string> {
  const path = resolve(cwd, file);
  let bytes: Buffer;
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new CommandError(`${file} is no file`);
    if (found.size > LARGEST) throw new CommandError(`${file} is larger than any such file`);
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new CommandError(`${file} is not UTF-8 text`, { cause: error });
  }
}
