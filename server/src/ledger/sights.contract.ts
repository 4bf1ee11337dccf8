import { expect, test } from 'vitest';
import type { Harness } from './contract-harness.ts';
import { objectRow } from './samples.ts';
import type { Sights } from './sights.ts';

const IMAGE = { repository: 'images', format: 'oci', name: 'team/app' } as const;

export function sightContract(harness: () => Harness): void {
  const record = (sights: Omit<Sights, 'repository' | 'format' | 'name'>) =>
    harness().ledger.recordSights({ ...IMAGE, ...sights });
  const resolved = (at: number, tag: string, version: string, listing?: readonly string[]) =>
    record({ at, releases: [{ version, tag }], ...(listing === undefined ? {} : { listing }) });
  const carried = (at: number, version: string, children: readonly string[], parts = children) =>
    record({ at, releases: [version, ...children].map((one) => ({ version: one })), carrier: { version, parts } });
  const seen = async () =>
    Object.fromEntries(
      (await harness().ledger.seen(IMAGE.repository, IMAGE.name)).map(({ version, firstSeenAt, baseline }) => [
        version,
        `${firstSeenAt}${baseline ? ' baseline' : ''}`,
      ]),
    );
  const meant = async (tag: string) =>
    (await harness().ledger.meanings(IMAGE.repository, IMAGE.name))
      .filter((one) => one.tag === tag)
      .map(({ version }) => version);

  test('what a name of the first listing means first is in the baseline; what it means later was seen then', async () => {
    await resolved(10, 'v1', 'a', ['v1', 'v2']);
    await resolved(20, 'v1', 'b', ['v1', 'v2', 'v3']);
    await resolved(30, 'v2', 'c');
    await resolved(40, 'v3', 'd');
    expect(await seen()).toEqual({ a: '10 baseline', b: '20', c: '30 baseline', d: '40' });
    expect(await meant('v1')).toEqual(['b', 'a']);
    expect(await harness().ledger.isListed(IMAGE.repository, IMAGE.name)).toBe(true);
  });

  test('a listing without names is the first one too', async () => {
    await resolved(10, 'v1', 'a', []);
    await resolved(20, 'v1', 'a', ['v1']);
    expect(await seen()).toEqual({ a: '10' });
  });

  test('until the listing can be had nothing is in the baseline; then what its names mean already is', async () => {
    await resolved(10, 'v1', 'a');
    await resolved(11, 'gone', 'b');
    expect(await harness().ledger.isListed(IMAGE.repository, IMAGE.name)).toBe(false);
    expect(await seen()).toEqual({ a: '10', b: '11' });
    await resolved(20, 'v2', 'c', ['v1', 'v2']);
    expect(await seen()).toEqual({ a: '10 baseline', b: '11', c: '20 baseline' });
  });

  test('a name that goes back to what it meant before means that last', async () => {
    for (const [at, version] of ['a', 'b', 'b', 'a', 'a'].entries()) await resolved(at, 'v1', version, ['v1']);
    expect(await meant('v1')).toEqual(['a', 'b']);
    expect(await seen()).toEqual({ a: '0 baseline', b: '1' });
  });

  test('a clock that jumps back does not change what a name meant last', async () => {
    await resolved(1000, 'v1', 'a');
    await resolved(500, 'v1', 'b');
    expect(await meant('v1')).toEqual(['b', 'a']);
  });

  test('what was asked for before a name of the first listing meant it is in the baseline from then on', async () => {
    await harness().ledger.recordObject(objectRow({ ...IMAGE, path: 'x', version: 'a', fetchedAt: 5 }));
    await resolved(10, 'v1', 'a', ['v1']);
    expect(await seen()).toEqual({ a: '5 baseline' });
  });

  test('what a release names by its bytes is as old as it is, if it is not older', async () => {
    await resolved(10, 'v1', 'top', ['v1']);
    await record({ at: 5, releases: [{ version: 'other' }], carrier: { version: 'other', parts: [] } });
    await carried(30, 'top', ['child', 'other']);
    expect(await seen()).toEqual({ top: '10 baseline', child: '10 baseline', other: '5 baseline' });
    await carried(40, 'young', ['child', 'new']);
    expect(await seen()).toMatchObject({ young: '40', new: '40', child: '10 baseline' });
    await record({ at: 50, releases: [{ version: 'late' }], carrier: { version: 'late', parts: [] } });
    await carried(60, 'young', ['late']);
    expect(await seen()).toMatchObject({ late: '40' });
  });

  test('who names a digest is known, those seen first before the others, for one package only', async () => {
    const { ledger } = harness();
    await carried(20, 'second', [], ['base', 'second top']);
    await carried(10, 'first', [], ['base', 'base', 'first top']);
    await carried(10, 'first', [], ['base', 'first top']);
    expect(await ledger.carriers(IMAGE.repository, IMAGE.name, 'base')).toEqual(['first', 'second']);
    expect(await ledger.carriers(IMAGE.repository, IMAGE.name, 'second top')).toEqual(['second']);
    expect(await ledger.carriers(IMAGE.repository, 'team/other', 'base')).toEqual([]);
    expect(await ledger.carriers('other', IMAGE.name, 'base')).toEqual([]);
  });

  test('of what refers to a release only what did so at first is as old as the first listing', async () => {
    await resolved(10, 'v1', 'a', ['v1']);
    await record({ at: 20, releases: [{ version: 'signature' }], beside: 'a' });
    await record({ at: 30, releases: [{ version: 'signature' }, { version: 'sbom' }], beside: 'a' });
    await record({ at: 40, releases: [], beside: 'b' });
    await record({ at: 50, releases: [{ version: 'other' }], beside: 'b' });
    expect(await seen()).toEqual({ a: '10 baseline', signature: '20 baseline', sbom: '30', other: '50' });
  });

  test('all of it is there after an eviction, and for the next ledger on the database', async () => {
    const { ledger, again } = harness();
    await resolved(10, 'v1', 'a', ['v1']);
    await carried(11, 'a', [], ['layer']);
    await ledger.evict({ repository: IMAGE.repository, all: true });
    const other = await again();
    expect(await other.seen(IMAGE.repository, IMAGE.name)).toEqual([{ version: 'a', firstSeenAt: 10, baseline: true }]);
    expect(await other.meanings(IMAGE.repository, IMAGE.name)).toEqual([{ tag: 'v1', version: 'a', since: 10 }]);
    expect(await other.carriers(IMAGE.repository, IMAGE.name, 'layer')).toEqual(['a']);
    expect(await other.isListed(IMAGE.repository, IMAGE.name)).toBe(true);
    await other.close();
  });

  test('ten thousand names in a first listing', async () => {
    const names = Array.from({ length: 10_000 }, (_, n) => `v${n}`);
    await resolved(10, 'v9999', 'a', names);
    expect(await seen()).toEqual({ a: '10 baseline' });
  });
}
