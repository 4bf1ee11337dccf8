import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { postgresMissing } from '../support/postgres.ts';
import { radosgwMissing } from '../support/radosgw.ts';
import { redisMissing } from '../support/redis.ts';
import { diskMissing, mountDisk, unmountDisk } from '../support/small-disk.ts';
import { abilitiesOf } from './abilities.ts';
import { BlobsInBucket } from './blobs-in-bucket.ts';
import type { Installation } from './installation.ts';
import { LaunchedServer } from './server.ts';
import { startCoordination, startDatabase, startStore } from './services.ts';
import { COMMON, type Place, TOKEN } from './single.ts';

const REPLICAS = 2;

/** What is not on this machine, a sentence each. */
export function servicesMissing(): readonly string[] {
  return [postgresMissing(), radosgwMissing(), redisMissing()].filter((missing) => missing !== undefined);
}

/** Two servers on one PostgreSQL, one bucket and one Redis, each with a disk of its own and a journal where the other finds it. */
export async function startReplicas({ folder, program, disks }: Place): Promise<Installation> {
  await using opened = new AsyncDisposableStack();
  const [database, store, coordination] = await Promise.all([
    startDatabase(opened),
    startStore(opened),
    startCoordination(opened),
  ]);
  const hasDisks = disks && diskMissing() === undefined;
  const journal = join(folder, 'journal');
  await mkdir(journal);
  const settings = {
    ...COMMON,
    ...{ ...database.settings, ...store.settings, ...coordination.settings },
    ...{ journal, secret_key: 'the-secret-key-of-this-installation-which-is-soaked' },
  };
  const servers: LaunchedServer[] = [];
  for (let nth = 0; nth < REPLICAS; nth += 1) {
    const data = join(folder, `data-${nth}`);
    await mkdir(data);
    if (hasDisks) {
      await mountDisk(data);
      opened.defer(() => unmountDisk(data));
    }
    const log = join(folder, `server-${nth}.log`);
    const server = new LaunchedServer({ program, port: await freePort(), data, log, settings });
    servers.push(server);
    opened.defer(() => server.end('SIGTERM'));
    await server.start();
  }
  const can = await abilitiesOf(servers[0]?.url ?? '');
  const started = opened.move();
  return {
    servers,
    token: TOKEN,
    blobs: new BlobsInBucket(store.server.client(), store.bucket),
    services: new Map([
      ['database', database],
      ['store', store],
      ['coordination', coordination],
    ]),
    hasDisks,
    can,
    stop: () => started.disposeAsync(),
  };
}
