import { describe, expect, test } from 'vitest';
import { SqliteThreads } from './sqlite-threads.ts';

/** A thread that says who it is; `open` is answered when the test lets it. */
class Thread {
  ended = false;
  busy = false;
  closed = false;
  readonly opened = Promise.withResolvers<void>();

  constructor(readonly name: string) {}

  async call(method: string): Promise<unknown> {
    if (method === 'open') return this.opened.promise;
    return `${method} by ${this.name}`;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

function threads(lingers = 60_000) {
  const writer = new Thread('the writer');
  writer.busy = true;
  const readers: Thread[] = [];
  const started = () => {
    const reader = new Thread(`reader ${readers.length + 1}`);
    readers.push(reader);
    return reader;
  };
  return { writer, readers, both: new SqliteThreads(writer, started, lingers) };
}

describe('the reading thread', () => {
  test('is started by the first read that would have to wait, which the writer answers', async () => {
    const { both, readers, writer } = threads();
    writer.busy = false;
    expect(await both.write('change', [])).toBe('change by the writer');
    expect(await both.read('pulls', [])).toBe('pulls by the writer');
    expect(readers).toHaveLength(0);
    writer.busy = true;
    expect(await both.read('pulls', [])).toBe('pulls by the writer');
    expect(readers).toHaveLength(1);
  });

  test('answers once it is there', async () => {
    const { both, readers } = threads();
    await both.read('pulls', []);
    readers[0]?.opened.resolve();
    await expect.poll(() => both.read('pulls', [])).toBe('pulls by reader 1');
    expect(readers).toHaveLength(1);
  });

  test('is given back after a while without a read, and comes again', async () => {
    const { both, readers } = threads(10);
    await both.read('pulls', []);
    readers[0]?.opened.resolve();
    await expect.poll(() => readers[0]?.closed).toBe(true);
    expect(await both.read('pulls', [])).toBe('pulls by the writer');
    expect(readers).toHaveLength(2);
  });

  test('that cannot be had leaves the answers to the writer', async () => {
    const { both, readers } = threads();
    await both.read('pulls', []);
    readers[0]?.opened.reject(new Error('no memory for it'));
    await expect.poll(() => readers[0]?.closed).toBe(true);
    expect(await both.read('pulls', [])).toBe('pulls by the writer');
  });

  test('that died is followed by another', async () => {
    const { both, readers } = threads();
    await both.read('pulls', []);
    const first = readers[0] as Thread;
    first.opened.resolve();
    await first.opened.promise;
    first.ended = true;
    expect(await both.read('pulls', [])).toBe('pulls by the writer');
    readers[1]?.opened.resolve();
    await expect.poll(() => both.read('pulls', [])).toBe('pulls by reader 2');
  });

  test('ends with the ledger', async () => {
    const { both, readers, writer } = threads();
    await both.read('pulls', []);
    await both.close();
    expect([readers[0]?.closed, writer.closed]).toEqual([true, true]);
  });
});
