import { readBunLock } from './bun.ts';
import { readCargoLock } from './cargo.ts';
import { readGoMod, readGoSum } from './go.ts';
import { readGradleLock } from './gradle.ts';
import { type Kind, kindOf } from './kind.ts';
import { LockText } from './lock-text.ts';
import { readMavenTree } from './maven.ts';
import { readNpmLock } from './npm.ts';
import { readPdmLock } from './pdm.ts';
import type { Pins } from './pins.ts';
import { readPipfileLock } from './pipfile.ts';
import { readPnpmLock } from './pnpm.ts';
import { readPoetryLock } from './poetry.ts';
import { readRequirements } from './requirements.ts';
import { readUvLock } from './uv.ts';
import { readYarnLock } from './yarn.ts';

export interface LockFile extends Pins {
  readonly kind: Kind;
}

export interface ReadOptions {
  /** What the file is, where its name does not say. */
  readonly kind?: Kind | undefined;
  /**
   * Addresses of registries whose packages are pins, besides the public one and the one that most of the file's packages
   * come from. Packages from others are skipped.
   */
  readonly registries?: readonly string[];
}

const READERS: Readonly<Record<Kind, (source: LockText, registries: readonly string[]) => Pins>> = {
  npm: readNpmLock,
  pnpm: readPnpmLock,
  yarn: readYarnLock,
  bun: readBunLock,
  requirements: readRequirements,
  uv: readUvLock,
  poetry: readPoetryLock,
  pdm: readPdmLock,
  pipfile: readPipfileLock,
  cargo: readCargoLock,
  'go.sum': readGoSum,
  'go.mod': readGoMod,
  'maven-tree': readMavenTree,
  gradle: readGradleLock,
};

/**
 * Every release that a lock file holds a build to, and what else it lists. `name` tells what the file is and is said in errors.
 * Throws `LockFileError`, one sentence with the file and, where known, the line.
 */
export function readLockFile(name: string, text: string, { kind, registries = [] }: ReadOptions = {}): LockFile {
  const source = new LockText(name, text);
  const known = kind ?? kindOf(source);
  return { kind: known, ...READERS[known](source, registries) };
}
