import type { SampleRelease } from '../samples/releases.ts';
import { DAY, type Scene } from './scene.ts';
import type { Victim } from './victims.ts';

interface Releases {
  readonly old: SampleRelease;
  readonly young: SampleRelease;
}

/** Something that refuses the young release, and admits the old one. */
export interface Rule {
  readonly name: string;
  /** It goes by when releases were first seen. */
  readonly needsBaseline: boolean;
  baseline(scene: Scene, old: SampleRelease, young: SampleRelease): Promise<void>;
  declare(scene: Scene, releases: Releases): void;
  lift(scene: Scene): void;
}

type Spec = Readonly<Record<string, unknown>>;

export function rulesFor({ format, sample }: Victim): readonly Rule[] {
  const undated = format.traits.evidence === 'none';
  const versioned = ({ version }: SampleRelease) => `${sample.purl}@${encodeURIComponent(version)}`;
  const timed = undated ? { needsBaseline: true } : {};
  const { name: _name, ...week } = cooldownOf({ format });
  return [
    resource('block', ({ young }) => ({ packages: [versioned(young)], reason: 'it steals' })),
    ...(format.versions
      ? [
          resource(
            'block',
            ({ young }) => ({ packages: [`${sample.purl}?vers=${rangeFrom(format.traits.purl, young)}`] }),
            {
              name: 'a block of a range of versions',
            },
          ),
        ]
      : []),
    resource('cooldown', () => week, timed),
    resource('freeze', () => ({ before: daysAgo(3), ...(undated ? { formats: [format.id] } : {}) }), timed),
    onRemote('a blocklist', ({ young }) => ({ blocklist: pathsOf(young) })),
    onRemote('patterns', ({ old }) => ({ patterns: pathsOf(old) })),
  ];
}

/** Of a week. */
export function cooldownOf({ format }: Pick<Victim, 'format'>): Spec & { readonly name: string } {
  const undated = format.traits.evidence === 'none';
  return { name: 'week', ...(undated ? { formats: { [format.id]: '7d' } } : { default: '7d' }) };
}

function resource(
  kind: string,
  specOf: (releases: Releases) => Spec,
  { name = `a ${kind}`, needsBaseline = false } = {},
): Rule {
  return {
    name,
    needsBaseline,
    baseline: seenBefore,
    declare: (scene, releases) => scene.rule(kind, { name: 'attacked', ...specOf(releases) }),
    lift: (scene) => scene.lift(kind, 'attacked'),
  };
}

function onRemote(name: string, specOf: (releases: Releases) => Spec): Rule {
  return {
    name,
    needsBaseline: false,
    baseline: seenBefore,
    declare: (scene, releases) => scene.declare(specOf(releases)),
    lift: (scene) => scene.declare({}),
  };
}

/** The package is listed, and its old release pulled, before the young one appears. */
export async function seenBefore(scene: Scene, old: SampleRelease, young: SampleRelease): Promise<void> {
  scene.plane.ahead = -40 * DAY;
  scene.publish([old]);
  await scene.listed();
  for (const path of [old.file.path, ...old.aliases]) await scene.get(path);
  scene.publish([old, young]);
  scene.plane.ahead = 0;
}

const daysAgo = (days: number): string => new Date(Date.now() - days * DAY).toISOString();

/** Whatever is below the release's paths and addresses, and nothing else. */
export function pathsOf({ file, beside, aliases }: SampleRelease): readonly string[] {
  const paths = [file, ...beside].map(({ path }) => path);
  return [...paths, ...aliases].map((path) => `^${path.slice(1).replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$`);
}

function rangeFrom(type: string, { version }: SampleRelease): string {
  return encodeURIComponent(`vers:${type}/>=${version}`);
}
