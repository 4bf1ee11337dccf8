import type { LockText } from './lock-text.ts';

/** Lock files that are read here; each is also what `--kind` takes. */
export const KINDS = [
  'npm',
  'pnpm',
  'yarn',
  'bun',
  'requirements',
  'uv',
  'poetry',
  'pdm',
  'pipfile',
  'cargo',
  'go.sum',
  'go.mod',
  'maven-tree',
  'gradle',
] as const;

export type Kind = (typeof KINDS)[number];

const NAMES: readonly (readonly [RegExp, Kind])[] = [
  [/^(?:package-lock|npm-shrinkwrap)\.json$/, 'npm'],
  [/^pnpm-lock(?:\..+)?\.yaml$/, 'pnpm'],
  [/^yarn\.lock$/, 'yarn'],
  [/^bun\.lock$/, 'bun'],
  [/^uv\.lock$/, 'uv'],
  [/^poetry\.lock$/, 'poetry'],
  [/^pdm(?:\..+)?\.lock$/, 'pdm'],
  [/^Pipfile\.lock$/, 'pipfile'],
  [/^Cargo\.lock$/, 'cargo'],
  [/^go(?:\.work)?\.sum$/, 'go.sum'],
  [/^.*\.mod$/, 'go.mod'],
  [/\.lockfile$/, 'gradle'],
  [/(?:requirements|constraints).*\.txt$/, 'requirements'],
];

/** By its name, or for trees of Maven, which have none of their own, by what is in it. Throws `LockFileError`. */
export function kindOf(source: LockText): Kind {
  const name = source.name.split(/[/\\]/).at(-1) ?? '';
  const named = NAMES.find(([pattern]) => pattern.test(name))?.[1];
  if (named !== undefined) return named;
  if (name === 'bun.lockb') throw source.wrong('is binary: bun install --save-text-lockfile writes bun.lock');
  if (isMavenTree(source.text)) return 'maven-tree';
  throw source.wrong(`is no lock file by its name; --kind says which it is: ${KINDS.join(', ')}`);
}

function isMavenTree(text: string): boolean {
  return /^(?:\[INFO\] )?[+\\]- [^\s:]+:[^\s:]+:/m.test(text) || /^\s*\{\s*"groupId"/.test(text);
}
