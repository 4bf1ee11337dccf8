import { DebianGeneration, sha256 } from '../../support/debian-archive.ts';
import { filesOf, manyBytes, type PackageSample, replied, versionOf } from './releases.ts';
import { large, reply, type Sample } from './sample.ts';

const SUITE = '/dists/stable/';
const LISTS = 'main/binary-amd64/';
const WIDGET = 'pool/main/w/widget/widget_1.0_amd64.deb';
const GADGET = 'pool/main/g/gadget/gadget_1.0_amd64.deb';
const DEB = 'application/vnd.debian.binary-package';

export function sample(): Sample {
  const widget = large();
  const archive = new DebianGeneration({
    folder: SUITE.slice(1),
    lists: LISTS,
    packages: [{ name: 'widget', version: '1.0', filename: WIDGET, deb: widget }],
    byHash: true,
    date: 'Fri, 20 Nov 2026 12:00:00 GMT',
  });
  const root = `${SUITE}InRelease`;
  const packages = `${SUITE}${LISTS}by-hash/SHA256/${sha256(archive.packagesGz)}`;
  return {
    upstream: {
      [root]: reply(archive.inRelease, 'application/octet-stream'),
      [packages]: reply(archive.packagesGz, 'application/gzip'),
      [`${SUITE}${LISTS}Packages.gz`]: { status: 404 },
      [`/${WIDGET}`]: reply(widget, DEB),
      [`/${GADGET}`]: reply(large(), DEB),
    },
    requests: [
      { title: 'InRelease', kind: 'index', path: root, absenceLasts: true },
      {
        title: 'Packages',
        kind: 'index',
        path: packages,
        before: [root],
        digested: true,
        forEver: true,
        absenceLasts: true,
      },
      { title: 'package', kind: 'artifact', path: `/${WIDGET}`, before: [root, packages], digested: true },
      { title: 'package that nothing lists', kind: 'artifact', path: `/${GADGET}` },
    ],
  };
}

const BY_HASH = `${SUITE}${LISTS}by-hash/SHA256/`;

export const releases: PackageSample = {
  purl: 'pkg:deb/debian/widget',
  same: ['pkg:deb/Debian/Widget', 'pkg:DEB/debian/%77idget'],
  others: ['pkg:deb/ubuntu/widget', 'pkg:deb/debian/widgets'],
  listing: [{ path: `${SUITE}InRelease` }, { path: `${SUITE}${LISTS}Packages.gz` }],

  release(minor, when = {}) {
    const version = versionOf(minor);
    const path = `/pool/main/w/widget/widget_${version}_amd64.deb`;
    const bytes = manyBytes();
    return {
      ...when,
      version,
      mark: version,
      file: { path, upstream: path, bytes, type: DEB },
      beside: [],
      aliases: [],
    };
  },

  upstream(all) {
    const archive = new DebianGeneration({
      folder: SUITE.slice(1),
      lists: LISTS,
      packages: all.map(({ version, file }) => ({
        name: 'widget',
        version,
        filename: file.path.slice(1),
        deb: file.bytes,
      })),
      byHash: true,
      date: 'Fri, 20 Nov 2026 12:00:00 GMT',
    });
    return {
      [`${SUITE}InRelease`]: replied(archive.inRelease, 'application/octet-stream'),
      [`${BY_HASH}${sha256(archive.packagesGz)}`]: replied(archive.packagesGz, 'application/gzip'),
      [archive.byHash()]: replied(archive.packagesGz, 'application/gzip'),
      [`${SUITE}${LISTS}Packages.gz`]: replied(archive.packagesGz, 'application/gzip'),
      [`${SUITE}${LISTS}Packages`]: { status: 404 },
      ...Object.assign({}, ...all.map((one) => filesOf(one, one.at))),
    };
  },

  // Signed: they pass as they are.
  indexes: () => [],
};
