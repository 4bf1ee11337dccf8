import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DeclaredRepository } from '../../engine/declared.ts';
import { formats } from '../../formats/all.ts';
import type { Ledger, PullRow } from '../../ledger/ledger.ts';
import { openSqliteLedger } from '../../ledger/sqlite.ts';
import { decide } from '../../policy/decide.ts';
import type { Policy } from '../../policy/policy.ts';
import { policyOf } from '../policy.ts';
import { Simulation } from './simulation.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 4, 31);
const SINCE = NOW - 30 * DAY;
const PULLS = 100_000;
const PACKAGES = 60;
const VERSIONS = 12;
const CONSUMERS = 25;

const byId = new Map(formats.map((format) => [format.id, format]));
const npm = formats.find(({ traits }) => traits.mount === 'npm');
const declared: readonly DeclaredRepository[] = [
  { kind: 'remote', name: 'public', spec: { format: 'npm' } },
  { kind: 'hosted', name: 'private', spec: { format: 'npm' } },
  { kind: 'virtual', name: 'npm', spec: { format: 'npm', members: ['private', 'public'] } },
];

const rule = (kind: string, name: string, spec: object) => ({
  kind,
  name,
  spec: { name, ...spec },
  revision: 1,
  managedBy: 'api' as const,
  retiring: false,
  createdAt: 0,
  updatedAt: 0,
});
const CURRENT = policyOf([
  rule('cooldown', 'short', { default: '3d' }),
  rule('block', 'bad', { packages: ['pkg:npm/p7@1.2.0'] }),
]);
const PROPOSED = policyOf([
  rule('cooldown', 'long', { default: '10d', packages: { 'pkg:npm/p3': '0' } }),
  rule('exemption', 'some', {
    packages: ['pkg:npm/p5'],
    reason: 'x',
    expires_at: new Date(NOW - 5 * DAY).toISOString(),
  }),
  rule('freeze', 'late', { before: new Date(NOW - 4 * DAY).toISOString(), repositories: ['npm'] }),
]);

/** The same numbers each time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const nameOf = (n: number) => `p${n}`;
const publishedAt = (n: number, v: number) => NOW - ((n * 7 + v * 5) % 50) * DAY - n * 3_600_000;

let folder: string;
let ledger: Ledger;
const rows: PullRow[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrepot-simulation-'));
  ledger = await openSqliteLedger(join(folder, 'entrepot.db'));
  for (let n = 0; n < PACKAGES; n += 1) {
    const releases = Array.from({ length: VERSIONS }, (_, v) => ({
      version: `1.${v}.0`,
      publishedAt: publishedAt(n, v),
      publishedBy: 'server' as const,
    }));
    for (const repository of ['public', 'private'])
      await ledger.recordListing({ repository, format: 'npm', name: nameOf(n), at: SINCE - 60 * DAY, releases });
  }
  const random = numbers(42);
  const upTo = (most: number) => Math.floor(random() * most);
  for (let order = 0; order < PULLS; order += 1) {
    const [n, v, at] = [upTo(PACKAGES), upTo(VERSIONS), SINCE + upTo(30 * DAY)];
    const isRefused = random() < 0.1;
    rows.push({
      id: `00000000-0000-7000-8000-${String(order).padStart(12, '0')}`,
      at: Math.max(at, publishedAt(n, v)),
      repository: random() < 0.8 ? 'npm' : 'public',
      member: random() < 0.9 ? 'public' : 'private',
      format: 'npm',
      path: `${nameOf(n)}/-/${nameOf(n)}-1.${v}.0.tgz`,
      role: 'package',
      package: `pkg:npm/${nameOf(n)}`,
      version: `1.${v}.0`,
      cache: isRefused ? 'none' : 'hit',
      decision: isRefused ? 'refused' : 'allowed',
      principal: 'anonymous',
      ...(random() < 0.9 ? { consumer: `ci/${upTo(CONSUMERS)}` } : {}),
      requestId: `r${order}`,
    });
  }
  for (let from = 0; from < PULLS; from += 10_000)
    await ledger.loadPulls(rows.slice(from, from + 10_000), { segment: 's', offset: from + 1 });
}, 120_000);

afterAll(async () => {
  await ledger.close();
  await rm(folder, { recursive: true, force: true });
});

/** One pull after the other, as its guard would. */
function refused(row: PullRow, policy: Policy): boolean {
  const [n, v] = [Number(row.package?.slice('pkg:npm/p'.length)), Number(row.version?.split('.')[1])];
  const decision = decide(
    {
      format: 'npm',
      dated: 'index',
      repositories: row.repository === 'npm' ? [String(row.member), 'npm'] : [String(row.member), 'npm', 'public'],
      package: { type: 'npm', name: nameOf(n), version: row.version },
      path: row.path,
      ...(npm?.versions ? { versions: npm.versions } : {}),
      firstParty: row.member === 'private',
      evidence: {
        index: { at: publishedAt(n, v), by: 'server' },
        firstSeen: { at: SINCE - 60 * DAY, baseline: true },
      },
    },
    policy,
    row.at,
  );
  return !decision.allowed;
}

const simulated = (given: object = {}) =>
  new Simulation(
    { ledger, formats: byId },
    { current: CURRENT, proposed: PROPOSED, declared, since: SINCE, now: NOW + 1, ...given },
  ).run();

test('a hundred thousand pulls come to what judging each by itself comes to', async () => {
  const [newly, anew] = [rows.slice(0, 0), rows.slice(0, 0)];
  for (const row of rows) {
    const [is, would] = [refused(row, CURRENT), refused(row, PROPOSED)];
    if (would && !is) newly.push(row);
    if (is && !would) anew.push(row);
  }
  const found = await simulated();
  expect(found).toMatchObject({ pulls: PULLS, truncated: false });
  expect([newly.length, anew.length].every((count) => count > 100)).toBe(true);
  for (const [tally, expected] of [
    [found.refused, newly],
    [found.admitted, anew],
  ] as const) {
    const byConsumer = Map.groupBy(expected, ({ consumer }) => consumer);
    const byRelease = Map.groupBy(expected, ({ package: of, version }) => `${of}@${version}`);
    expect(tally).toMatchObject({
      pulls: expected.length,
      releases: byRelease.size,
      packages: new Set(expected.map((row) => row.package)).size,
      consumers: byConsumer.size,
    });
    for (const { consumer, pulls } of tally.by_consumer) expect(byConsumer.get(consumer)).toHaveLength(pulls);
    for (const { what, pulls } of tally.by_release) expect(byRelease.get(what)).toHaveLength(pulls);
    expect(tally.by_consumer).toHaveLength(CONSUMERS + 1);
    expect(tally.by_release).toHaveLength(Math.min(100, byRelease.size));
  }
});

test('of what is held now it says what would be released, and nothing of what is published here', async () => {
  const nothing = await simulated({ proposed: CURRENT });
  expect(nothing.released).toEqual({ versions: 0, packages: 0, items: [] });
  const young: string[] = [];
  for (let n = 0; n < PACKAGES; n += 1)
    for (let v = 0; v < VERSIONS; v += 1)
      if (publishedAt(n, v) > NOW + 1 - 3 * DAY || (n === 7 && v === 2)) young.push(`pkg:npm/${nameOf(n)}@1.${v}.0`);
  const found = await simulated({ proposed: policyOf([]) });
  // A block refuses also what is published here.
  expect(found.released.versions).toBe(young.length + 1);
  expect(new Set(found.released.items.map(({ purl }) => purl))).toEqual(new Set(young));
});

test('of too many pulls the newest are looked at, and it says so', async () => {
  const found = await simulated({ newest: 1000 });
  expect(found.truncated).toBe(true);
  expect(found.pulls).toBeLessThanOrEqual(1000);
  expect(found.pulls).toBeGreaterThan(900);
  expect(Date.parse(found.since)).toBeGreaterThan(SINCE);
  const few = await simulated({ releases: 10 });
  expect(few.truncated).toBe(true);
});

test('others get their turn while it works, and it stops when nobody waits any more', async () => {
  let turns = 0;
  const ticking = setInterval(() => {
    turns += 1;
  }, 1);
  const progress: number[] = [];
  await new Simulation(
    { ledger, formats: byId },
    { current: CURRENT, proposed: PROPOSED, declared, since: SINCE, now: NOW + 1 },
  ).run(({ pulls, of }) => progress.push(pulls / of));
  clearInterval(ticking);
  expect(turns).toBeGreaterThan(10);
  expect(progress.length).toBeGreaterThan(3);
  expect(progress.at(-1)).toBe(1);
  const stopped = new Simulation(
    { ledger, formats: byId },
    { current: CURRENT, proposed: PROPOSED, declared, since: SINCE, now: NOW + 1 },
  ).run(() => {}, AbortSignal.abort(new Error('nobody waits')));
  await expect(stopped).rejects.toThrow('nobody waits');
});
