import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alertContract } from './alerts.contract.ts';
import type { Harness } from './contract-harness.ts';
import { decisionContract } from './decisions.contract.ts';
import { hostedContract } from './hosted.contract.ts';
import { type Listing, type ResourceChange, RevisionConflict } from './ledger.ts';
import { evictionContract, objectContract } from './objects.contract.ts';
import { pullContract } from './pulls.contract.ts';
import { replicaContract } from './replicas.contract.ts';
import { objectRow } from './samples.ts';
import { sightContract } from './sights.contract.ts';
import { blobContract, useContract } from './space.contract.ts';

/** What every ledger database must do. `open` makes an empty one. */
export function ledgerContract(name: string, open: () => Promise<Harness>): void {
  describe(name, () => {
    let harness: Harness;
    beforeEach(async () => {
      harness = await open();
    });
    afterEach(() => harness.close());

    describe('resources', () => resourceContract(() => harness));
    describe('objects', () => objectContract(() => harness));
    describe('eviction', () => evictionContract(() => harness));
    describe('what was used when', () => useContract(() => harness));
    describe('blobs that nothing means', () => blobContract(() => harness));
    describe('several processes', () => replicaContract(() => harness));
    describe('what was published', () => hostedContract(() => harness));
    describe('listings', () => listingContract(() => harness));
    describe('sights', () => sightContract(() => harness));
    describe('pulls', () => pullContract(() => harness));
    describe('decisions and events', () => decisionContract(() => harness));
    describe('alerts', () => alertContract(() => harness));
    describe('the rest', () => restContract(() => harness));
  });
}

const put = (name: string, given: Partial<ResourceChange & { op: 'put' }> = {}): ResourceChange => ({
  op: 'put',
  kind: 'remote',
  name,
  spec: { format: 'npm', url: 'https://upstream.test' },
  managedBy: 'api',
  ...given,
});

function resourceContract(harness: () => Harness): void {
  test('what was declared comes back as it was declared', async () => {
    const { ledger } = harness();
    const spec = { zeta: 1, alpha: [true, null, { deep: 'ünï \u0000 code' }], format: 'npm' };
    const [row] = await ledger.change([put('npm-public', { spec })], 5000);
    expect(row).toEqual({
      kind: 'remote',
      name: 'npm-public',
      spec,
      revision: 1,
      managedBy: 'api',
      retiring: false,
      createdAt: 5000,
      updatedAt: 5000,
    });
    expect(await ledger.resources()).toEqual([row]);
    expect(JSON.stringify((await ledger.resources())[0]?.spec)).toBe(JSON.stringify(spec));
  });

  test('every change of any resource is one revision more, also after deletions', async () => {
    const { ledger } = harness();
    const made = await ledger.change([put('b'), put('a')], 1);
    expect(made.map(({ name, revision }) => [name, revision])).toEqual([
      ['b', 1],
      ['a', 2],
    ]);
    await ledger.change([{ op: 'delete', kind: 'remote', name: 'a', expect: 2 }], 2);
    const [changed] = await ledger.change([put('b', { retiring: true, managedBy: 'file' })], 3);
    expect(changed).toMatchObject({ revision: 4, createdAt: 1, updatedAt: 3, retiring: true, managedBy: 'file' });
    expect(await ledger.resources()).toEqual([changed]);
    expect(await ledger.change([put('c')], 4)).toMatchObject([{ revision: 5 }]);
  });

  test.each<[string, ResourceChange, number | 'absent']>([
    ['an old revision', put('there', { expect: 7 }), 1],
    ['absence', put('there', { expect: 'absent' }), 1],
    ['presence', put('missing', { expect: 1 }), 'absent'],
    ['an old revision to delete', { op: 'delete', kind: 'remote', name: 'there', expect: 9 }, 1],
    ['presence to delete', { op: 'delete', kind: 'remote', name: 'missing', expect: 1 }, 'absent'],
  ])('a change that expects %s in vain changes nothing at all', async (_, wrong, actual) => {
    const { ledger } = harness();
    const before = await ledger.change([put('there')], 1);
    const attempt = ledger.change([put('other'), wrong], 2);
    await expect(attempt).rejects.toBeInstanceOf(RevisionConflict);
    await expect(attempt).rejects.toMatchObject({ kind: 'remote', resource: wrong.name, actual });
    expect(await ledger.resources()).toEqual(before);
    expect(await ledger.change([put('next')], 3)).toMatchObject([{ revision: 2 }]);
  });

  test('of two changes that expect the same revision one wins', async () => {
    const { ledger } = harness();
    await ledger.change([put('there')], 1);
    const attempts = await Promise.allSettled(
      [1, 2, 3, 4].map((n) => ledger.change([put('there', { spec: { n }, expect: 1 })], n)),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await ledger.resources()).toMatchObject([{ revision: 2 }]);
  });

  test('the log will commit to every change, without its secrets', async () => {
    const { ledger, rows } = harness();
    await ledger.change([put('a', { spec: { auth: { token: 'hush' } } })], 1);
    await ledger.change([{ op: 'delete', kind: 'remote', name: 'a' }], 2);
    const pending = await rows<{ leaf: string }>('SELECT leaf FROM log_pending ORDER BY id');
    expect(pending.map(({ leaf }) => JSON.parse(leaf))).toEqual([
      { op: 'put', kind: 'remote', name: 'a', revision: 1, spec: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { op: 'delete', kind: 'remote', name: 'a', revision: 2 },
    ]);
  });
}

function listingContract(harness: () => Harness): void {
  const listing = (at: number, ...releases: Listing['releases']): Listing => ({
    repository: 'npm-public',
    format: 'npm',
    name: 'express',
    at,
    releases,
  });
  const releases = async () =>
    (
      await harness().rows<Record<string, unknown>>(
        'SELECT version, first_seen_at, baseline, published_at, published_by, yanked FROM "release" ORDER BY version',
      )
    ).map((row) => ({ ...row, baseline: Boolean(row['baseline']), yanked: Boolean(row['yanked']) }));
  const none = { published_at: null, published_by: null, yanked: false };

  test('the first listing is the baseline, what comes later was first seen then', async () => {
    const { ledger } = harness();
    await ledger.recordListing(listing(10, { version: '1' }, { version: '2', publishedAt: 5, publishedBy: 'server' }));
    await ledger.recordListing(
      listing(20, { version: '1', yanked: true }, { version: '2' }, { version: '3' }, { version: '3' }),
    );
    expect(await releases()).toEqual([
      { ...none, version: '1', first_seen_at: 10, baseline: true, yanked: true },
      { ...none, version: '2', first_seen_at: 10, baseline: true, published_at: 5, published_by: 'server' },
      { ...none, version: '3', first_seen_at: 20, baseline: false },
    ]);
    expect(await ledger.stats()).toMatchObject({ packages: 1, releases: 3 });
  });

  test('a file seen before its package was listed stands in the baseline of that listing', async () => {
    const { ledger } = harness();
    await ledger.recordObject(objectRow({ version: '1', fetchedAt: 5 }));
    await ledger.recordObject(objectRow({ version: '2', fetchedAt: 6 }));
    await ledger.recordListing(listing(10, { version: '1' }));
    await ledger.recordListing(listing(20, { version: '2', yanked: false }));
    expect(await releases()).toEqual([
      { ...none, version: '1', first_seen_at: 5, baseline: true },
      { ...none, version: '2', first_seen_at: 6, baseline: false },
    ]);
  });

  test('the date of a file is what its upstream said first, and no other upstream’s', async () => {
    const { ledger } = harness();
    await ledger.recordFileDates('central', 'https://upstream.test', [
      { path: 'a.pom', at: 10 },
      { path: 'b.pom', at: 20 },
      { path: 'b.pom', at: 20 },
    ]);
    await ledger.recordFileDates('central', 'https://upstream.test', [{ path: 'a.pom', at: 30 }]);
    const many = Array.from({ length: 1200 }, (_, at) => `${at}.pom`);
    const dates = await ledger.fileDates('central', 'https://upstream.test', ['a.pom', ...many, 'b.pom', 'c.pom']);
    expect(dates.toSorted((one, other) => one.at - other.at)).toEqual([
      { path: 'a.pom', at: 10 },
      { path: 'b.pom', at: 20 },
    ]);
    expect(await ledger.fileDates('central', 'https://other.test', ['a.pom'])).toEqual([]);
    expect(await ledger.fileDates('elsewhere', 'https://upstream.test', ['a.pom'])).toEqual([]);
  });

  test('an empty listing is a first listing too', async () => {
    const { ledger } = harness();
    await ledger.recordListing(listing(10));
    await ledger.recordListing(listing(20, { version: '1' }));
    expect(await releases()).toEqual([{ ...none, version: '1', first_seen_at: 20, baseline: false }]);
  });

  test('of first listings at the same time one is the first', async () => {
    const { ledger, again } = harness();
    const other = await again();
    await Promise.all([
      ledger.recordListing(listing(10, { version: 'a' })),
      other.recordListing(listing(10, { version: 'b' })),
    ]);
    await other.close();
    expect((await releases()).filter(({ baseline }) => baseline)).toHaveLength(1);
  });

  test('ten thousand releases in one listing', async () => {
    const { ledger } = harness();
    const many = Array.from({ length: 10_000 }, (_, n) => ({ version: `1.0.${n}`, publishedAt: n }));
    await ledger.recordListing(listing(10, ...many));
    await ledger.recordListing(listing(20, ...many));
    expect(await ledger.stats()).toMatchObject({ releases: 10_000 });
  });
}

function restContract(harness: () => Harness): void {
  test('facts are remembered, also by the next ledger on the database', async () => {
    const { ledger, again } = harness();
    expect(await ledger.fact('defaults')).toBeUndefined();
    await ledger.setFact('defaults', 'npm');
    await ledger.setFact('defaults', 'npm pypi');
    const other = await again();
    expect(await other.fact('defaults')).toBe('npm pypi');
    await other.close();
  });

  test('a fact that several claim at once is what the first of them says, to all of them', async () => {
    const { ledger, again } = harness();
    const other = await again();
    const claims = Array.from({ length: 10 }, (_, n) => (n % 2 ? ledger : other).claimFact('key', String(n)));
    const [first, ...rest] = await Promise.all(claims);
    expect(new Set(rest)).toEqual(new Set([first]));
    expect(await other.fact('key')).toBe(first);
    await other.close();
  });

  test('an empty ledger counts nothing', async () => {
    expect(await harness().ledger.stats()).toEqual({
      objects: 0,
      blobs: 0,
      bytes: 0,
      packages: 0,
      releases: 0,
      pulls: 0,
      byRepository: [],
    });
  });

  test('what is there is counted by repository', async () => {
    const { ledger } = harness();
    await ledger.recordObject(objectRow({ size: 10 }));
    await ledger.recordObject(objectRow({ size: 10, repository: 'mirror' }));
    await ledger.recordObject(objectRow({ version: '5', size: 5_000_000_000 }));
    expect(await ledger.stats()).toEqual({
      objects: 3,
      blobs: 2,
      bytes: 5_000_000_010,
      packages: 2,
      releases: 3,
      pulls: 0,
      byRepository: [
        { repository: 'mirror', objects: 1, bytes: 10 },
        { repository: 'npm-public', objects: 2, bytes: 5_000_000_010 },
      ],
    });
  });

  test('a ledger that works says so, again and again', async () => {
    for (let time = 0; time < 3; time += 1) await harness().ledger.check();
  });
}
