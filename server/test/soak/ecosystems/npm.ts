import { document, type Ecosystem, file, type Listed, releaseAt } from '../ecosystem.ts';
import type { Release } from '../world.ts';

const ABBREVIATED = 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*';
const FILE = /^\/([^/]+)\/-\/(.+)\.tgz$/;

export const npm: Ecosystem = {
  format: 'npm',
  announces: true,
  nameOf: (nth) => `parcel-${nth}`,
  versionOf: (nth) => `1.${nth}.0`,
  accepts: ['application/json', ABBREVIATED, undefined],
  indexPath: (name) => `/${name}`,
  artifactPath: ({ name, version }) => `/${name}/-/${name}-${version}.tgz`,
  answer(path, folder) {
    const [, name = path.slice(1), of] = FILE.exec(path) ?? [];
    if (of !== undefined) {
      const found = releaseAt(folder, name, ({ version }) => of === `${name}-${version}`);
      return found && file(found);
    }
    const releases = folder.releases(name);
    return releases && document(packument(name, releases, folder.url), 'application/json');
  },
  listed(body) {
    const { versions } = JSON.parse(body) as {
      versions: Record<string, { dist: { integrity: string; tarball: string } }>;
    };
    return new Map(
      Object.entries(versions).map(([version, { dist }]): [string, Listed] => [
        version,
        { digest: dist.integrity, url: dist.tarball },
      ]),
    );
  },
  announced: ({ contents }) => `sha512-${contents.digest('sha512', 'base64')}`,
};

function packument(name: string, releases: readonly Release[], url: string): string {
  const versions = releases.map((release) => [
    release.version,
    {
      name,
      version: release.version,
      description: `release ${release.version} of a package that is soaked`,
      dist: { tarball: `${url}${npm.artifactPath(release)}`, integrity: npm.announced(release) },
    },
  ]);
  const time = releases.map(({ version, at }) => [version, new Date(at).toISOString()]);
  return JSON.stringify({
    name,
    'dist-tags': { latest: releases.at(-1)?.version },
    versions: Object.fromEntries(versions),
    time: Object.fromEntries(time),
  });
}
