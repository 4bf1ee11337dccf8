import { randomBytes } from 'node:crypto';
import type { Harm } from '../damage.ts';
import type { Random } from '../random.ts';
import type { Session } from '../session.ts';
import { type Kind, OVER } from './fault.ts';

const TRIES = 30;

const harmed = (harm: Harm, said: string): Kind => ({
  weight: 1,
  group: 'blobs',
  make: (session, random) => ({
    name: `a blob ${said}`,
    breaks: [],
    settles: 0,
    begin: async () => {
      const found = await aBlob(session, random);
      if (!found) return OVER;
      const { sha256, bytes } = found;
      session.damage.add(sha256, harm);
      await doHarm(session, random, { harm, sha256, bytes });
      session.say(`${said}: ${sha256.slice(0, 12)}…`);
      return OVER;
    },
  }),
});

export const flipped = harmed('flipped', 'has a bit flipped');
export const cut = harmed('cut', 'is cut');
export const deleted = harmed('deleted', 'is deleted');

/** A blob that no row means. */
export const orphaned: Kind = {
  weight: 0.5,
  group: 'blobs',
  make: ({ installation, damage }) => ({
    name: 'a blob without a row is put there',
    breaks: [],
    settles: 0,
    begin: async () => {
      const bytes = randomBytes(5000);
      const sha256 = damage.orphan(bytes);
      if (!(await installation.blobs.plant(sha256, bytes))) damage.forgetOrphan(sha256);
      return OVER;
    },
  }),
};

/** Of the upstream's, since what was published here cannot be fetched again. */
async function aBlob({ world, installation }: Session, random: Random) {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const { contents } = random.pick(world.releases(random.pick(world.packages), Date.now()));
    const sha256 = contents.digest('sha256');
    const bytes = await installation.blobs.read(sha256);
    if (bytes && bytes.length > 1) return { sha256, bytes };
  }
  return undefined;
}

/** Evicted in the meantime, there is nothing to harm. */
async function doHarm(
  { installation: { blobs } }: Session,
  random: Random,
  { harm, sha256, bytes }: { readonly harm: Harm; readonly sha256: string; readonly bytes: Buffer },
): Promise<void> {
  if (harm === 'deleted') return blobs.remove(sha256);
  if (harm === 'cut') return blobs.write(sha256, bytes.subarray(0, bytes.length >> 1)).catch(() => {});
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  return blobs.write(sha256, bytes).catch(() => {});
}
