import { PackageURL } from '@socketregistry/packageurl-js';
import type { AnyFormat } from './format.ts';

/** The package URL of a package, or of one release of it, without qualifiers: `pkg:npm/%40s/foo@1.0.0`. */
export function packageUrl(
  format: AnyFormat,
  options: Readonly<Record<string, unknown>>,
  name: string,
  version?: string,
): string {
  const parts = format.purl?.(name, options) ?? split(name);
  return new PackageURL(format.traits.purl, parts.namespace, parts.name, version, undefined, undefined).toString();
}

function split(name: string): { readonly namespace?: string; readonly name: string } {
  const slash = name.lastIndexOf('/');
  return slash < 0 ? { name } : { namespace: name.slice(0, slash), name: name.slice(slash + 1) };
}
