import { expect, test } from 'vitest';
import type { Age } from './evidence.ts';
import { cooldown, DAY, exemption, freeze, lodash, NOW } from './fixtures.ts';
import { allowedUnknown, allWithheld, blockedBy, cooledBy, datedBy, frozenBy, liftedBy } from './sentences.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const blocked = (reason: string, url?: string) =>
  blockedBy({ name: 'bad', packages: [], reason, ...(url === undefined ? {} : { url }) }, lodash(), true);
const cooled = (age: Age, until: number | undefined = NOW) => cooledBy(cooldown({}), lodash(), age, until, NOW);
const ago = (milliseconds: number) =>
  / published (.*) ago;/.exec(cooled({ source: 'server', at: NOW - milliseconds }))?.[1];

test.each([
  [MINUTE - 1, 'less than a minute'],
  [MINUTE, '1 minute'],
  [HOUR - 1, '59 minutes'],
  [HOUR, '1 hour'],
  [2 * DAY - 1, '47 hours'],
  [2 * DAY, '2 days'],
  [800 * DAY, '800 days'],
])('%d ms are %s', (milliseconds, words) => {
  expect(ago(milliseconds)).toBe(words);
});

test('a moment is told as the first whole minute that is not before it', () => {
  const from = (until: number | undefined) =>
    /admits it from (.*)$/.exec(cooled({ source: 'server', at: NOW }, until))?.[1];
  expect(from(NOW)).toBe('2026-11-25 12:00 UTC');
  expect(from(NOW + 1)).toBe('2026-11-25 12:01 UTC');
  expect(from(Date.UTC(12_345, 0, 1))).toBe('+012345-01-01 00:00 UTC');
  expect(from(1e300)).toBe('an impossible time');
});

test('what is known of its age is told, and every doubt about it', () => {
  expect(cooled({ source: 'first-seen', at: NOW - DAY })).toMatch(/^lodash 4\.18\.0 was first seen 24 hours ago; /);
  const rejected = [
    { source: 'server', at: NOW + DAY, why: 'future' },
    { source: 'last-modified', at: 0, why: 'epoch' },
    { source: 'author', at: NOW - DAY, why: 'author' },
    { source: 'first-seen', at: NOW + DAY, why: 'future' },
  ] as const;
  expect(cooled({ source: 'none', rejected })).toBe(
    'lodash 4.18.0 has no known time of publication (the index says 2026-11-26 12:00 UTC, which is in the future; ' +
      'Last-Modified says 1970-01-01 00:00 UTC, which is no time of publication; ' +
      'its author says 2026-11-24 12:00 UTC, which he could have backdated; ' +
      'it was first seen 2026-11-26 12:00 UTC, which is in the future); the cooldown "default" withholds it',
  );
});

test('a freeze says from when on it admits nothing, and until when it holds', () => {
  const may = freeze('2026-05-11T00:00:00Z', { expiresAt: NOW, reason: 'an incident' });
  const rule = 'the freeze "may" admits nothing from 2026-05-11 00:00 UTC on, until 2026-11-25 12:00 UTC: an incident';
  expect(frozenBy(may, lodash(), { source: 'server', at: NOW })).toBe(
    `lodash 4.18.0 was published on 2026-11-25 12:00 UTC; ${rule}`,
  );
  expect(frozenBy(may, lodash(), { source: 'none' })).toBe(`lodash 4.18.0 has no known time of publication; ${rule}`);
  expect(frozenBy(may, lodash(), { source: 'baseline', at: NOW })).toBe(
    `lodash 4.18.0 became public at a time nobody knows, before it was first seen; ${rule}`,
  );
});

test('what is let through says what lets it', () => {
  expect(allowedUnknown(cooldown({}), lodash(), { source: 'none' })).toBe(
    'lodash 4.18.0 has no known time of publication; the cooldown "default" allows that',
  );
  expect(liftedBy(exemption([], { reason: 'CVE' }), 'freeze', 'may', lodash())).toBe(
    'lodash 4.18.0 is admitted: the exemption "hotfix" lifts the freeze "may" until 2026-11-26 12:00 UTC: CVE',
  );
});

test('a whole package that is withheld says how much of it, and what comes first', () => {
  expect(allWithheld('left-pad', 12, 'too young', true)).toBe(
    'all 12 releases of left-pad are withheld; the first to be admitted: too young',
  );
  expect(allWithheld('a'.repeat(300), 2, 'too young', false)).toBe(
    `all 2 releases of ${'a'.repeat(200)} are withheld: too young`,
  );
});

test.each<[Age, string | undefined]>([
  [{ source: 'server', at: NOW }, 'Its index dates it 2026-11-25 12:00 UTC.'],
  [{ source: 'author', at: NOW }, 'Its author dates it 2026-11-25 12:00 UTC.'],
  [{ source: 'last-modified', at: NOW }, 'Its Last-Modified is 2026-11-25 12:00 UTC.'],
  [{ source: 'first-seen', at: NOW }, 'It was first seen here on 2026-11-25 12:00 UTC.'],
  [{ source: 'baseline', at: NOW }, undefined],
  [{ source: 'none' }, undefined],
])('%o is told as %s', (age, sentence) => {
  expect(datedBy(age)).toBe(sentence);
});

test('its package is named with its namespace, cut where it is long; a file of none by its path', () => {
  const label = (parts: Parameters<typeof lodash>[0]) =>
    blockedBy({ name: 'bad', packages: [] }, lodash(parts), true).replace(' is blocked by "bad"', '');
  expect(label({ package: { type: 'npm', namespace: '@acme', name: 'app', version: '1.0.0' } })).toBe(
    '@acme/app 1.0.0',
  );
  expect(label({ package: { type: 'npm', name: 'app' } })).toBe('app');
  const long = { type: 'npm', namespace: 'n'.repeat(150), name: 'a'.repeat(150), version: '1'.repeat(100) };
  expect(label({ package: long })).toBe(`${'n'.repeat(150)}/${'a'.repeat(49)} ${'1'.repeat(80)}`);
  const { package: _package, ...file } = lodash({ path: 'p'.repeat(300) });
  expect(blockedBy({ name: 'bad', packages: [] }, file, true)).toBe(`${'p'.repeat(200)} is blocked by "bad"`);
});

test('reasons are told without what surrounds them, and not at all where there is nothing in them', () => {
  expect(blocked(' It steals wallets. ')).toBe('lodash 4.18.0 is blocked by "bad": It steals wallets');
  expect(blocked('See the wiki... then ask')).toBe('lodash 4.18.0 is blocked by "bad": See the wiki... then ask');
  expect(blocked('  ')).toBe('lodash 4.18.0 is blocked by "bad"');
  expect(blocked('bad', 'https://x.test')).toBe('lodash 4.18.0 is blocked by "bad": bad (https://x.test)');
});

test('a sentence is a line of ASCII of 600 characters at most', () => {
  const before = 'lodash 4.18.0 is blocked by "bad": '.length;
  expect(blocked('a'.repeat(600 - before))).toMatch(/a{3}$/);
  const cut = blocked('a'.repeat(601 - before));
  expect(cut).toHaveLength(600);
  expect(cut).toMatch(/a{3}\.\.\.$/);
  expect(blocked('é\n\t x\u0000')).toBe('lodash 4.18.0 is blocked by "bad": e x?');
});
