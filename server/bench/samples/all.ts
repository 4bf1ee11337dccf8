import type { Sample } from '../sample.ts';
import { cargo } from './cargo.ts';
import { debian } from './debian.ts';
import { generic } from './generic.ts';
import { go } from './go.ts';
import { gradleCache } from './gradle-cache.ts';
import { maven } from './maven.ts';
import { npm } from './npm.ts';
import { oci } from './oci.ts';
import { pypi } from './pypi.ts';

const SAMPLES: readonly Sample[] = [npm, pypi, cargo, go, maven, oci, debian, gradleCache, generic];

/** Those of the formats that are installed. Throws when one of them has none. */
export function samplesOf(formats: readonly string[]): readonly Sample[] {
  const without = formats.filter((format) => !SAMPLES.some((sample) => sample.format === format && sample.rows.length));
  if (without.length > 0)
    throw new Error(`nothing is measured of ${without.join(', ')}: add a sample to bench/samples`);
  return SAMPLES.filter(({ format }) => formats.includes(format));
}
