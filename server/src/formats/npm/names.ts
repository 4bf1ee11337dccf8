const PART = "[A-Za-z0-9~!'()*][A-Za-z0-9~!'()*._-]*";
/** Old names have upper case, dots and `~!'()*`; only the second part of a scoped one may begin with `_`. */
const NAME = new RegExp(`^(?:@${PART}/_*)?${PART}$`);

export interface PackagePath {
  readonly name: string;
  /** What follows the name, without the slash between. */
  readonly rest: string;
}

/** `@s/foo/-/foo-1.0.0.tgz` → `@s/foo` and `-/foo-1.0.0.tgz`; undefined when it cannot begin with a name. */
export function splitName(path: string): PackagePath | undefined {
  const end = path.startsWith('@') ? path.indexOf('/', path.indexOf('/') + 1) : path.indexOf('/');
  const name = end === -1 ? path : path.slice(0, end);
  if (!isName(name)) return undefined;
  return { name, rest: end === -1 ? '' : path.slice(end + 1).replace(/\/$/, '') };
}

export const isName = (name: string): boolean =>
  NAME.test(name) && name !== 'node_modules' && name !== 'favicon.ico' && (!name.startsWith('@') || name.includes('/'));

export const baseName = (name: string): string => name.slice(name.indexOf('/') + 1);

/** As clients spell it in the one segment of a packument's URL: `@s%2ffoo`. */
export const escapeName = (name: string): string => name.replace('/', '%2f');

export const tarballPath = (name: string, file: string): string => `${name}/-/${file}`;

const ATTESTATIONS = '-/npm/v1/attestations/';

export const attestationsPath = (name: string, version: string): string => `${ATTESTATIONS}${name}@${version}`;

/** The package and version whose attestations are at a path; undefined for any other path. */
export function splitAttestations(path: string): { readonly name: string; readonly version: string } | undefined {
  const spec = path.startsWith(ATTESTATIONS) ? path.slice(ATTESTATIONS.length) : '';
  const at = spec.lastIndexOf('@');
  const name = spec.slice(0, at);
  const version = spec.slice(at + 1);
  return at > 0 && isName(name) && version !== '' && !version.includes('/') ? { name, version } : undefined;
}

export const attestationsUrlPath = (name: string, version: string): string =>
  `${ATTESTATIONS}${escapeName(name)}@${encodeURIComponent(version)}`;

/** A canonical path as it stands in a URL; `@` stays readable, as every client writes it. */
export const urlPath = (path: string): string => path.split('/').map(encodeSegment).join('/');

const encodeSegment = (segment: string): string => encodeURIComponent(segment).replaceAll('%40', '@');
