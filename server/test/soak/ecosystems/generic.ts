import { type Ecosystem, file, releaseAt } from '../ecosystem.ts';

const FILE = /^\/([^/]+)\/([^/]+)\/file\.bin$/;

/** Nothing announces what a file of it is: the upstream's wrong bytes would be the right ones. */
export const generic: Ecosystem = {
  format: 'generic',
  announces: false,
  nameOf: (nth) => `tool-${nth}`,
  versionOf: (nth) => `1.${nth}.0`,
  accepts: [],
  artifactPath: ({ name, version }) => `/${name}/${version}/file.bin`,
  answer(path, folder) {
    const [, name = '', version] = FILE.exec(path) ?? [];
    const found = releaseAt(folder, name, (release) => release.version === version);
    return found && file(found);
  },
  listed: () => new Map(),
  announced: ({ contents }) => contents.digest('sha256'),
};
