import { expect, test } from 'vitest';
import type { Harness } from './contract-harness.ts';
import type { RaisedAlert } from './ledger.ts';

const alert = (given: Partial<RaisedAlert> = {}): RaisedAlert => ({
  kind: 'claimed_name',
  repository: 'npm',
  member: 'npm-public',
  name: '@acme/app',
  at: 1000,
  details: { rule: 'virtual/npm.claims' },
  ...given,
});

export function alertContract(harness: () => Harness): void {
  test('an alert is news once, and knows when it was seen last', async () => {
    const { ledger } = harness();
    expect(await ledger.raiseAlert(alert())).toBe(true);
    expect(await ledger.raiseAlert(alert({ at: 2000, details: { rule: 'other' } }))).toBe(false);
    const { at: _, ...key } = alert();
    expect(await ledger.alerts({}, { limit: 10 })).toEqual([
      { id: expect.any(Number), ...key, since: 1000, lastSeenAt: 2000, details: { rule: 'other' } },
    ]);
  });

  test('one that ended is news again when it comes back', async () => {
    const { ledger } = harness();
    await ledger.raiseAlert(alert());
    await ledger.endAlert(alert(), 2000);
    await ledger.endAlert(alert(), 3000);
    expect(await ledger.alerts({ state: 'ended' }, { limit: 10 })).toMatchObject([{ since: 1000, endedAt: 2000 }]);
    expect(await ledger.alerts({ state: 'current' }, { limit: 10 })).toEqual([]);
    expect(await ledger.raiseAlert(alert({ at: 4000 }))).toBe(true);
    const [row] = await ledger.alerts({ state: 'current' }, { limit: 10 });
    expect(row).toMatchObject({ since: 4000, lastSeenAt: 4000 });
    expect(row).not.toHaveProperty('endedAt');
  });

  test('alerts are found by what they are about, the newest first, page by page', async () => {
    const { ledger } = harness();
    for (const name of ['a', 'b', 'c']) await ledger.raiseAlert(alert({ name }));
    await ledger.raiseAlert(alert({ kind: 'hosted_name', repository: 'pypi', member: 'x' }));
    const names = async (...asked: Parameters<typeof ledger.alerts>) =>
      (await ledger.alerts(...asked)).map(({ name }) => name);
    expect(await names({ kind: 'claimed_name' }, { limit: 2 })).toEqual(['c', 'b']);
    const [, second] = await ledger.alerts({ repository: 'npm' }, { limit: 2 });
    expect(await names({ repository: 'npm' }, { limit: 2, after: second?.id ?? 0 })).toEqual(['a']);
    expect(await names({ member: 'x', name: '@acme/app' }, { limit: 2 })).toEqual(['@acme/app']);
    expect(await names({ name: 'nothing' }, { limit: 2 })).toEqual([]);
  });

  test('packages that were listed are named in order, page by page, of one repository', async () => {
    const { ledger } = harness();
    for (const [repository, name] of [
      ['a', 'zeta'],
      ['a', '@acme/app'],
      ['b', 'other'],
      ['a', 'Upper'],
    ] as const)
      await ledger.recordListing({ repository, format: 'npm', name, at: 1, releases: [{ version: '1.0.0' }] });
    expect(await ledger.packageNames('a', { limit: 2 })).toEqual(['@acme/app', 'Upper']);
    expect(await ledger.packageNames('a', { limit: 2, after: 'Upper' })).toEqual(['zeta']);
  });
}
