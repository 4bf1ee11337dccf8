import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type Answer, binary, FILE_TARGET, INDEX_TARGET, type Sample } from '../sample.ts';

/** A packument of about so many bytes, and a tarball of so many. */
interface Package {
  readonly name: string;
  readonly packument: number;
  readonly tarball: number;
}

const PACKAGES: readonly Package[] = [
  { name: 'small', packument: 2_000, tarball: 30_000 },
  { name: 'medium', packument: 135_000, tarball: 300_000 },
  { name: 'large', packument: 2_000, tarball: 100_000_000 },
];

export const npm: Sample = {
  format: 'npm',
  rows: [
    { name: 'packument 2 kB', path: '/small', target: INDEX_TARGET },
    { name: 'packument 135 kB', path: '/medium', target: 0.65 },
    { name: 'packument 135 kB, gzip', path: '/medium', target: 0.5, headers: { 'Accept-Encoding': 'gzip' } },
    { name: '304', path: '/medium', target: 0.45, conditional: true },
    { name: 'tarball 30 kB', path: tarballOf('small'), target: FILE_TARGET },
    { name: 'tarball 300 kB', path: tarballOf('medium'), target: 1.2 },
    { name: 'blob 100 MB', path: tarballOf('large'), target: 1.3, by: 'bytes', connections: 4, seconds: 4 },
  ],
  answers: (base) => Object.assign({}, ...PACKAGES.map((each) => published(each, base))),
};

function published({ name, packument, tarball }: Package, base: string): Record<string, Answer> {
  const bytes = randomBytes(tarball);
  const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
  const body = packumentOf(name, packument, base, integrity);
  return {
    [tarballOf(name)]: binary(bytes),
    [`/${name}`]: { body, gzip: gzipSync(body), type: 'application/json' },
  };
}

function tarballOf(name: string): string {
  return `/${name}/-/${name}-1.0.0.tgz`;
}

function packumentOf(name: string, size: number, base: string, integrity: string): Buffer {
  const versions: Record<string, unknown> = {};
  const time: Record<string, string> = { created: '2020-01-01T00:00:00.000Z', modified: '2024-01-01T00:00:00.000Z' };
  const add = (version: string) => {
    versions[version] = {
      name,
      version,
      description: `release ${version} of a package for measuring`,
      dependencies: { a: '^1.0.0', b: '^2.0.0', c: '~3.1.0' },
      engines: { node: '>= 18' },
      dist: { tarball: `${base}/${name}/-/${name}-${version}.tgz`, integrity },
    };
    time[version] = '2022-01-01T00:00:00.000Z';
  };
  add('1.0.0');
  const json = () => JSON.stringify({ name, 'dist-tags': { latest: '1.0.0' }, versions, time });
  const one = json().length;
  for (let patch = 1; one * 0.9 * patch < size - one; patch++) add(`0.${patch}.0`);
  return Buffer.from(json());
}
