import { document, type Ecosystem, file, type Listed, releaseAt } from '../ecosystem.ts';
import type { Release } from '../world.ts';

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json';
const PAGE = /^\/simple\/([^/]+)\/$/;
const FILE = /^\/files\/([^/]+)\/([^/]+)$/;
const LINK = /<a [^>]*href="([^"#]+)#sha256=([0-9a-f]{64})"[^>]*>([^<]+)<\/a>/g;
const WHEEL = /^\w+-(\d+\.\d+)-py3-none-any\.whl$/;

export const pypi: Ecosystem = {
  format: 'pypi',
  announces: true,
  nameOf: (nth) => `widget${nth}`,
  versionOf: (nth) => `1.${nth}`,
  accepts: [JSON_TYPE, 'text/html', undefined],
  indexPath: (name) => `/simple/${name}/`,
  artifactPath: (release) => `/packages/${release.name}/${wheelOf(release)}`,
  answer(path, folder) {
    const [, name = '', wheel] = FILE.exec(path) ?? [];
    if (wheel !== undefined) {
      const found = releaseAt(folder, name, (release) => wheel === wheelOf(release));
      return found && file(found);
    }
    const page = PAGE.exec(path)?.[1];
    const releases = page === undefined ? undefined : folder.releases(page);
    return releases && document(pageOf(page ?? '', releases, folder.url), JSON_TYPE);
  },
  listed(body, type) {
    const files = type.includes('json') ? ofJson(body) : ofHtml(body);
    return new Map(files.map(([name, listed]) => [WHEEL.exec(name)?.[1] ?? name, listed]));
  },
  announced: ({ contents }) => contents.digest('sha256'),
};

function wheelOf({ name, version }: Release): string {
  return `${name}-${version}-py3-none-any.whl`;
}

function pageOf(name: string, releases: readonly Release[], url: string): string {
  const files = releases.map((release) => ({
    filename: wheelOf(release),
    url: `${url}/files/${name}/${wheelOf(release)}`,
    hashes: { sha256: release.contents.digest('sha256') },
    size: release.contents.size,
    'upload-time': new Date(release.at).toISOString(),
  }));
  const versions = releases.map(({ version }) => version);
  return JSON.stringify({ meta: { 'api-version': '1.1' }, name, versions, files });
}

function ofJson(body: string): (readonly [string, Listed])[] {
  const { files } = JSON.parse(body) as {
    files: readonly { filename: string; url: string; hashes: { sha256: string } }[];
  };
  return files.map(({ filename, url, hashes }) => [filename, { digest: hashes.sha256, url }]);
}

function ofHtml(body: string): (readonly [string, Listed])[] {
  if (!body.trimEnd().endsWith('</html>')) throw new Error('the page has no end');
  return [...body.matchAll(LINK)].map(([, url = '', digest = '', name = '']) => [name, { digest, url }]);
}
