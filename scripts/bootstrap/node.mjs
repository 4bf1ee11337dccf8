import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import { Problem } from './problem.mjs';

export const NODE_NEEDED = 24;

/**
 * The Node to go on under: the one running now when it is new enough, else the one the project brings for this platform.
 * @param {string} root
 */
export function chooseNode(root) {
  if (isNewEnough(process.versions.node)) return process.execPath;
  const bundled = bundledNode(root);
  if (existsSync(bundled)) return bundled;
  throw new Problem(
    `${tooOld()}, and the one the project brings was left out of the install (--omit=optional?). ${ADVICE}`,
  );
}

/** Throws at once where neither this Node nor one the project brings can be used. */
export function refuseOldNode() {
  if (!isNewEnough(process.versions.node) && !isBundledFor(process.platform, process.arch)) {
    throw new Problem(`${tooOld()}. ${ADVICE}`);
  }
}

/**
 * npm links the bundled binary as `node` for every script it runs. That link goes where the user's own Node is new
 * enough, or where the binary does not run (a musl libc), so that it never hides a Node that works.
 */
export function bundledNodeIsWanted(root) {
  const bundled = bundledNode(root);
  if (!existsSync(bundled)) return false;
  return !isNewEnough(usersVersion()) && spawnSync(bundled, ['--version']).status === 0;
}

export function isInside(root, path) {
  return path.startsWith(join(root, 'node_modules') + sep);
}

function bundledNode(root) {
  return join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
}

function isBundledFor(platform, arch) {
  return platform === 'linux' && (arch === 'x64' || arch === 'arm64');
}

/** Under npm, the Node that npm itself runs on; `process` may already be the bundled one. */
function usersVersion() {
  return /\bnode\/v(\S+)/.exec(process.env.npm_config_user_agent ?? '')?.[1] ?? process.versions.node;
}

function isNewEnough(version) {
  return Number.parseInt(version, 10) >= NODE_NEEDED;
}

const ADVICE = `Install Node ${NODE_NEEDED} or newer (https://nodejs.org, or "nvm install ${NODE_NEEDED}") and run the same command again.`;

function tooOld() {
  return `Entrepot needs Node ${NODE_NEEDED} or newer; this is Node ${process.versions.node} on ${process.platform}-${process.arch}`;
}
