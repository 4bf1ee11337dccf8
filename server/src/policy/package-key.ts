import { PackageURL } from '@socketregistry/packageurl-js';
import { Remembered } from './remembered.ts';

/** A package by the parts of its package URL, as they are: `packageKey` makes the spellings of one package equal. */
export interface PackageParts {
  /** `npm` */
  readonly type: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** Spellings that an ecosystem takes for one name, beyond what the PURL library folds. */
const FOLDED: Readonly<Record<string, (name: string) => string>> = {
  // PEP 503
  pypi: (name) => name.toLowerCase().replaceAll(/[-_.]+/g, '-'),
  // Registries refuse a crate whose name differs from another's in nothing else.
  cargo: (name) => name.toLowerCase().replaceAll('_', '-'),
  // purl-spec, golang: "must be lowercased".
  golang: (name) => name.toLowerCase(),
  oci: (name) => name.toLowerCase(),
  deb: (name) => name.toLowerCase(),
};

const keys = new Remembered<string>(20_000);

/** Namespace and name in the one spelling under which rules are looked up: `@acme/app`, `com.acme/app`. Never throws. */
export function packageKey({ type, namespace = '', name }: PackageParts): string {
  return keys.of(`${type}\0${namespace}\0${name}`, () => fold(type, canonical(type, namespace, name)));
}

/** For patterns with a `*`, which the PURL library does not take, and for what they are held against. */
export function foldedForWildcards(type: string, key: string): string {
  // The library keeps the case of a few old names of npm's; a pattern means them all.
  return type === 'npm' ? key.toLowerCase() : fold(type, key);
}

/** Why it cannot be the name of a package, in the PURL library's words; undefined: nothing is known against it. */
export function nameProblem({ type, namespace, name }: PackageParts): string | undefined {
  try {
    new PackageURL(type, namespace, name, undefined, undefined, undefined);
    return undefined;
  } catch (cause) {
    const message = (cause as Error).message.replace('Invalid purl: ', '');
    // Old names have characters that the library takes for an attack.
    return message.includes('injection character') ? undefined : message;
  }
}

function fold(type: string, key: string): string {
  return Object.hasOwn(FOLDED, type) ? (FOLDED[type] as (name: string) => string)(key) : key;
}

/** As the PURL library spells it; what it takes for no name at all is left as it is. */
function canonical(type: string, namespace: string, name: string): string {
  try {
    const parts = new PackageURL(type, namespace, name, undefined, undefined, undefined);
    return joined(parts.namespace, parts.name ?? name);
  } catch {
    return joined(namespace, name);
  }
}

function joined(namespace: string | undefined, name: string): string {
  return namespace ? `${namespace}/${name}` : name;
}
