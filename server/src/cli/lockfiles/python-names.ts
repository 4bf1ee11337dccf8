import { explain } from '@renovatebot/pep440';

/** PEP 503: runs of `-`, `_` and `.` are one `-`, lower case. */
export const normalName = (name: string): string => name.replace(/[-_.]+/g, '-').toLowerCase();

/** PEP 440's one spelling of a version: `1.0-BETA1` → `1.0b1`; what is none stays as it is. */
export function normalVersion(version: string): string {
  const parts = explain(version);
  if (parts === null) return version;
  return parts.public + (parts.local === null ? '' : `+${parts.local}`);
}

/** The digest of a release that has one file only. */
export function onlyDigest(hashes: readonly unknown[]): string | undefined {
  const [hash, second] = hashes;
  return typeof hash === 'string' && second === undefined && /^\w+:[0-9a-f]+$/.test(hash) ? hash : undefined;
}
