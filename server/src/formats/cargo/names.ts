/** ASCII alone: an index path is cut from the name's bytes. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;
const VERSION = /^\d+\.\d+\.\d+[0-9A-Za-z.+-]*$/;

export interface Crate {
  /** As its index spells it: upper case is kept. */
  readonly name: string;
  readonly version: string;
}

export const isName = (name: string): boolean => NAME.test(name);
export const isVersion = (version: string): boolean => VERSION.test(version);

/** `a` → `1`, `ab` → `2`, `abc` → `3/a`, `abcd` → `ab/cd`; in the case of the name. */
export function prefixOf(name: string): string {
  if (name.length < 3) return String(name.length);
  return name.length === 3 ? `3/${name.slice(0, 1)}` : `${name.slice(0, 2)}/${name.slice(2, 4)}`;
}

export function indexPath(name: string): string {
  const lower = name.toLowerCase();
  return `${prefixOf(lower)}/${lower}`;
}

export const cratePath = ({ name, version }: Crate): string => `crates/${name}/${name}-${version}.crate`;

/** The inverse of `cratePath`; undefined for any other path. */
export function splitCratePath(path: string): Crate | undefined {
  const [folder, name = '', file = '', ...deeper] = path.split('/');
  if (folder !== 'crates' || deeper.length > 0 || !isName(name)) return undefined;
  if (!file.startsWith(`${name}-`) || !file.endsWith('.crate')) return undefined;
  const version = file.slice(name.length + 1, -'.crate'.length);
  return isVersion(version) ? { name, version } : undefined;
}
