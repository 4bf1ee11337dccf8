import { parse, TomlError } from 'smol-toml';
import type { LockText } from './lock-text.ts';
import { list, own, type Table, table } from './values.ts';

export interface LockedPackage {
  readonly entry: Table;
  readonly name: string;
  /** Undefined where the file has none, as uv's has for packages that say it themselves. */
  readonly version: string | undefined;
  readonly line: number | undefined;
}

export interface TomlLock {
  readonly root: Table;
  readonly packages: readonly LockedPackage[];
}

/** A lock file whose packages are `[[package]]` tables with a name: uv's, Poetry's, PDM's and Cargo's. */
export function readTomlLock(source: LockText): TomlLock {
  const root = source.parsed(
    'TOML',
    () => table(parse(source.text)),
    (error) => (error instanceof TomlError ? error.line : undefined),
  );
  const lines = [...headings(source.text)];
  const stated = own(root, 'package');
  // Poetry and PDM write a file also when there is no package.
  if (!Array.isArray(stated) && (stated !== undefined || own(root, 'metadata') === undefined))
    throw source.wrong('has no packages');
  const packages = list(stated).map((value, index) => {
    const entry = table(value);
    const { name, version } = entry;
    const line = lines[index];
    if (typeof name !== 'string' || name === '') throw source.wrong('a package has no name', line);
    if (version !== undefined && typeof version !== 'string')
      throw source.wrong(`the version of ${name} is no text`, line);
    return { entry, name, version, line };
  });
  return { root, packages };
}

function* headings(text: string): Iterable<number> {
  for (const [index, line] of text.split('\n').entries()) if (/^\[\[\s*package\s*\]\]/.test(line)) yield index + 1;
}
