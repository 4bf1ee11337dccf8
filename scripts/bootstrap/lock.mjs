import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from './problem.mjs';

const POLL_MS = 200;
const BREAKING_ABANDONED_MS = 10_000;

/**
 * Runs `work` while no other process prepares this checkout, and says so when it has to wait. The lock of a process
 * that was killed is taken over.
 * @template Result
 * @param {string} root
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 */
export async function withLock(root, work) {
  const path = join(root, '.bootstrap', 'lock');
  makeFolder(dirname(path));
  let told = false;
  while (!take(path)) {
    const owner = ownerOf(path);
    if (owner && isGone(owner) && breakLock(path)) continue;
    if (owner && !told)
      process.stderr.write(
        `Waiting for process ${owner.replace(' ', ' on ')}, which prepares this checkout (${path})\n`,
      );
    told ||= owner !== undefined;
    await sleep(POLL_MS);
  }
  const release = () => rmSync(path, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

function makeFolder(path) {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new Problem(`${path} cannot be written (${error.code}), so this checkout cannot be prepared.`);
  }
}

/** A link appears at once and with its content, so no reader ever sees a lock without an owner. */
function take(path) {
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, `${process.pid} ${hostname()}`);
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(mine);
  }
}

/** Only one process at a time may break a lock, and it looks again first: the lock may have changed hands meanwhile. */
function breakLock(path) {
  const breaking = `${path}.breaking`;
  try {
    mkdirSync(breaking);
  } catch {
    if (isAbandoned(breaking)) renameAway(breaking);
    return false;
  }
  const owner = ownerOf(path);
  if (owner && isGone(owner)) rmSync(path, { force: true });
  rmdirSync(breaking);
  return true;
}

function ownerOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** A process on another host or in another container cannot be asked: it is taken to be alive. */
function isGone(owner) {
  const [pid, host] = owner.split(' ');
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function isAbandoned(breaking) {
  try {
    return Date.now() - statSync(breaking).mtimeMs > BREAKING_ABANDONED_MS;
  } catch {
    return false;
  }
}

function renameAway(breaking) {
  try {
    renameSync(breaking, `${breaking}.${process.pid}`);
    rmdirSync(`${breaking}.${process.pid}`);
  } catch {
    // Another process was quicker.
  }
}
