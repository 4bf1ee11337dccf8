import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type JournalSettings, openJournal } from './journal.ts';
import { parsePull } from './journal-row.ts';
import { systemSegmentFiles } from './journal-segment.ts';
import { type JournalPosition, LedgerError, type PullRow } from './ledger.ts';
import { pullRow } from './samples.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'entrepot-journal-'));
});
afterAll(() => rm(root, { recursive: true }));

const folder = (): Promise<string> => mkdtemp(join(root, 'journal-'));
const deadSegment = (n = 1): string => `pulls-00000000000000${n}-999999999-0123456789ab.ndjson`;
const lines = (...rows: PullRow[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A ledger's part in it, in memory. */
function fakeLedger() {
  const rows = new Map<string, PullRow>();
  const positions = new Map<string, number>();
  const ledger = {
    rows,
    positions,
    batches: 0,
    down: undefined as Error | undefined,
    ids: () => [...rows.keys()].map((id) => Number(id.slice(-12))),
    loadJournal: async (bytes: Uint8Array, { segment, offset }: JournalPosition) => {
      if (ledger.down) throw ledger.down;
      ledger.batches += 1;
      const rejected: string[] = [];
      for (const line of Buffer.from(bytes).toString().trimEnd().split('\n')) {
        const row = parsePull(line);
        if (row) rows.set(row.id, row);
        else rejected.push(line);
      }
      positions.set(segment, offset);
      return rejected;
    },
    journalPositions: async () => [...positions].map(([segment, offset]) => ({ segment, offset })),
    forgetJournal: async (segment: string) => {
      if (ledger.down) throw ledger.down;
      positions.delete(segment);
    },
  };
  return ledger;
}

async function opened(given: Partial<JournalSettings> = {}) {
  const ledger = fakeLedger();
  const settings = { dir: await folder(), ledger, now: () => 1_700_000_000_000, ...given };
  return { ledger, dir: settings.dir, journal: await openJournal(settings) };
}

describe('loading', () => {
  test('waits while the server is busy, but not for who wants to read, and not for ever behind', async () => {
    let busy = true;
    const { ledger, journal } = await opened({ busy: () => busy });
    journal.append(pullRow(1));
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(ledger.rows.size).toBe(0);
    await journal.drain();
    expect(ledger.rows.size).toBe(1);
    journal.append(pullRow(2));
    busy = false;
    await expect.poll(() => ledger.rows.size).toBe(2);
    busy = true;
    for (let n = 0; n < 200_001; n += 1) journal.append(pullRow(10 + n));
    await expect.poll(() => ledger.batches, { timeout: 10_000 }).toBeGreaterThan(2);
    await journal.close();
    expect(ledger.rows.size).toBe(200_003);
  }, 30_000);
});

describe('a row', () => {
  test('is in the file when its word is given, and in the ledger after a drain', async () => {
    const { ledger, dir, journal } = await opened();
    const written = await new Promise<string>((resolve) => {
      journal.appendThen(pullRow(1), async () => {
        const [segment = ''] = await readdir(dir);
        resolve(await readFile(join(dir, segment), 'utf8'));
      });
    });
    expect(written).toBe(lines(pullRow(1)));
    expect(journal.lag).toBe(1);
    journal.append(pullRow(2));
    await journal.drain();
    expect([...ledger.rows.values()]).toEqual([pullRow(1), pullRow(2)]);
    expect(journal.lag).toBe(0);
    await journal.close();
    expect(await readdir(dir)).toEqual([]);
    expect(ledger.positions.size).toBe(0);
  });

  test('appended in parts is the same row', async () => {
    const { ledger, journal } = await opened();
    const { id, ...rest } = pullRow(1, { client: 'quote " and \n line' });
    await new Promise<void>((resolve) => journal.appendRaw(id, JSON.stringify(rest).slice(1, -1), () => resolve()));
    await journal.drain();
    expect(ledger.rows.get(id)).toEqual({ id, ...rest });
    await journal.close();
  });

  test('of one turn is written with the others of that turn, by one write', async () => {
    const writes: number[] = [];
    const writeSync = ((...args: Parameters<typeof systemSegmentFiles.writeSync>) => {
      const written = systemSegmentFiles.writeSync(...args);
      writes.push(written);
      return written;
    }) as typeof systemSegmentFiles.writeSync;
    const { journal } = await opened({ files: { ...systemSegmentFiles, writeSync } });
    const rows = Array.from({ length: 50 }, (_, n) => pullRow(n));
    await Promise.all(
      rows.map(
        (row) =>
          new Promise<void>((resolve) =>
            journal.appendThen(row, () => {
              expect(writes).toHaveLength(1);
              resolve();
            }),
          ),
      ),
    );
    expect(writes).toEqual([Buffer.byteLength(lines(...rows))]);
    await journal.close();
  });

  test('is given word of in strict mode too, and those that come meanwhile', async () => {
    const { ledger, journal } = await opened({ strict: true, segmentBytes: 2000 });
    const told: number[] = [];
    const append = (n: number): Promise<void> =>
      new Promise((resolve) =>
        journal.appendThen(pullRow(n), (error) => {
          expect(error).toBeUndefined();
          told.push(n);
          resolve();
        }),
      );
    const all: Promise<void>[] = [];
    for (let n = 0; n < 40; n += 1) {
      all.push(append(n));
      if (n % 3 === 0) await turn();
    }
    await Promise.all(all);
    expect(told).toEqual(Array.from({ length: 40 }, (_, n) => n));
    await journal.drain();
    expect(ledger.ids()).toEqual(told);
    await journal.close();
  });
});

describe('segments', () => {
  test('are closed when they are full, loaded in order and removed', async () => {
    const { ledger, dir, journal } = await opened({ segmentBytes: 1000 });
    for (let n = 0; n < 30; n += 1) {
      journal.append(pullRow(n));
      await turn();
    }
    await journal.drain();
    expect(ledger.ids()).toEqual(Array.from({ length: 30 }, (_, n) => n));
    await journal.close();
    expect(await readdir(dir)).toEqual([]);
  });

  test('of a dead process are taken over from where the ledger has them, without the torn last line', async () => {
    const [dir, ledger] = [await folder(), fakeLedger()];
    const first = lines(pullRow(1));
    await writeFile(join(dir, deadSegment(1)), `${first}${lines(pullRow(2), pullRow(3))}{"id":"torn`);
    await writeFile(join(dir, deadSegment(2)), lines(pullRow(4)));
    ledger.positions.set(deadSegment(1), Buffer.byteLength(first));
    const { journal } = await opened({ dir, ledger });
    expect(journal.lag).toBe(3);
    journal.append(pullRow(5));
    await journal.drain();
    expect(ledger.ids()).toEqual([2, 3, 4, 5]);
    await journal.close();
    expect(await readdir(dir)).toEqual([]);
    expect(ledger.positions.size).toBe(0);
  });

  test('of a living process and other files are left alone', async () => {
    const dir = await folder();
    const [living, note] = [`pulls-000000000000001-${process.ppid}-0123456789ab.ndjson`, 'note.txt'];
    await writeFile(join(dir, living), lines(pullRow(1)));
    await writeFile(join(dir, note), 'mine');
    const first = await opened({ dir });
    const second = await opened({ dir });
    first.journal.append(pullRow(2));
    await first.journal.close();
    await second.journal.close();
    expect([first.ledger.ids(), second.ledger.ids()]).toEqual([[2], []]);
    expect((await readdir(dir)).sort()).toEqual([note, living]);
  });

  test('with lines that are no pulls give the rest, and keep those for a person', async () => {
    const [dir, failures] = [await folder(), [] as string[]];
    const { principal: _, ...incomplete } = pullRow(2);
    const bad = ['not json', '[]', 'null', JSON.stringify(incomplete), JSON.stringify({ ...pullRow(3), at: 1.5 })];
    await writeFile(join(dir, deadSegment()), `${lines(pullRow(1))}${bad.join('\n')}\n${lines(pullRow(4))}`);
    const { ledger, journal } = await opened({ dir, onFailure: ({ message }) => failures.push(message) });
    await journal.drain();
    expect(ledger.ids()).toEqual([1, 4]);
    expect(failures).toEqual([expect.stringContaining('5 lines')]);
    await journal.close();
    expect(await readFile(join(dir, 'rejected.ndjson'), 'utf8')).toBe(`${bad.join('\n')}\n`);
  });

  test('longer than a batch are loaded in batches, a line longer than a batch as well', async () => {
    const dir = await folder();
    const rows = Array.from({ length: 9000 }, (_, n) => pullRow(n));
    const long = pullRow(9000, { client: 'x'.repeat(5_000_000) });
    await writeFile(join(dir, deadSegment()), lines(...rows, long, pullRow(9001)));
    const { ledger, journal } = await opened({ dir });
    await journal.drain();
    expect(ledger.ids()).toEqual(Array.from({ length: 9002 }, (_, n) => n));
    expect(ledger.batches).toBeGreaterThan(2);
    await journal.close();
  });
});

describe('when something fails', () => {
  test('a full disk is told to who appends, the rows are written once there is room', async () => {
    let full = true;
    const failures: string[] = [];
    const writeSync = ((...args: Parameters<typeof systemSegmentFiles.writeSync>) => {
      const [descriptor, bytes, offset, length, position] = args as unknown as [number, Buffer, number, number, number];
      if (!full) return systemSegmentFiles.writeSync(descriptor, bytes, offset, length, position);
      systemSegmentFiles.writeSync(descriptor, bytes, offset, 10, position);
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    }) as typeof systemSegmentFiles.writeSync;
    const { ledger, dir, journal } = await opened({
      files: { ...systemSegmentFiles, writeSync },
      onFailure: ({ message }) => failures.push(message),
    });
    for (const n of [1, 2]) {
      const told = await new Promise<Error | undefined>((resolve) => journal.appendThen(pullRow(n), resolve));
      expect(told).toBeInstanceOf(LedgerError);
    }
    expect(failures).toEqual([expect.stringMatching(`${dir} cannot be written .*ENOSPC.*free space`)]);
    expect(journal.failed?.message).toBe(failures[0]);
    expect(journal.lag).toBe(2);
    await expect(journal.drain()).rejects.toThrow('free space');
    full = false;
    journal.append(pullRow(3));
    await journal.drain();
    expect(journal.failed).toBeUndefined();
    expect(ledger.ids()).toEqual([1, 2, 3]);
    expect(journal.lost).toBe(0);
    await journal.close();
  });

  test('rows for which there is no room at all are counted', async () => {
    const writeSync = () => {
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    };
    const { journal } = await opened({ files: { ...systemSegmentFiles, writeSync } });
    const client = 'x'.repeat(1_000_000);
    for (let n = 0; n < 20; n += 1) journal.append(pullRow(n, { client }));
    await turn();
    expect(journal.lost).toBeGreaterThan(0);
    expect(journal.lost + journal.lag).toBe(20);
    await journal.close();
  });

  test('a ledger that is down keeps the rows in the folder, for a later try or the next process', async () => {
    const failures: string[] = [];
    const { ledger, dir, journal } = await opened({ onFailure: ({ message }) => failures.push(message) });
    ledger.down = new LedgerError('database is down');
    journal.append(pullRow(1));
    await expect(journal.drain()).rejects.toThrow('database is down');
    await expect(journal.drain()).rejects.toThrow('database is down');
    expect(failures).toEqual(['database is down']);
    expect(journal.failed?.message).toBe('database is down');
    ledger.down = undefined;
    journal.append(pullRow(2));
    await journal.drain();
    expect(journal.failed).toBeUndefined();
    ledger.down = new LedgerError('database is down');
    journal.append(pullRow(3));
    await journal.close();
    ledger.down = undefined;
    const next = await opened({ dir, ledger });
    await next.journal.drain();
    expect(ledger.ids()).toEqual([1, 2, 3]);
    await next.journal.close();
    expect(await readdir(dir)).toEqual([]);
  });

  test('a folder that cannot be made is named', async () => {
    await expect(opened({ dir: '/dev/null/journal' })).rejects.toMatchObject({
      name: 'LedgerError',
      message: expect.stringContaining('/dev/null/journal'),
    });
  });

  test('a row torn in the middle of a segment does not hide what was appended behind it', async () => {
    const dir = await folder();
    await writeFile(join(dir, deadSegment()), lines(pullRow(1)));
    await appendFile(join(dir, deadSegment()), `{"id":"half\n${lines(pullRow(2))}`);
    const { ledger, journal } = await opened({ dir });
    await journal.drain();
    expect(ledger.ids()).toEqual([1, 2]);
    await journal.close();
  });
});
