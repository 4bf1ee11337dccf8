import { compare, explain } from '@renovatebot/pep440';
import type { VersionOrder } from '../../engine/format.ts';

/** PEP 440, by which `1.0` and `1.0.0` are one version. */
export const pep440Order: VersionOrder = {
  canonical(version) {
    const parts = explain(version);
    if (parts === null) return undefined;
    const rest = parts.public.slice(parts.base_version.length);
    return `${parts.base_version.replace(/(\.0)+$/, '')}${rest}${parts.local === null ? '' : `+${parts.local}`}`;
  },
  compare,
  isPrerelease: (version) => explain(version)?.is_prerelease ?? false,
};
