import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DEPENDENCY_FIELDS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];

/** Whether `node_modules` is what the lock file and the manifests ask for on this platform. */
export function isInstalled(root) {
  const lockFile = join(root, 'package-lock.json');
  if (!existsSync(lockFile)) return true;
  if (readText(stampPath(root)) === fingerprint(root)) return true;
  if (!treeMatches(root)) return false;
  markInstalled(root);
  return true;
}

/** The first manifest whose dependencies are not those the lock file was made for. */
export function manifestOutOfStep(root) {
  const locked = readJson(join(root, 'package-lock.json'))?.packages ?? {};
  const differs = (file) =>
    !sameDependencies(readJson(join(root, file)), locked[file.replace(/\/?package\.json$/, '')]);
  return manifests(root).find(differs);
}

/** While an install runs, nothing in `node_modules` may claim to be complete. */
export function markIncomplete(root) {
  for (const path of [stampPath(root), npmsRecord(root)]) rmSync(path, { force: true });
}

export function markInstalled(root) {
  writeFileSync(stampPath(root), fingerprint(root));
}

/** How many packages the lock file names for this platform. */
export function packagesIn(root) {
  const isForHere = ([path, { os = process.platform, cpu = process.arch }]) =>
    path.includes('node_modules/') && os.includes(process.platform) && cpu.includes(process.arch);
  return Object.entries(readJson(join(root, 'package-lock.json'))?.packages ?? {}).filter(isForHere).length;
}

function fingerprint(root) {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}\n`);
  for (const file of ['package-lock.json', '.npmrc', ...manifests(root)])
    hash.update(`${file}\n${readText(join(root, file))}\n`);
  return hash.digest('hex');
}

/**
 * `npm install` run by hand leaves no stamp of ours: then npm's own record of the tree decides, and a tree that is
 * already right is not installed again.
 */
function treeMatches(root) {
  const found = readJson(npmsRecord(root))?.packages;
  const wanted = readJson(join(root, 'package-lock.json'))?.packages;
  if (!found || !wanted) return false;
  const differs = ([path, entry]) => {
    const there = found[path];
    if (!there) return !entry.optional;
    return there.version !== entry.version || there.integrity !== entry.integrity;
  };
  return (
    !Object.entries(wanted)
      .filter(([path]) => path.includes('node_modules/'))
      .some(differs) &&
    Object.entries(found).every(([path, entry]) => path in wanted || entry.optional) &&
    !manifestOutOfStep(root)
  );
}

function sameDependencies(manifest, locked) {
  const pick = (from) => JSON.stringify(DEPENDENCY_FIELDS.map((field) => Object.entries(from?.[field] ?? {}).sort()));
  return pick(manifest) === pick(locked);
}

function manifests(root) {
  const workspaces = readJson(join(root, 'package.json'))?.workspaces ?? [];
  return ['package.json', ...workspaces.map((workspace) => `${workspace}/package.json`)];
}

function stampPath(root) {
  return join(root, 'node_modules', '.installed-from');
}

function npmsRecord(root) {
  return join(root, 'node_modules', '.package-lock.json');
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function readJson(path) {
  const text = readText(path);
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
