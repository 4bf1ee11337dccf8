import { type Measured, measure, table } from './measure.ts';
import { declared } from './repositories.ts';
import { type Row, type Sample, text } from './sample.ts';
import type { Entrepot } from './servers.ts';

const PACKAGES = 1000;
const VERSIONS = 10;
const DAY = 86_400_000;

export const COOLDOWN = '1,000 packuments of 3 kB in turn';

/** Asked with a cooldown and without one: what the rules cost where an answer is in memory. */
const ROW: Row = { name: COOLDOWN, path: '/crowd-', rotate: PACKAGES, target: 0.9 };

/** So many packages at an upstream, the newest version of each two days old. */
export const crowd: Sample = {
  format: 'npm',
  rows: [ROW],
  answers: (base) =>
    Object.fromEntries(
      Array.from({ length: PACKAGES }, (_, number) => {
        const name = `crowd-${number}`;
        return [`/${name}`, text(packument(name, base), 'application/json')];
      }),
    ),
};

/** The rates of one server for the same upstream, through a remote under a cooldown of a week and through one under none. */
export async function measureCooldown(
  entrepot: Entrepot,
  upstream: string,
  seconds: number | undefined,
): Promise<Measured> {
  const common = { format: 'npm', url: `${upstream}/npm`, allow_private_network: true, index_ttl: '1h' };
  const [cooled, free] = ['bench-cooled', 'bench-free'];
  for (const name of [cooled, free]) await declared(entrepot, 'remotes', { name, ...common });
  await declared(entrepot, 'cooldowns', { name: 'bench', default: '7d', repositories: [cooled] });
  await requireCooled(`${entrepot.url}/${cooled}${ROW.path}0`);
  return measure(ROW, `${entrepot.url}/${cooled}`, `${entrepot.url}/${free}`, seconds);
}

export const cooldownTable = (measured: Measured): string =>
  table([measured], ['under a cooldown', 'without', 'p99', 'p99 without']);

/** Otherwise the same is compared with the same. */
async function requireCooled(url: string): Promise<void> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  const { versions } = (await answer.json()) as { versions: object };
  const count = Object.keys(versions).length;
  if (count !== VERSIONS - 1)
    throw new Error(`${url} has ${count} versions: the cooldown should hide one of ${VERSIONS}`);
}

function packument(name: string, base: string): string {
  const versions = Array.from({ length: VERSIONS }, (_, minor) => `1.${minor}.0`);
  const newest = versions.at(-1) ?? '';
  const old = new Date(Date.now() - 100 * DAY).toISOString();
  return JSON.stringify({
    name,
    'dist-tags': { latest: newest },
    versions: Object.fromEntries(
      versions.map((version) => [
        version,
        { name, version, dist: { tarball: `${base}/${name}/-/${name}-${version}.tgz`, integrity: INTEGRITY } },
      ]),
    ),
    time: {
      ...Object.fromEntries(versions.map((version) => [version, old])),
      [newest]: new Date(Date.now() - 2 * DAY).toISOString(),
    },
  });
}

const INTEGRITY = `sha512-${Buffer.alloc(64).toString('base64')}`;
