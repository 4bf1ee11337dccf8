import { binary, FILE_TARGET, file, hex, INDEX_TARGET, NAME, type Sample, text, VERSIONS } from '../sample.ts';

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json';
const wheel = file();
const pathOf = (version: string) => `/packages/${NAME}/${NAME}-${version}-py3-none-any.whl`;

export const pypi: Sample = {
  format: 'pypi',
  rows: [
    { name: 'pypi page', path: `/simple/${NAME}/`, target: INDEX_TARGET, headers: { Accept: JSON_TYPE } },
    { name: 'pypi wheel 30 kB', path: pathOf('1.0.0'), target: FILE_TARGET },
  ],
  answers: (base) => ({ [`/simple/${NAME}/`]: text(page(base), JSON_TYPE), [pathOf('1.0.0')]: binary(wheel) }),
};

function page(base: string): string {
  const files = VERSIONS.map((version) => ({
    filename: `${NAME}-${version}-py3-none-any.whl`,
    url: `${base}${pathOf(version)}`,
    hashes: { sha256: hex('sha256', wheel) },
    'upload-time': '2022-01-01T00:00:00Z',
  }));
  return JSON.stringify({ meta: { 'api-version': '1.1' }, name: NAME, versions: VERSIONS, files });
}
