import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';

// Loaded into every thread of a server: once the file that ARMED names is there, it ends the process right before the n-th
// time that the thread changes something on the disk, as a loss of power would.
const { ARMED = '', KILL_IN, KILL_AT } = process.env;
const isHere = KILL_IN === (isMainThread ? 'main' : workerData?.role);
let steps = 0;

/** @param {string} what */
function step(what) {
  if (!isHere || !fs.existsSync(ARMED)) return;
  steps += 1;
  if (steps !== Number(KILL_AT)) return;
  fs.appendFileSync(`${ARMED}.killed`, what);
  process.kill(process.pid, 'SIGKILL');
}

/**
 * @param {any} owner
 * @param {string} name
 * @param {(given: any[]) => boolean} [when]
 */
function before(owner, name, when = () => true) {
  const real = owner[name];
  owner[name] = function (/** @type {any[]} */ ...given) {
    if (when(given)) step(name);
    return real.apply(this, given);
  };
}

const handle = await promises.open(process.execPath);
const handles = Object.getPrototypeOf(handle);
await handle.close();
for (const name of ['write', 'sync', 'datasync']) before(handles, name);
before(promises, 'open', ([, flags = 'r']) => flags !== 'r');
for (const name of ['rename', 'mkdir', 'unlink']) before(promises, name);
for (const name of ['openSync', 'writeSync']) before(fs, name, ([, flags]) => name === 'writeSync' || flags === 'wx');
syncBuiltinESMExports();

const statements = Object.getPrototypeOf(new Database(':memory:').prepare('SELECT 1'));
for (const name of ['run', 'all', 'get']) {
  const real = statements[name];
  statements[name] = function (/** @type {any[]} */ ...given) {
    // What is in between is undone as one.
    const isBoundary = /^(BEGIN|COMMIT)/.test(this.source);
    if (isBoundary) step(this.source);
    const result = real.apply(this, given);
    if (isBoundary) step(`after ${this.source}`);
    return result;
  };
}
