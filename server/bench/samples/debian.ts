import { binary, FILE_TARGET, file, hex, INDEX_TARGET, NAME, type Sample, text, VERSIONS } from '../sample.ts';

const SUITE = '/dists/stable';
const DEB = `/pool/main/s/${NAME}/${NAME}_1.0.0_amd64.deb`;
const deb = file();
const packages = Buffer.from(VERSIONS.slice(0, 6).map(stanza).join('\n'));
const BY_HASH = `${SUITE}/main/binary-amd64/by-hash/SHA256/${hex('sha256', packages)}`;

export const debian: Sample = {
  format: 'debian',
  rows: [
    { name: 'debian InRelease', path: `${SUITE}/InRelease`, target: INDEX_TARGET },
    { name: 'debian Packages by hash', path: BY_HASH, target: INDEX_TARGET },
    { name: 'debian .deb 30 kB', path: DEB, target: FILE_TARGET },
  ],
  before: [`${SUITE}/InRelease`, BY_HASH],
  answers: () => ({
    [`${SUITE}/InRelease`]: text(release(), 'application/octet-stream'),
    [BY_HASH]: binary(packages),
    [`${SUITE}/main/binary-amd64/Packages`]: binary(packages),
    [DEB]: { body: deb, type: 'application/vnd.debian.binary-package' },
  }),
};

function stanza(version: string): string {
  return `Package: ${NAME}
Version: ${version}
Architecture: amd64
Maintainer: Bench <bench@upstream.test>
Depends: libc6 (>= 2.36)
Section: misc
Priority: optional
Filename: pool/main/s/${NAME}/${NAME}_${version}_amd64.deb
Size: ${deb.length}
SHA256: ${hex('sha256', deb)}
Description: a package for measuring
`;
}

function release(): string {
  const listed = `${hex('sha256', packages)} ${packages.length} main/binary-amd64/Packages`;
  return `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

Origin: Bench
Suite: stable
Codename: stable
Date: Sat, 01 Jan 2022 00:00:00 UTC
Acquire-By-Hash: yes
Architectures: amd64
Components: main
SHA256:
 ${listed}
-----BEGIN PGP SIGNATURE-----

${'A'.repeat(64)}
-----END PGP SIGNATURE-----
`;
}
