import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { diskMissing, mountDisk, unmountDisk } from '../support/small-disk.ts';
import { abilitiesOf } from './abilities.ts';
import { BlobsOnDisk } from './blobs-on-disk.ts';
import type { Installation } from './installation.ts';
import { LaunchedServer } from './server.ts';

export const TOKEN = 'the-token-of-the-administrator';

export interface Place {
  /** Everything of the run goes there. */
  readonly folder: string;
  /** The server's `main.js`. */
  readonly program: string;
  /** Each data folder is a disk of its own, where that can be had. */
  readonly disks: boolean;
}

/** What every server of a soak is told: room small enough to be full soon, and every blob read again often. */
export const COMMON = {
  defaults: 'false',
  admin_token: TOKEN,
  'memory.hot': '32MB',
  'storage.max_size': '40MB',
  'storage.scrub_every': '2m',
  'log.level': 'warn',
  'log.format': 'json',
} as const;

/** One server with everything in its data folder. */
export async function startSingle({ folder, program, disks }: Place): Promise<Installation> {
  const data = join(folder, 'data');
  await mkdir(data, { recursive: true });
  const hasDisks = disks && diskMissing() === undefined;
  if (hasDisks) await mountDisk(data);
  const log = join(folder, 'server-0.log');
  const server = new LaunchedServer({ program, port: await freePort(), data, log, settings: COMMON });
  const stop = async (): Promise<void> => {
    await server.end('SIGTERM');
    if (hasDisks) await unmountDisk(data);
  };
  try {
    await server.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    servers: [server],
    token: TOKEN,
    blobs: new BlobsOnDisk(data),
    services: new Map(),
    hasDisks,
    can: await abilitiesOf(server.url),
    stop,
  };
}
