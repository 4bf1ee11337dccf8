import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Coordination, Json, Lease } from './coordination.ts';

/** Processes of one installation, as many as a test asks for. */
export interface Participants {
  join(): Promise<Coordination>;
  close(): Promise<void>;
}

const TTL = 2000;
const NEVER = new AbortController().signal;

/** What holds of every coordination, whatever is behind it. */
export function coordinationContract(open: () => Promise<Participants>): void {
  let participants: Participants;
  let [one, other] = [] as unknown as [Coordination, Coordination];
  beforeEach(async () => {
    participants = await open();
    one = await participants.join();
    other = await participants.join();
  });
  afterEach(() => participants.close());

  const taken = async (by: Coordination, name: string): Promise<Lease> => {
    const lease = await by.lease(name, TTL);
    if (!lease) throw new Error(`${name} is held`);
    return lease;
  };

  test('only one has a lease, until it lets it go', async () => {
    const lease = await taken(one, 'fetch:npm:express');
    expect(await other.lease('fetch:npm:express', TTL)).toBeUndefined();
    expect(await one.lease('fetch:npm:express', TTL)).toBeUndefined();
    await (await taken(other, 'fetch:npm:lodash')).release();
    await lease.release();
    await (await taken(other, 'fetch:npm:express')).release();
  });

  test('of many who ask at once for a lease one gets it', async () => {
    const leases = await Promise.all(Array.from({ length: 50 }, (_, n) => (n % 2 ? one : other).lease('l', TTL)));
    expect(leases.filter(Boolean)).toHaveLength(1);
  });

  test('many who take turns are never two at a time', async () => {
    let [inside, most, turns] = [0, 0, 0];
    const turn = async (by: Coordination): Promise<void> => {
      for (;;) {
        const lease = await by.lease('turns', TTL);
        if (!lease) {
          await by.released('turns', NEVER);
          continue;
        }
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((resolve) => setTimeout(resolve, 2));
        inside -= 1;
        turns += 1;
        return lease.release();
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, n) => turn(n % 2 ? one : other)));
    expect([most, turns]).toEqual([1, 20]);
  });

  test('each lease has a greater fence than all before it', async () => {
    const fences: number[] = [];
    for (const [by, name] of [
      [one, 'a'],
      [other, 'a'],
      [one, 'b'],
      [other, 'a'],
    ] as const) {
      const lease = await taken(by, name);
      fences.push(lease.fence);
      await lease.release();
    }
    expect(fences).toEqual([...new Set(fences)].sort((a, b) => a - b));
    expect(fences.every(Number.isSafeInteger)).toBe(true);
  });

  test('a lease that is used for long is kept', async () => {
    const lease = await one.lease('long', 150);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await other.lease('long', 150)).toBeUndefined();
    expect(lease?.lost.aborted).toBe(false);
    await lease?.release();
  });

  test('letting go twice takes nothing from who has it next', async () => {
    const lease = await taken(one, 'l');
    await lease.release();
    const next = await taken(other, 'l');
    await lease.release();
    expect(await one.lease('l', TTL)).toBeUndefined();
    await next.release();
  });

  test('who waits for a lease hears when it is let go, and does not wait for one that nobody has', async () => {
    await one.released('free', NEVER);
    const lease = await taken(one, 'l');
    let heard = 0;
    const waiting = [one, other, other].map((by) => by.released('l', NEVER).then(() => (heard += 1)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heard).toBe(0);
    await lease.release();
    await Promise.all(waiting);
  });

  test('who waits can give up', async () => {
    await taken(one, 'l');
    for (const by of [one, other]) await by.released('l', AbortSignal.timeout(30));
    for (const by of [one, other]) await by.released('l', AbortSignal.abort());
  });

  test('who leaves takes his leases with him', async () => {
    const leaving = await participants.join();
    await taken(leaving, 'l');
    await leaving.close();
    await (await taken(one, 'l')).release();
  });

  test('what is said is heard by the others, as it was said, and not by who said it', async () => {
    const heard: [string, Json][] = [];
    one.subscribe('news', (message) => heard.push(['one', message]));
    other.subscribe('news', (message) => heard.push(['other', message]));
    other.subscribe('weather', (message) => heard.push(['weather', message]));
    const message = { repository: 'npm', paths: ['@a/b', 'ü'], n: 1.5, none: null, flag: true };
    await one.publish('news', message);
    await other.publish('news', 'back');
    await expect
      .poll(() => heard)
      .toEqual([
        ['other', message],
        ['one', 'back'],
      ]);
  });

  test('who listens no more hears no more', async () => {
    const heard: Json[] = [];
    const stop = other.subscribe('news', (message) => heard.push(message));
    other.subscribe('after', () => heard.push('end'));
    stop();
    await one.publish('news', 'unheard');
    await one.publish('after', null);
    await expect.poll(() => heard).toEqual(['end']);
  });

  test('what is put is there for all, for as long as was said', async () => {
    await one.put('breaker:https://upstream.test', { until: 5 }, 60_000);
    expect(await other.get('breaker:https://upstream.test')).toEqual({ until: 5 });
    expect(await one.get('none')).toBeUndefined();
    await other.put('breaker:https://upstream.test', 'other', 60_000);
    expect(await one.get('breaker:https://upstream.test')).toBe('other');
    await one.put('short', 1, 40);
    await expect.poll(() => other.get('short')).toBeUndefined();
  });

  test('nobody is alone', async () => {
    expect([one.state, await one.alone()]).toEqual(['ok', undefined]);
  });
}
