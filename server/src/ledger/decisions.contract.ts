import { expect, test } from 'vitest';
import type { Harness } from './contract-harness.ts';
import type { PullFilter, PullGroup } from './ledger.ts';
import { pullsOf } from './pulls-of.ts';
import { objectRow, pullRow } from './samples.ts';

const order = ({ id }: { id: string }): number => Number(id.slice(-12));

/** What rules said of pulls, what happened beside them, and what it takes to judge them again. */
export function decisionContract(harness: () => Harness): void {
  test('what a rule said of a pull comes back, and each ruling is found', async () => {
    const { ledger } = harness();
    const verdict = JSON.stringify({ reason: 'ü', until: 5 });
    const rows = [
      pullRow(1),
      pullRow(2, { decision: 'refused', cache: 'none', rule: 'block/x', verdict }),
      pullRow(3, { observed: 'cooldown/trial', verdict }),
      pullRow(4, { rule: 'exemption/x', observed: 'cooldown/trial', verdict }),
      pullRow(5, { decision: 'refused', cache: 'none', role: 'index' }),
    ];
    await ledger.loadPulls(rows, { segment: 's', offset: 1 });
    const found = async (ruling: NonNullable<PullFilter['ruling']>) =>
      (await ledger.pulls({ ruling }, { limit: 9 })).map(order);
    expect(await found('refused')).toEqual([5, 2]);
    expect(await found('observed')).toEqual([4, 3]);
    expect(await found('exempted')).toEqual([4]);
    expect(await found('any')).toEqual([5, 4, 3, 2]);
    expect(await ledger.pull(String(rows[3]?.id))).toEqual(rows[3]);
    expect(await ledger.pull('nobody')).toBeUndefined();
  });

  test('events and pulls are read on from where a reader is, each once, by kind and repository', async () => {
    const { ledger } = harness();
    const event = (at: number, kind: string, repository = 'npm') => ({ at, kind, repository, details: `{"n":${at}}` });
    const start = await ledger.feedEnd();
    await ledger.recordEvents([event(1, 'fetched'), event(2, 'changed', '')]);
    await ledger.loadPulls([pullRow(1), pullRow(2, { decision: 'refused', repository: 'other' })], {
      segment: 's',
      offset: 1,
    });
    const middle = await ledger.feedEnd();
    await ledger.recordEvents([event(3, 'evicted')]);
    await ledger.loadPulls([pullRow(3, { observed: 'cooldown/trial' })], { segment: 's', offset: 2 });
    const end = await ledger.feedEnd();
    const read = async (given: object) => {
      const { events, pulls } = await ledger.feed({ after: start, until: end, limit: 10, ...given });
      return [events.map(({ kind }) => kind), pulls.map(order)];
    };
    expect(await read({})).toEqual([
      ['fetched', 'changed', 'evicted'],
      [1, 2, 3],
    ]);
    expect(await read({ after: middle })).toEqual([['evicted'], [3]]);
    expect(await read({ until: middle })).toEqual([
      ['fetched', 'changed'],
      [1, 2],
    ]);
    expect(await read({ kinds: ['refused', 'evicted'] })).toEqual([['evicted'], [2]]);
    expect(await read({ kinds: ['observed'] })).toEqual([[], [3]]);
    expect(await read({ repository: 'other' })).toEqual([[], [2]]);
    const page = await ledger.feed({ after: start, until: end, limit: 1 });
    expect(page).toMatchObject({ events: [event(1, 'fetched')], pulls: [{ requestId: 'request-1' }] });
    const next = await ledger.feed({ after: page.reached, until: end, limit: 10 });
    expect([next.events.map(({ kind }) => kind), next.pulls.map(order)]).toEqual([
      ['changed', 'evicted'],
      [2, 3],
    ]);
    expect((await ledger.feed({ after: next.reached, until: end, limit: 10 })).pulls).toEqual([]);
  });

  test('what is older than is kept is forgotten, and a reader begins after it', async () => {
    const { ledger } = harness();
    const event = (at: number) => ({ at, kind: 'fetched', repository: 'npm', details: '{}' });
    await ledger.recordEvents([event(10), event(20), event(30)]);
    await ledger.loadPulls([pullRow(1, { at: 10 }), pullRow(2, { at: 30 })], { segment: 's', offset: 1 });
    const from = await ledger.feedSince(20);
    const until = await ledger.feedEnd();
    const { events, pulls } = await ledger.feed({ after: from, until, limit: 10 });
    expect([events.map(({ at }) => at), pulls.map(order)]).toEqual([[20, 30], [2]]);
    expect(await ledger.feedSince(1_000)).toEqual(until);
    await ledger.forgetEvents(30);
    const all = await ledger.feed({ after: { event: 0, pull: 0 }, until, limit: 10 });
    expect(all.events.map(({ at }) => at)).toEqual([30]);
    await ledger.recordEvents([event(40)]);
    expect((await ledger.feedEnd()).event).toBe(until.event + 1);
  });

  test('pulls come in slices, those of one file together, none twice and none left out', async () => {
    const { ledger } = harness();
    const rows = Array.from({ length: 60 }, (_, n) =>
      pullRow(n, { at: 1000 + Math.floor(n / 7), version: `${n % 3}.0.0`, ...(n % 2 ? { consumer: 'ci' } : {}) }),
    );
    await ledger.loadPulls([pullRow(99, { at: 5 }), ...rows], { segment: 's', offset: 1 });
    expect(await ledger.pullsSince(1000, 1_000_000)).toEqual({ count: 60, since: 1000 });
    const newest = await ledger.pullsSince(1000, 10);
    expect(newest.since).toBe(1008);
    expect(newest.count).toBe(4);
    const groups: PullGroup[] = [];
    let slices = 0;
    for (let from = 1000; from < 2000; slices += 1) {
      const slice = await ledger.pullSlice(from, 2000, 10);
      groups.push(...slice.groups);
      from = slice.end;
    }
    expect(slices).toBeGreaterThan(3);
    expect(groups.reduce((sum, { pulls }) => sum + pulls, 0)).toBe(60);
    const told = groups.flatMap((group) => pullsOf(group).map(({ at, consumer }) => `${at} ${consumer}`));
    expect(told.sort()).toEqual(rows.map(({ at, consumer }) => `${at} ${consumer}`).sort());
    const [first] = groups;
    expect(first).toMatchObject({
      repository: 'npm',
      member: 'npm-public',
      package: 'pkg:npm/express',
      role: 'package',
    });
    const { groups: all } = await ledger.pullSlice(1000, 2000, 1000);
    expect(all).toHaveLength(3);
    expect(Math.min(...all.map(({ first: at }) => at))).toBe(1000);
    expect(Math.max(...all.map(({ last }) => last))).toBe(1008);
  });

  test('a millisecond with more pulls than a slice has is one slice', async () => {
    const { ledger } = harness();
    await ledger.loadPulls(
      Array.from({ length: 30 }, (_, n) => pullRow(n, { at: 1000 + (n === 29 ? 1 : 0) })),
      { segment: 's', offset: 1 },
    );
    const first = await ledger.pullSlice(1000, 2000, 10);
    expect([first.end, first.groups[0]?.pulls]).toEqual([1001, 29]);
    const second = await ledger.pullSlice(first.end, 2000, 10);
    expect([second.end, second.groups[0]?.pulls]).toEqual([2000, 1]);
  });

  test('what is known of files and releases is found for many at once', async () => {
    const { ledger } = harness();
    const many = Array.from({ length: 600 }, (_, n) => `none-${n}`);
    await ledger.recordObject(
      objectRow({ publishedAt: 5, publishedBy: 'server', lastModified: 'Thu, 01 Jan 2026 00:00:00 GMT' }),
    );
    await ledger.recordFileDates('npm-public', 'https://upstream.test', [{ path: 'dated.jar', at: 77 }]);
    const path = 'express/-/express-4.18.2.tgz';
    const facts = await ledger.fileFacts('npm-public', [...many, path, 'dated.jar']);
    expect(facts).toHaveLength(2);
    expect(facts).toContainEqual({ path: 'dated.jar', modifiedAt: 77 });
    expect(facts).toContainEqual({
      path,
      name: 'express',
      publishedAt: 5,
      publishedBy: 'server',
      lastModified: 'Thu, 01 Jan 2026 00:00:00 GMT',
    });
    const releases = [{ version: '1.0.0', publishedAt: 3, publishedBy: 'author' as const }, { version: '2.0.0' }];
    await ledger.recordListing({ repository: 'npm-public', format: 'npm', name: 'left', at: 50, releases });
    const [one, two] = await ledger.knownReleases('npm-public', [...many, 'left']);
    const known = { name: 'left', firstSeenAt: 50, baseline: true };
    expect([one, two]).toEqual([
      { ...known, version: '1.0.0', publishedAt: 3, publishedBy: 'author' },
      { ...known, version: '2.0.0' },
    ]);
    const asked = [...many.map((name) => [name, '1.0.0'] as const), ['left', '2.0.0'] as const];
    expect(await ledger.releaseFacts('npm-public', asked)).toEqual([two]);
    expect(await ledger.releaseFacts('elsewhere', asked)).toEqual([]);
    expect(await ledger.fileFacts('elsewhere', [path])).toEqual([]);
  });
}
