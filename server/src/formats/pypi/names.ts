import { compare, explain } from '@renovatebot/pep440';

const PROJECT = /^[A-Z0-9](?:[A-Z0-9._-]*[A-Z0-9])?$/i;
const DISTRIBUTION = /\.(?:whl|egg|zip|tgz|tbz|txz|tar(?:\.(?:gz|bz2|xz|lzma|Z))?|exe|msi|rpm|deb|dmg)$/i;
const PLATFORM = /[.-](?:win32|win-(?:amd64|arm64|ia64)|linux-\w+|macosx-[\w.]+-\w+)(?:-py\d[\d.]*)?$/;

/** PEP 503: runs of `-`, `_` and `.` are one `-`, lower case. */
export const normalize = (name: string): string => name.replace(/[-_.]+/g, '-').toLowerCase();

export const isProject = (name: string): boolean => PROJECT.test(name);

/** 255: what a disk takes, and a bound for what is done with the name. */
export const isDistribution = (file: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a file name must not have
  file.length <= 255 && !/[/\\\x00-\x1f\x7f]/.test(file) && DISTRIBUTION.test(file);

export const filePath = (project: string, file: string): string => `packages/${project}/${file}`;

export const provenancePath = (project: string, version: string, file: string): string =>
  `integrity/${project}/${version}/${file}/provenance`;

export const urlPath = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

/** The normalised version a file name carries; the name's own stem when it does not say, as some old archives do not. */
export function versionOf(file: string, project: string): string {
  const stem = file.replace(DISTRIBUTION, '');
  const version = /\.(?:whl|egg)$/i.test(file) ? stem.split('-')[1] : sourceVersion(stem, project);
  return version === undefined ? stem : (canonicalVersion(version) ?? version);
}

/** PEP 440's one spelling of a version: `1.0-BETA1` → `1.0b1`; undefined when it is none. */
export function canonicalVersion(version: string): string | undefined {
  const parts = explain(version);
  return parts === null ? undefined : parts.public + (parts.local === null ? '' : `+${parts.local}`);
}

/** Oldest first; what is no version before them all. */
export const versionOrder = (versions: Iterable<string>): readonly string[] => {
  const [valid, others] = [new Set<string>(), new Set<string>()];
  for (const version of versions) (canonicalVersion(version) === undefined ? others : valid).add(version);
  return [...others, ...[...valid].sort(compare)];
};

/** The stem of an sdist may hold `-` in name and version both: only the project's name tells where one ends. */
function sourceVersion(stem: string, project: string): string | undefined {
  const bare = stem.replace(PLATFORM, '');
  for (let dash = bare.indexOf('-'); dash !== -1; dash = bare.indexOf('-', dash + 1)) {
    if (normalize(bare.slice(0, dash)) === project) return bare.slice(dash + 1);
  }
  return undefined;
}

/** A link of a document that came from `from`, without its fragment; undefined unless it is http or https. */
export function fileUrl(link: string | undefined, from: string): URL | undefined {
  const url = link ? URL.parse(link, from) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  url.hash = '';
  return url;
}

/** Two files of one name would share a path: the first is the one. */
export function firstOfEach<File extends { readonly filename: string }>(files: readonly File[]): readonly File[] {
  const seen = new Set<string>();
  return files.filter(({ filename }) => !seen.has(filename) && seen.add(filename));
}
