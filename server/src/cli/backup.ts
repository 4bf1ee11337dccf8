import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Client, CommandError } from './client.ts';
import { size } from './print.ts';

export interface BackupFlags {
  readonly withBlobs?: string;
  readonly withSecrets?: boolean;
}

/** Has the server make a backup, into `<file>.partial` until all of it is there. Resolves to the file. */
export async function backUp(
  client: Client,
  file: string,
  { withBlobs, withSecrets }: BackupFlags,
  progress: (text: string) => void,
): Promise<void> {
  progress('copying the ledger');
  const response = await client.send('api/v2/backup', {
    method: 'POST',
    query: { blobs: withBlobs, secrets: withSecrets ? 'true' : undefined },
    accept: 'application/zstd, application/problem+json',
  });
  await keptAs(file, Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]), progress);
}

/** Writes what comes into a file that has its name only when it is whole. */
export async function keptAs(file: string, content: Readable, progress: (text: string) => void): Promise<void> {
  const partial = `${file}.partial`;
  let bytes = 0;
  content.on('data', (chunk: Uint8Array) => {
    bytes += chunk.length;
    progress(`${size(bytes)} written`);
  });
  try {
    await pipeline(content, createWriteStream(partial, { mode: 0o600, flush: true }));
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw new CommandError(`${file} was not written: ${reasonOf(error)}`, { cause: error });
  } finally {
    progress('');
  }
}

/** A folder stands for a file in it that is named after the time. Throws `CommandError` when there is such a file. */
export async function fileFor(given: string, cwd: string, now: Date): Promise<string> {
  const path = resolve(cwd, given);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return join(path, `entrepot-${now.toISOString().replaceAll(/[:.]/g, '-')}.tar.zst`);
  if (found) throw new CommandError(`${path} is there already: name another file, or a folder`);
  return path;
}

function reasonOf(error: unknown): string {
  const { cause, message, code } = error as Error & { code?: string };
  if (code === 'ENOENT') return 'its folder is not there';
  if (code === 'ENOSPC') return 'the disk is full';
  return cause instanceof Error ? cause.message : message;
}
