import type { ArtifactTarget, CallTarget, IndexTarget, Place } from '../../engine/format.ts';
import type { Whereabouts } from './root.ts';

export function placesOf(target: (IndexTarget | ArtifactTarget | CallTarget) & Partial<Whereabouts>): readonly Place[] {
  return (target.at ?? [target.path]).map((path) => ({ path: spelled(path), headers: PLAIN }));
}

/** Digests are of the bytes as they lie there, and `.gz` is one of the names. */
const PLAIN = { 'accept-encoding': 'identity' };

/** As apt spells it, so that object stores which read `+` as a space, and caches in between, find the same file. */
function spelled(path: string): string {
  const [first = '', ...rest] = path.split('/').map((segment) =>
    encodeURIComponent(segment)
      .replace(/%(40|3A|24|2C|3B|3D|26)/g, (escape) => decodeURIComponent(escape))
      .replaceAll('%2B', '%2b')
      .replaceAll('~', '%7e'),
  );
  return [first.replaceAll(':', '%3A'), ...rest].join('/');
}
