import { binary, FILE_TARGET, file, INDEX_TARGET, NAME, type Sample, text } from '../sample.ts';

const MODULE = `/upstream.test/${NAME}/@v`;
const VERSIONS = Array.from({ length: 250 }, (_, patch) => `v1.0.${patch}`);
const ZIP = `${MODULE}/v1.0.0.zip`;

export const go: Sample = {
  format: 'go',
  rows: [
    { name: 'go list', path: `${MODULE}/list`, target: INDEX_TARGET },
    { name: 'go zip 30 kB', path: ZIP, target: FILE_TARGET },
  ],
  answers: () => ({
    [`${MODULE}/list`]: text(VERSIONS.map((version) => `${version}\n`).join(''), 'text/plain'),
    [`${MODULE}/v1.0.0.info`]: text('{"Version":"v1.0.0","Time":"2022-01-01T00:00:00Z"}', 'application/json'),
    [ZIP]: { ...binary(file()), type: 'application/zip' },
  }),
};
