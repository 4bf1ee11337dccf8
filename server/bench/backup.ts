import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type Load, load } from './load.ts';
import { fetched } from './measure.ts';
import { declared } from './repositories.ts';
import { type Sample, text } from './sample.ts';
import type { Entrepot } from './servers.ts';

export const BACKUP = 'hits of 3 kB while a ledger of 1 GB is backed up';

const BYTES = 1e9;
const CONNECTIONS = 4;
const SECONDS = 10;
const ROWS = 1000;
/** Milliseconds. */
const TARGET = 20;

export const keepsake: Sample = {
  format: 'generic',
  rows: [],
  answers: () => ({ '/keepsake-1.0.zip': text('k'.repeat(3000), 'application/zip') }),
};

export interface BackedUp {
  readonly alone: Load;
  /** While one backup was made after the other. */
  readonly during: Load;
  readonly backups: number;
  /** Bytes of the database file. */
  readonly bytes: number;
  /** Seconds that one took. */
  readonly seconds: number;
  readonly isMissed: boolean;
}

/** What somebody who pulls notices of a backup: the same file asked for by a few clients, without one and during one. */
export async function measureBackup(entrepot: Entrepot, upstream: string, seconds = SECONDS): Promise<BackedUp> {
  const name = 'bench-keepsake';
  const url = `${upstream}/generic`;
  await declared(entrepot, 'remotes', { name, format: 'generic', url, allow_private_network: true });
  const file = `${entrepot.url}/${name}/keepsake-1.0.zip`;
  await fetched(file);
  const bytes = fill(join(entrepot.data, 'entrepot.sqlite'));
  const options = { connections: CONNECTIONS, seconds };
  const alone = await load(file, options);
  const stop = new AbortController();
  const making = backups(entrepot, stop.signal);
  const during = await load(file, options);
  stop.abort();
  const { count, time } = await making;
  return { alone, during, backups: count, bytes, seconds: time / count, isMissed: !(during.p99 < TARGET) };
}

export function backupTable({ alone, during, backups, bytes, seconds }: BackedUp): string {
  const rate = ({ requestsPerSecond }: Load) => `${Math.round(requestsPerSecond)}/s`;
  const late = ({ p99 }: Load) => `${p99.toFixed(1)} ms`;
  return [
    '| work | without | p99 | during | p99 | target | one backup takes |',
    '|---|---|---|---|---|---|---|',
    `| ${BACKUP} | ${rate(alone)} | ${late(alone)} | ${rate(during)} | ${late(during)} | p99 < ${TARGET} ms | ${seconds.toFixed(1)} s for ${(bytes / 1e9).toFixed(2)} GB, ${backups} made |`,
  ].join('\n');
}

/** Rows as pulls are, beside a server that runs. Resolves to the size of the file. */
function fill(path: string): number {
  const database = new Database(path, { timeout: 10_000 });
  try {
    database.pragma('synchronous = OFF');
    const insert = database.prepare(
      `INSERT INTO "pull" ("id", "at", "repository", "format", "path", "role", "cache", "decision", "principal", "client", "request_id")
       VALUES (?, ?, 'bench', 'generic', ?, 'package', 'hit', 'allowed', 'anonymous', ?, ?)`,
    );
    let row = 0;
    const some = database.transaction(() => {
      for (let count = 0; count < ROWS; count += 1) {
        row += 1;
        const words = `npm/11.0.0 ${row.toString(36).padStart(1500, String(row % 10))}`;
        insert.run(`bench-${row}`, row, `file-${row}.zip`, words, `r-${row}`);
      }
    });
    while (Number(database.pragma('page_count', { simple: true })) * 4096 < BYTES) some();
    database.pragma('wal_checkpoint(TRUNCATE)');
    return statSync(path).size;
  } finally {
    database.close();
  }
}

/** One after the other until it is enough; the last is read to its end. */
async function backups({ url, token }: Entrepot, enough: AbortSignal): Promise<{ count: number; time: number }> {
  const begun = performance.now();
  for (let count = 1; ; count += 1) {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${url}/api/v2/backup`, { method: 'POST', headers });
    if (!answer.ok) throw new Error(`the backup was answered ${answer.status}: ${await answer.text()}`);
    for await (const _ of answer.body ?? []);
    if (enough.aborted) return { count, time: (performance.now() - begun) / 1000 };
  }
}
