import semver, { type SemVer } from 'semver';
import type { VersionOrder } from '../engine/format.ts';

/** Semantic Versioning 2.0, as npm, Cargo and Go order by it; a leading `v` and missing zeros (`1.2`) say nothing. */
export const semverOrder: VersionOrder = {
  canonical(version) {
    const parsed = parse(version);
    return parsed && [parsed.version, ...parsed.build].join('+');
  },
  compare: (left, right) => semver.compare(parse(left) ?? left, parse(right) ?? right),
  isPrerelease: (version) => (parse(version)?.prerelease.length ?? 0) > 0,
};

function parse(version: string): SemVer | undefined {
  const [, short, rest = ''] = /^v?(\d+(?:\.\d+)?)((?:[-+].*)?)$/s.exec(version) ?? [];
  const whole = short === undefined ? version : `${short}${short.includes('.') ? '.0' : '.0.0'}${rest}`;
  return semver.parse(whole, { loose: true }) ?? undefined;
}
