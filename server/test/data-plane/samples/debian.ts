import { DebianGeneration, sha256 } from '../../support/debian-archive.ts';
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
