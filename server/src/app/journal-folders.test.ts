import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openJournal } from '../ledger/journal.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { pullRow } from '../ledger/samples.ts';
import { openSqliteLedger } from '../ledger/sqlite.ts';
import { JournalFolders } from './journal-folders.ts';

let root: string;
let ledger: Ledger;
const opened: JournalFolders[] = [];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'journals-'));
  ledger = await openSqliteLedger(join(root, 'ledger.sqlite'));
});
afterEach(async () => {
  for (const folders of opened.splice(0)) await folders.close();
  await ledger.close();
  await rm(root, { recursive: true });
});

const log = { debug() {}, info() {}, warn() {}, error() {} };
const journals = () => join(root, 'journal');
const open = async (every = 20): Promise<JournalFolders> => {
  const folders = await JournalFolders.open({ root: journals(), ledger, log, busy: () => false, every });
  opened.push(folders);
  return folders;
};
const loaded = async () =>
  (await ledger.pulls({}, { limit: 1000 })).map(({ at }) => at - 1_000_000).sort((a, b) => a - b);

/** What a process with that id left: rows, the last of them torn off, and its lock. */
function left(name: string, orders: readonly number[], pid: number): string {
  const dir = join(journals(), name);
  mkdirSync(dir, { recursive: true });
  const lines = orders.map((order) => `${JSON.stringify(pullRow(order))}\n`).join('');
  writeFileSync(join(dir, `pulls-000001763700000-${pid}-0123456789ab.ndjson`), `${lines}{"id":"torn`);
  writeFileSync(join(dir, 'lock'), JSON.stringify({ pid, host: 'gone.test', began: '1', pids: 'gone' }));
  return dir;
}
const makeOld = (dir: string) => utimes(join(dir, 'lock'), new Date(0), new Date(0));

test('each process has a folder of its own, which goes with it', async () => {
  const [one, other] = [await open(), await open()];
  expect(one.dir).not.toBe(other.dir);
  await one.close();
  expect(readdirSync(journals())).toEqual([other.dir.slice(journals().length + 1)]);
});

test('rows of a process that was killed are in the ledger without its coming back, and its folder is gone', async () => {
  const dir = left('killed', [1, 2, 3], 7);
  await makeOld(dir);
  await open();
  await expect.poll(loaded).toEqual([1, 2, 3]);
  await expect.poll(() => existsSync(dir)).toBe(false);
  expect(await ledger.journalPositions()).toEqual([]);
});

test('of many processes that find it at once, each row is there once', async () => {
  await makeOld(left('killed', [1, 2, 3, 4], 7));
  await makeOld(left('killed too', [4, 5], 8));
  await Promise.all([open(), open(), open()]);
  await expect.poll(loaded).toEqual([1, 2, 3, 4, 5]);
  await expect.poll(() => readdirSync(journals()).filter((name) => name.startsWith('killed'))).toEqual([]);
  expect(await loaded()).toEqual([1, 2, 3, 4, 5]);
});

test('a process that is only slow, and on another machine, is left alone', async () => {
  const dir = left('alive', [1], 7);
  const folders = await open();
  await new Promise((resolve) => setTimeout(resolve, 200));
  await folders.close();
  expect(existsSync(dir)).toBe(true);
  expect(await loaded()).toEqual([]);
});

test('a journal in such a folder works as in any, beside that of another process', async () => {
  const folders = await open();
  const journal = await openJournal({ dir: folders.dir, ledger, now: Date.now });
  await open();
  journal.append(pullRow(1));
  await journal.drain();
  journal.append(pullRow(2));
  await journal.close();
  await folders.close();
  expect(await loaded()).toEqual([1, 2]);
});

test('what the ledger cannot take now is taken later', async () => {
  await makeOld(left('killed', [1, 2], 7));
  let failures = 3;
  const unwilling: Ledger = {
    ...ledger,
    loadJournal: (...given) =>
      failures-- > 0 ? Promise.reject(new Error('the database is away')) : ledger.loadJournal(...given),
  };
  opened.push(await JournalFolders.open({ root: journals(), ledger: unwilling, log, busy: () => false, every: 20 }));
  await expect.poll(loaded).toEqual([1, 2]);
});
