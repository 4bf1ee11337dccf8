import { FILE_TARGET, file, type Sample } from '../sample.ts';

const ENTRY = `/${'0123456789abcdef'.repeat(2)}`;

export const gradleCache: Sample = {
  format: 'gradle-cache',
  kind: 'hosted',
  rows: [{ name: 'gradle-cache entry 30 kB', path: ENTRY, target: FILE_TARGET }],
  answers: () => ({ [ENTRY]: { body: file(), type: 'application/vnd.gradle.build-cache-artifact.v2' } }),
};
