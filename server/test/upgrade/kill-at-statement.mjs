import { writeSync } from 'node:fs';
import Database from 'better-sqlite3';
import pg from 'pg';

// Loaded into every thread of a process: ends it right before the n-th statement of its migrations, as a loss of power would.
const killAt = Number(process.env['KILL_AT']);
let isMigrating = false;
let count = 0;

/** @param {string} text */
function before(text) {
  isMigrating ||= /^(BEGIN|START) TRANSACTION/.test(text);
  if (!isMigrating) return;
  count += 1;
  if (count === killAt) process.kill(process.pid, 'SIGKILL');
  if (text.startsWith('COMMIT')) isMigrating = false;
}

const statements = Object.getPrototypeOf(new Database(':memory:').prepare('SELECT 1'));
for (const method of ['run', 'all', 'get']) {
  const execute = statements[method];
  statements[method] = function (/** @type {unknown[]} */ ...values) {
    before(this.source);
    return execute.apply(this, values);
  };
}
const query = pg.Client.prototype.query;
pg.Client.prototype.query = function (/** @type {any[]} */ ...given) {
  if (typeof given[0] === 'string') before(given[0]);
  return query.apply(this, given);
};

process.on('exit', () => {
  if (count > 0) writeSync(1, String(count));
});
