import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { remoteSpec } from '../repositories.ts';
import type { Session } from '../session.ts';
import { ask, type Heard } from '../wire.ts';
import type { Kind } from './fault.ts';

/** So little that something is evicted all the time. */
const LITTLE = '1MB';
const PATIENCE = 90_000;

/** Remotes may keep next to nothing for a while. */
export const shortOfSpace: Kind = {
  weight: 1.5,
  group: 'space',
  make: (session) => ({
    name: `remotes may keep ${LITTLE}`,
    breaks: [],
    lasts: [10_000, 30_000],
    settles: 0,
    begin: async () => {
      await limit(session, LITTLE);
      return () => limit(session, undefined);
    },
  }),
};

/** Every blob is read again while clients go on. */
export const verified: Kind = {
  weight: 1,
  group: 'work',
  make: (session, random) => ({
    name: 'the store is verified',
    breaks: [],
    lasts: [1000, 5000],
    settles: 0,
    begin: async () => {
      const heard = await manage(session, random, 'POST', '/api/v2/verify', { scope: 'store' });
      if (heard.status === 409) session.say('a verification is under way already');
      return async () => {};
    },
  }),
};

/** A backup is made while clients go on: it comes to its end. */
export const backedUp: Kind = {
  weight: 1,
  group: 'work',
  make: (session, random) => ({
    name: 'a backup is made',
    breaks: [],
    lasts: [100, 1000],
    settles: 0,
    begin: async () => {
      const { size } = await manage(session, random, 'POST', '/api/v2/backup', {});
      session.say(`a backup of ${size} bytes was made`);
      return async () => {};
    },
  }),
};

async function limit(session: Session, maxSize: string | undefined): Promise<void> {
  const { world, upstream } = session;
  for (const format of new Set(world.packages.map(({ ecosystem }) => ecosystem.format))) {
    const name = `${format}-far`;
    const spec = { name, ...remoteSpec(format, upstream.urlOf(format), maxSize) };
    await manage(session, undefined, 'PUT', `/api/v2/remotes/${name}`, spec);
  }
}

/** Tries until it is taken: other things may be wrong at the same time. */
async function manage(
  { addresses, installation, findings }: Session,
  random: Random | undefined,
  method: 'POST' | 'PUT',
  path: string,
  body: object,
): Promise<Heard> {
  for (const end = Date.now() + PATIENCE; ; await sleep(500)) {
    const address = random ? random.pick(addresses) : addresses[Math.floor((Date.now() / 500) % addresses.length)];
    const headers = { authorization: `Bearer ${installation.token}`, 'content-type': 'application/json' };
    const heard = await ask({ method, url: `${address}${path}`, headers, body: JSON.stringify(body), kept: true });
    const isOver = heard.complete && heard.status > 0 && heard.status < 500 && heard.status !== 429;
    if (isOver && (heard.status < 300 || heard.status === 409)) return heard;
    if (!isOver && Date.now() < end) continue;
    findings.add(`${method} ${path} was not taken`, `${heard.status} ${heard.body.toString('utf8').slice(0, 300)}`);
    return heard;
  }
}
