const MUTABLE: readonly RegExp[] = [
  /\/latest(?:\/|\.|$)/,
  /\/(?:index|manifest|checksums?|SHA\d*SUMS?|versions?|releases?)(?:\.\w+)?$/,
  /\/(?:nightly|edge|stable|current|main|master)\//,
  /\/$/,
  /\.html?$/,
];

const ARCHIVE = /\.(?:tar\.(?:gz|xz|zst|bz2)|tgz|zip|exe|msi|dmg|pkg|deb|rpm|AppImage|whl|jar|gem|bin)$/;
const NUMBERED = /[-_/]v?\d+\.\d+/;
const RELEASE_ASSET = /\/releases\/download\/[^/]+\/[^/]+$/;
const COMMIT_ARCHIVE = /\/archive\/[0-9a-f]{40}(?:\.tar\.gz|\.zip)$/;
const CONTENT_ADDRESSED = /\/[^/]*[0-9a-f]{40}[^/]*(?:\/|$)/;

/** Whether a path is a name for what is newest. */
export const isMoving = (path: string): boolean => MUTABLE.some((pattern) => pattern.test(`/${path}`));

/** Whether a path may get other bytes. What looks fixed in a place that moves (`nightly/x-1.0.zip`) may. */
export function isMutable(path: string): boolean {
  return isMoving(path) || !isFixed(`/${path}`);
}

function isFixed(rooted: string): boolean {
  if (RELEASE_ASSET.test(rooted) || COMMIT_ARCHIVE.test(rooted) || CONTENT_ADDRESSED.test(rooted)) return true;
  return ARCHIVE.test(rooted) && NUMBERED.test(rooted.slice(rooted.lastIndexOf('/')));
}
