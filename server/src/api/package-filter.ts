import { PackageURL } from '@socketregistry/packageurl-js';
import type { FieldError } from '../engine/fault.ts';
import type { AskedRelease } from '../engine/guard/explain.ts';
import type { Query } from './query.ts';
import { wrong } from './query.ts';

export interface PackageFilter {
  /** Package URL without a version, as it is stored. */
  readonly package: string;
  readonly version?: string;
  /** Both, as it is stored. */
  readonly purl: string;
}

/** The parameter `purl`: a package, or one release of it. Undefined when it is not there. */
export function packageFilter(query: Query): PackageFilter | undefined {
  // A `+` that was not escaped is part of a version; no package URL has a blank.
  const given = query.text('purl')?.replaceAll(' ', '+');
  if (given === undefined) return undefined;
  const parsed = parse(given);
  const { type, namespace, name, version } = parsed;
  if (parsed.qualifiers || parsed.subpath) {
    throw wrong([
      {
        path: ['purl'],
        message: 'has qualifiers or a subpath: a package is named by type, namespace, name and version',
      },
    ]);
  }
  const bare = new PackageURL(type, namespace, name, undefined, undefined, undefined).toString();
  if (!version) return { package: bare, purl: bare };
  const full = new PackageURL(type, namespace, name, version, undefined, undefined).toString();
  return { package: bare, version, purl: full };
}

/** A release, as a package URL names it; qualifiers say nothing here. Throws a fault that names the field. */
export function releaseOf(given: string, path: FieldError['path']): AskedRelease {
  const { type, namespace, name, version } = parse(given, path);
  if (!version) throw wrong([{ path, message: 'must have a version: a release is judged, not a package' }]);
  return { type: type ?? '', name: name ?? '', version, ...(namespace ? { namespace } : {}) };
}

function parse(given: string, path: FieldError['path'] = ['purl']): PackageURL {
  if (!given.startsWith('pkg:'))
    throw wrong([{ path, message: 'must be a package URL such as pkg:npm/express@4.18.2' }]);
  try {
    return PackageURL.fromString(given);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^Invalid purl: /, '') : String(error);
    throw wrong([{ path, message: `is no package URL (${why}); one is pkg:npm/express@4.18.2` }]);
  }
}
