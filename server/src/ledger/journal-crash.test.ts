import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openJournal } from './journal.ts';
import { openSqliteLedger } from './sqlite.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'entrepot-crash-'));
  await writeFile(join(root, 'program.mjs'), PROGRAM);
});
afterAll(() => rm(root, { recursive: true }));

const compiled = (file: string): string => new URL(file, import.meta.url.replace('/server/src/', '/server/dist/')).href;

/** Appends without end, and writes the id of every row it was given word of into the file `told`. */
const PROGRAM = `
import { openSync, writeSync } from 'node:fs';
import { openJournal } from ${JSON.stringify(compiled('./journal.js'))};
import { openSqliteLedger } from ${JSON.stringify(compiled('./sqlite.js'))};
import { pullRow } from ${JSON.stringify(compiled('./samples.js'))};
const [folder, first] = process.argv.slice(2);
const told = openSync(folder + '/told', 'a');
const ledger = await openSqliteLedger(folder + '/entrepot.db');
const journal = await openJournal({ dir: folder + '/journal', ledger, now: Date.now, segmentBytes: 200_000 });
let next = Number(first);
setInterval(() => {
  for (let n = 0; n < 60; n += 1) {
    const row = pullRow(next);
    next += 1;
    journal.appendThen(row, () => writeSync(told, row.id + '\\n'));
  }
}, 1);
`;

test('no row that was given word of is lost when the process is killed, and none is there twice', async () => {
  for (const [round, most] of [700, 4000, 9000].entries()) await killedAfter(most, round * 1_000_000);
  const promised = (await readFile(told(), 'utf8')).split('\n').slice(0, -1);
  const ledger = await openSqliteLedger(join(root, 'entrepot.db'));
  const journal = await openJournal({ dir: join(root, 'journal'), ledger, now: Date.now });
  await journal.drain();
  const ids: string[] = [];
  for (let after: string | undefined; ; after = ids.at(-1)) {
    const page = await ledger.pulls({}, { limit: 5000, ...(after === undefined ? {} : { after }) });
    ids.push(...page.map(({ id }) => id));
    if (page.length < 5000) break;
  }
  const there = new Set(ids);
  expect(promised.length).toBeGreaterThanOrEqual(13_700);
  expect(promised.filter((id) => !there.has(id))).toEqual([]);
  expect(ids.length).toBe(there.size);
  expect((await ledger.stats()).pulls).toBe(there.size);
  await journal.close();
  await ledger.close();
  expect(await readdir(join(root, 'journal'))).toEqual([]);
}, 120_000);

const told = (): string => join(root, 'told');
const ID_LENGTH = 37;

/** Runs the program and kills it once it was given word of so many more rows. */
async function killedAfter(rows: number, first: number): Promise<void> {
  const size = async (): Promise<number> => (await stat(told()).catch(() => undefined))?.size ?? 0;
  const enough = (await size()) + rows * ID_LENGTH;
  const child = spawn(process.execPath, [join(root, 'program.mjs'), root, String(first)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const gone = once(child, 'close');
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  while (child.exitCode === null && (await size()) < enough) await new Promise((resolve) => setTimeout(resolve, 2));
  child.kill('SIGKILL');
  const [, signal] = await gone;
  expect([signal, errors]).toEqual(['SIGKILL', '']);
}
