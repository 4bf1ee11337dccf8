import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';

// Loaded into every thread of a server: while the file that FULL names is there, its database cannot grow.
const statements = Object.getPrototypeOf(new Database(':memory:').prepare('SELECT 1'));
for (const name of ['run', 'all']) {
  const real = statements[name];
  statements[name] = function (/** @type {any[]} */ ...given) {
    if (this.source.startsWith('BEGIN')) {
      const isFull = existsSync(process.env['FULL'] ?? '');
      this.database.pragma(`max_page_count = ${isFull ? 1 : 1_073_741_823}`);
    }
    return real.apply(this, given);
  };
}
