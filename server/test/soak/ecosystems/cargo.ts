import { document, type Ecosystem, file, type Listed, releaseAt } from '../ecosystem.ts';
import type { Release } from '../world.ts';

const INDEX = /^\/..\/..\/([^/]+)$/;
const FILE = /^\/crates\/([^/]+)\/([^/]+)\/download$/;

export const cargo: Ecosystem = {
  format: 'cargo',
  announces: true,
  nameOf: (nth) => `gadget${nth}`,
  versionOf: (nth) => `1.${nth}.0`,
  accepts: [undefined],
  indexPath: (name) => `/${name.slice(0, 2)}/${name.slice(2, 4)}/${name}`,
  artifactPath: ({ name, version }) => `/crates/${name}/${name}-${version}.crate`,
  answer(path, folder) {
    if (path === '/config.json') return document(JSON.stringify({ dl: `${folder.url}/crates` }), 'application/json');
    const [, name = '', version] = FILE.exec(path) ?? [];
    if (version !== undefined) {
      const found = releaseAt(folder, name, (release) => release.version === version);
      return found && file(found);
    }
    const crate = INDEX.exec(path)?.[1];
    const releases = crate === undefined ? undefined : folder.releases(crate);
    return releases && document(releases.map(lineOf).join(''), 'text/plain');
  },
  listed(body) {
    const lines = body.split('\n').filter((line) => line !== '');
    const parsed = lines.map((line) => JSON.parse(line) as { vers: string; cksum: string });
    return new Map(parsed.map(({ vers, cksum }): [string, Listed] => [vers, { digest: cksum }]));
  },
  announced: ({ contents }) => contents.digest('sha256'),
};

function lineOf({ name, version, at, contents }: Release): string {
  const line = { name, vers: version, deps: [], features: {}, yanked: false };
  return `${JSON.stringify({ ...line, cksum: contents.digest('sha256'), pubtime: pubtimeOf(at) })}\n`;
}

function pubtimeOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
