import { expect, test } from 'vitest';
import type { Harness } from './contract-harness.ts';
import { digestOf, pullRow } from './samples.ts';

export function pullContract(harness: () => Harness): void {
  const ids = async (filter: object, page: { limit?: number; after?: string } = {}): Promise<number[]> =>
    (await harness().ledger.pulls(filter, { limit: 100, ...page })).map(({ id }) => Number(id.slice(-12)));

  test('a pull comes back as it was, newest first', async () => {
    const { ledger } = harness();
    const full = pullRow(2, { consumer: 'ci/42', rule: 'week', aborted: true, decision: 'refused', cache: 'none' });
    const bare = {
      id: pullRow(1).id,
      at: 1,
      repository: 'files',
      format: 'generic',
      path: 'a b',
      role: 'package',
      cache: 'miss',
      decision: 'allowed',
      principal: 'user:1',
      requestId: 'r',
    } as const;
    await ledger.loadPulls([bare, full], { segment: 's', offset: 10 });
    expect(await ledger.pulls({}, { limit: 10 })).toEqual([full, bare]);
  });

  test('a batch loaded twice is there once', async () => {
    const { ledger } = harness();
    await ledger.loadPulls([pullRow(1), pullRow(2)], { segment: 's', offset: 10 });
    await ledger.loadPulls([pullRow(2), pullRow(3)], { segment: 's', offset: 20 });
    expect(await ids({})).toEqual([3, 2, 1]);
    expect(await ledger.stats()).toMatchObject({ pulls: 3 });
  });

  test('every filter, alone and together', async () => {
    const { ledger } = harness();
    const other = { package: 'pkg:npm/other', version: '4.18.2' };
    await ledger.loadPulls(
      [
        pullRow(1),
        pullRow(2, { version: '5.0.0', consumer: 'ci/1' }),
        pullRow(3, { ...other, principal: 'user:7', decision: 'refused' }),
        pullRow(4, { repository: 'elsewhere', consumer: 'ci/1' }),
      ],
      { segment: 's', offset: 1 },
    );
    expect(await ids({ package: 'pkg:npm/express' })).toEqual([4, 2, 1]);
    expect(await ids({ package: 'pkg:npm/express', version: '4.18.2' })).toEqual([4, 1]);
    expect(await ids({ digest: digestOf('other@4.18.2') })).toEqual([3]);
    expect(await ids({ repository: 'npm' })).toEqual([3, 2, 1]);
    expect(await ids({ principal: 'user:7' })).toEqual([3]);
    expect(await ids({ consumer: 'ci/1' })).toEqual([4, 2]);
    expect(await ids({ decision: 'refused' })).toEqual([3]);
    expect(await ids({ decision: 'allowed' })).toEqual([4, 2, 1]);
    expect(await ids({ since: 1_000_002, until: 1_000_004 })).toEqual([3, 2]);
    expect(await ids({ consumer: 'ci/1', repository: 'npm', since: 0 })).toEqual([2]);
    expect(await ids({ principal: `' OR 1=1 --` })).toEqual([]);
  });

  test('pages follow each other without gap or repetition, also within one millisecond', async () => {
    const { ledger } = harness();
    const rows = Array.from({ length: 25 }, (_, n) => pullRow(n, { at: 1000 + Math.floor(n / 10) }));
    await ledger.loadPulls(rows, { segment: 's', offset: 1 });
    const seen: number[] = [];
    for (let after: string | undefined; ; ) {
      const page = await ledger.pulls({ repository: 'npm' }, { limit: 4, ...(after ? { after } : {}) });
      seen.push(...page.map(({ id }) => Number(id.slice(-12))));
      if (page.length < 4) break;
      after = page.at(-1)?.id;
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => 24 - n));
    expect(await ids({}, { after: 'no such pull' })).toEqual([]);
  });

  test('rows and the place in the journal are kept together', async () => {
    const { ledger } = harness();
    await ledger.loadPulls([pullRow(1)], { segment: 'b', offset: 10 });
    await ledger.loadPulls([pullRow(2)], { segment: 'a', offset: 20 });
    await ledger.loadPulls([], { segment: 'b', offset: 30 });
    expect(await ledger.journalPositions()).toEqual([
      { segment: 'a', offset: 20 },
      { segment: 'b', offset: 30 },
    ]);
    const broken = { ...pullRow(3), principal: undefined } as unknown as ReturnType<typeof pullRow>;
    await expect(ledger.loadPulls([pullRow(4), broken], { segment: 'b', offset: 99 })).rejects.toThrow();
    expect(await ids({})).toEqual([2, 1]);
    await ledger.forgetJournal('a');
    expect(await ledger.journalPositions()).toEqual([{ segment: 'b', offset: 30 }]);
  });

  test('lines of the journal are pulls, and those that are none come back', async () => {
    const { ledger } = harness();
    const { principal: _, ...incomplete } = pullRow(2);
    const lines = [
      JSON.stringify(pullRow(1, { client: 'ü' })),
      'torn {',
      JSON.stringify(incomplete),
      JSON.stringify(pullRow(3)),
    ];
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    expect(await ledger.loadJournal(bytes, { segment: 's', offset: bytes.length })).toEqual([lines[1], lines[2]]);
    expect(await ledger.pulls({}, { limit: 9 })).toEqual([pullRow(3), pullRow(1, { client: 'ü' })]);
    expect(await ledger.journalPositions()).toEqual([{ segment: 's', offset: bytes.length }]);
  });

  test('words no database keeps do not stop the others', async () => {
    const { ledger } = harness();
    const odd = 'client\u0000\ud800 \\u0000 "quoted"';
    await ledger.loadPulls([pullRow(1, { client: odd }), pullRow(2)], { segment: 's', offset: 1 });
    const [, first] = await ledger.pulls({}, { limit: 2 });
    expect(first?.client).toBe('client\uFFFD\uFFFD \\u0000 "quoted"');
  });
}
