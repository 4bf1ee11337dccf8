import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Happening } from '../app/event-feed.ts';
import { sent } from './event-stream.ts';

/** A reader who takes so many writes, and then nothing until he is told to. */
class Reader extends EventEmitter {
  readonly written: string[] = [];
  destroyed = false;

  constructor(readonly takes: number) {
    super();
  }

  write(text: string): boolean {
    this.written.push(text);
    return this.written.length < this.takes;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

const happening: Happening = {
  position: { event: 3, pull: 4 },
  event: { kind: 'changed', at: 0, repository: '', details: '{"op":"put"}' },
};

function endless(): { readonly batches: AsyncIterable<readonly Happening[]>; read: number } {
  const told = {
    read: 0,
    batches: {
      async *[Symbol.asyncIterator]() {
        for (;;) {
          told.read += 1;
          yield [happening];
        }
      },
    },
  };
  return told;
}

const sending = (reader: Reader, batches: AsyncIterable<readonly Happening[]>) =>
  sent(reader as unknown as ServerResponse, batches, undefined);

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('nothing is read ahead for a reader who takes nothing, and after half a minute he is cut off', async () => {
  const [reader, told] = [new Reader(3), endless()];
  const done = sending(reader, told.batches);
  await vi.advanceTimersByTimeAsync(29_000);
  expect([told.read, reader.destroyed]).toEqual([3, false]);
  await vi.advanceTimersByTimeAsync(2000);
  await done;
  expect([told.read, reader.destroyed]).toEqual([3, true]);
  expect(reader.listenerCount('drain') + reader.listenerCount('close')).toBe(0);
});

test('a reader who was slow and takes it in time gets the rest', async () => {
  const [reader, told] = [new Reader(2), endless()];
  const done = sending(reader, told.batches);
  await vi.advanceTimersByTimeAsync(20_000);
  reader.emit('drain');
  await vi.advanceTimersByTimeAsync(20_000);
  expect([told.read, reader.destroyed]).toEqual([3, false]);
  reader.destroy();
  await done;
  expect(vi.getTimerCount()).toBe(0);
});

test('an event is three lines: where to go on, what it is, and what is known of it', async () => {
  const reader = new Reader(9);
  const one = {
    async *[Symbol.asyncIterator]() {
      yield [happening];
      yield [];
    },
  };
  await sending(reader, one);
  expect(reader.written).toEqual([
    'id: 3.4\nevent: changed\ndata: {"kind":"changed","at":"1970-01-01T00:00:00.000Z","details":{"op":"put"}}\n\n',
    ': still here\n\n',
  ]);
});
