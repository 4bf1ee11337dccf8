import type { Candidate } from './decision.ts';
import type { Age, Rejected } from './evidence.ts';
import type { Block, Cooldown, Exemption, Freeze } from './policy.ts';

const LONGEST = 600;

/** What a sentence calls its subject by. */
export type Labelled = Pick<Candidate, 'package' | 'path'>;

/** `lodash 4.18.0 is blocked by "malware": steals wallets (https://example.test/advisory)` */
export function blockedBy(block: Block, subject: Labelled, certain: boolean): string {
  const doubt = certain ? '' : ': whether it is one of the versions meant cannot be told';
  const { reason, url } = block;
  return line(`${label(subject)} is blocked by "${block.name}"${doubt}${because(reason)}${url ? ` (${url})` : ''}`);
}

/** `lodash 4.18.0 was published on 2026-05-12 10:00 UTC; the freeze "may" admits nothing from 2026-05-11 00:00 UTC on` */
export function frozenBy(freeze: Freeze, candidate: Candidate, age: Age): string {
  const end = freeze.expiresAt === undefined ? '' : `, until ${time(freeze.expiresAt)}`;
  const rule = `the freeze "${freeze.name}" admits nothing from ${time(freeze.before)} on${end}`;
  return line(`${label(candidate)} ${became(age, `on ${time(age.at)}`)}; ${rule}${because(freeze.reason)}`);
}

/** `lodash 4.18.0 was published 2 days ago; the cooldown "default" admits it from 2026-11-28 12:00 UTC` */
export function cooledBy(
  cooldown: Cooldown,
  candidate: Candidate,
  age: Age,
  until: number | undefined,
  now: number,
): string {
  const ago = `${span(now - (age.at ?? now))} ago`;
  const rule = `the cooldown "${cooldown.name}"`;
  const verdict = age.source === 'none' ? `${rule} withholds it` : `${rule} admits it from ${time(until)}`;
  return line(`${label(candidate)} ${became(age, ago)}; ${verdict}`);
}

export function allowedUnknown(cooldown: Cooldown, candidate: Candidate, age: Age): string {
  return line(`${label(candidate)} ${undated(age)}; the cooldown "${cooldown.name}" allows that`);
}

export function liftedBy(exemption: Exemption, kind: string, name: string, candidate: Candidate): string {
  const what = `the exemption "${exemption.name}" lifts the ${kind} "${name}" until ${time(exemption.expiresAt)}`;
  return line(`${label(candidate)} is admitted: ${what}${because(exemption.reason)}`);
}

/** `all 12 releases of left-pad are withheld; the first to be admitted: left-pad 1.3.0 was published 2 days ago; …` */
export function allWithheld(name: string, count: number, reason: string, ends: boolean): string {
  const first = ends ? '; the first to be admitted' : '';
  return line(`all ${count} releases of ${name.slice(0, 200)} are withheld${first}: ${reason}`);
}

/** Who says when it became public, and when that was: a sentence; undefined: nobody does. */
export function datedBy({ source, at }: Age): string | undefined {
  const says = WITNESSES[source];
  return says === undefined ? undefined : `${says} ${time(at)}.`;
}

const WITNESSES: Readonly<Partial<Record<Age['source'], string>>> = {
  server: 'Its index dates it',
  author: 'Its author dates it',
  'last-modified': 'Its Last-Modified is',
  'first-seen': 'It was first seen here on',
};

function label({ package: of, path }: Labelled): string {
  if (!of) return path.slice(0, 200);
  const name = of.namespace ? `${of.namespace}/${of.name}` : of.name;
  return `${name.slice(0, 200)}${of.version === undefined ? '' : ` ${of.version.slice(0, 80)}`}`;
}

function became(age: Age, when: string): string {
  if (age.source === 'none') return undated(age);
  if (age.source === 'baseline') return 'became public at a time nobody knows, before it was first seen';
  return `${age.source === 'first-seen' ? 'was first seen' : 'was published'} ${when}${doubts(age.rejected)}`;
}

function undated({ rejected }: Age): string {
  return `has no known time of publication${doubts(rejected)}`;
}

const SOURCES: Readonly<Record<Rejected['source'], string>> = {
  server: 'the index says',
  author: 'its author says',
  'last-modified': 'Last-Modified says',
  'first-seen': 'it was first seen',
};
const REASONS: Readonly<Record<Rejected['why'], string>> = {
  future: 'which is in the future',
  epoch: 'which is no time of publication',
  author: 'which he could have backdated',
};

function doubts(rejected: readonly Rejected[] = []): string {
  if (rejected.length === 0) return '';
  return ` (${rejected.map(({ source, at, why }) => `${SOURCES[source]} ${time(at)}, ${REASONS[why]}`).join('; ')})`;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The first whole minute that is not before it. */
function time(at: number | undefined): string {
  const date = new Date(Math.ceil((at ?? Number.NaN) / MINUTE) * MINUTE);
  if (Number.isNaN(date.getTime())) return 'an impossible time';
  return `${date.toISOString().slice(0, -':00.000Z'.length).replace('T', ' ')} UTC`;
}

function span(milliseconds: number): string {
  if (milliseconds < MINUTE) return 'less than a minute';
  if (milliseconds < HOUR) return counted(milliseconds / MINUTE, 'minute');
  return milliseconds < 2 * DAY ? counted(milliseconds / HOUR, 'hour') : counted(milliseconds / DAY, 'day');
}

function counted(amount: number, unit: string): string {
  const count = Math.floor(amount);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

function because(reason: string | undefined): string {
  const said = reason?.trim().replace(/\.$/, '');
  return said ? `: ${said}` : '';
}

/** One line of ASCII, which is all that a status line and every terminal can show. */
function line(text: string): string {
  const ascii = text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[^\x20-\x7e]/gu, '?');
  return ascii.length > LONGEST ? `${ascii.slice(0, LONGEST - 3)}...` : ascii;
}
