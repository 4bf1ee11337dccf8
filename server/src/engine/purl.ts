import { PackageURL } from '@socketregistry/packageurl-js';
import type { AnyFormat } from './format.ts';

/** The package URL of a package, or of one release of it, without qualifiers: `pkg:npm/%40s/foo@1.0.0`. */
export function packageUrl(format: AnyFormat, name: string, version?: string): string {
  const slash = name.lastIndexOf('/');
  const namespace = slash < 0 ? undefined : name.slice(0, slash);
  return new PackageURL(format.traits.purl, namespace, name.slice(slash + 1), version, undefined, undefined).toString();
}
