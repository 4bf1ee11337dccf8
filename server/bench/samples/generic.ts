import { binary, FILE_TARGET, file, NAME, type Sample } from '../sample.ts';

const FILE = `/${NAME}/1.0.0/${NAME}-1.0.0.tar.gz`;

export const generic: Sample = {
  format: 'generic',
  rows: [{ name: 'generic file 30 kB', path: FILE, target: FILE_TARGET }],
  answers: () => ({ [FILE]: binary(file()) }),
};
