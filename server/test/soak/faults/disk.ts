import { fillDisk, freeDisk } from '../../support/small-disk.ts';
import type { Kind } from './fault.ts';

/** Everything a server has on disk: blobs or what is on its way to them, the journal, the database where it is there. */
export const diskFull: Kind = {
  weight: 1.5,
  group: 'machine',
  make({ installation }, random) {
    const nth = random.below(installation.servers.length);
    const server = installation.servers[nth];
    if (!server || !installation.hasDisks) return undefined;
    return {
      name: `the disk of server ${nth} is full`,
      breaks: ['database', 'store', 'process'],
      server: nth,
      shows: 'store',
      lasts: [7000, 15_000],
      settles: 30_000,
      begin: async () => {
        await fillDisk(server.data);
        return () => freeDisk(server.data);
      },
    };
  },
};
