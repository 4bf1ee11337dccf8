import { PackageURL } from '@socketregistry/packageurl-js';
import type { Release } from '../policy/matcher.ts';
import type { AnyFormat } from './format.ts';

/** The parts of a package URL without a version. */
export interface PackageParts {
  readonly type: string;
  readonly namespace?: string;
  readonly name: string;
}

/** The package URL of a package, or of one release of it, without qualifiers: `pkg:npm/%40s/foo@1.0.0`. */
export function packageUrl(
  format: AnyFormat,
  options: Readonly<Record<string, unknown>>,
  name: string,
  version?: string,
): string {
  return releaseUrl({ ...packageOf(format, options, name), version });
}

/** The same; undefined for what was asked for under a name that no package can have. */
export function packageUrlIfAny(...of: Parameters<typeof packageUrl>): string | undefined {
  try {
    return packageUrl(...of);
  } catch {
    return undefined;
  }
}

/** The package URL of a package or a release whose parts are known. */
export function releaseUrl({ type, namespace, name, version }: Release): string {
  return new PackageURL(type, namespace, name, version, undefined, undefined).toString();
}

export function packageOf(
  { traits, purl }: AnyFormat,
  options: Readonly<Record<string, unknown>>,
  name: string,
): PackageParts {
  return { type: traits.purl, ...(purl?.(name, options) ?? split(name)) };
}

function split(name: string): { readonly namespace?: string; readonly name: string } {
  const slash = name.lastIndexOf('/');
  return slash < 0 ? { name } : { namespace: name.slice(0, slash), name: name.slice(slash + 1) };
}
