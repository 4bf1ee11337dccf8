import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from '../installation.ts';
import type { Kind } from './fault.ts';

/** Whoever starts servers again goes on trying for so long, in milliseconds. */
const STARTS_WITHIN = 120_000;

const ended = (signal: NodeJS.Signals, weight: number): Kind => ({
  weight,
  group: 'machine',
  make({ installation }, random) {
    const nth = random.below(installation.servers.length);
    const server = installation.servers[nth];
    return (
      server && {
        name: `server ${nth} gets ${signal}`,
        breaks: ['process'],
        server: nth,
        lasts: [200, 12_000],
        settles: 2000,
        begin: async () => {
          await server.end(signal);
          return () => startAgain(server);
        },
      }
    );
  },
});

export const killed = ended('SIGKILL', 3);
export const restarted = ended('SIGTERM', 1);

/** It does not start while what it needs is away: a supervisor tries again. */
async function startAgain(server: Server): Promise<void> {
  for (const end = Date.now() + STARTS_WITHIN; ; await sleep(500)) {
    try {
      return await server.start();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}
