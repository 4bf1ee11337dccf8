import { binary, FILE_TARGET, file, hex, INDEX_TARGET, NAME, type Sample, text, VERSIONS } from '../sample.ts';

const INDEX = `/${NAME.slice(0, 2)}/${NAME.slice(2, 4)}/${NAME}`;
const CRATE = `/crates/${NAME}/${NAME}-1.0.0.crate`;
const crate = file();

export const cargo: Sample = {
  format: 'cargo',
  rows: [
    { name: 'cargo index', path: INDEX, target: INDEX_TARGET },
    { name: 'cargo crate 30 kB', path: CRATE, target: FILE_TARGET },
  ],
  answers: (base) => ({
    '/config.json': text(JSON.stringify({ dl: `${base}/crates/{crate}/{crate}-{version}.crate` }), 'application/json'),
    [INDEX]: text(VERSIONS.map((version) => `${line(version)}\n`).join(''), 'text/plain'),
    [CRATE]: binary(crate),
  }),
};

function line(vers: string): string {
  const deps = [{ name: 'libc', req: '^0.2', features: [], optional: false, default_features: true, kind: 'normal' }];
  const pubtime = '2022-01-01T00:00:00Z';
  return JSON.stringify({ name: NAME, vers, deps, cksum: hex('sha256', crate), features: {}, yanked: false, pubtime });
}
