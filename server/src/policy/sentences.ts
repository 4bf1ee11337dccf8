import type { Candidate } from './decision.ts';
import type { Age, Rejected } from './evidence.ts';
import type { Block, Cooldown, Exemption, Freeze } from './policy.ts';

const LONGEST = 600;

/** `lodash 4.18.0 is blocked by "malware": steals wallets (https://example.test/advisory)` */
export function blockedBy(block: Block, candidate: Candidate, certain: boolean): string {
  const doubt = certain ? '' : ': whether it is one of the versions meant cannot be told';
  const { reason, url } = block;
  return line(`${label(candidate)} is blocked by "${block.name}"${doubt}${because(reason)}${url ? ` (${url})` : ''}`);
}

/** `lodash 4.18.0 was published on 2026-05-12 10:00 UTC; the freeze "may" admits nothing from 2026-05-11 00:00 UTC on` */
export function frozenBy(freeze: Freeze, candidate: Candidate, age: Age): string {
  const when = age.at === undefined || age.source === 'baseline' ? '' : ` on ${time(age.at)}`;
  const end = freeze.expiresAt === undefined ? '' : `, until ${time(freeze.expiresAt)}`;
  const rule = `the freeze "${freeze.name}" admits nothing from ${time(freeze.before)} on${end}`;
  return line(`${label(candidate)} ${became(age, when)}; ${rule}${because(freeze.reason)}`);
}

/** `lodash 4.18.0 was published 2 days ago; the cooldown "default" admits it from 2026-11-28 12:00 UTC` */
export function cooledBy(
  cooldown: Cooldown,
  candidate: Candidate,
  age: Age,
  until: number | undefined,
  now: number,
): string {
  const ago = age.at === undefined ? '' : ` ${span(now - age.at)} ago`;
  const rule = `the cooldown "${cooldown.name}"`;
  const verdict = age.source === 'none' ? `${rule} withholds it` : `${rule} admits it from ${time(until)}`;
  return line(`${label(candidate)} ${became(age, ago)}; ${verdict}`);
}

export function allowedUnknown(cooldown: Cooldown, candidate: Candidate, age: Age): string {
  return line(`${label(candidate)} ${became(age, '')}; the cooldown "${cooldown.name}" allows that`);
}

export function liftedBy(exemption: Exemption, kind: string, name: string, candidate: Candidate): string {
  const what = `the exemption "${exemption.name}" lifts the ${kind} "${name}" until ${time(exemption.expiresAt)}`;
  return line(`${label(candidate)} is admitted: ${what}${because(exemption.reason)}`);
}

function label({ package: of, path }: Candidate): string {
  if (!of) return path.slice(0, 200);
  const name = of.namespace ? `${of.namespace}/${of.name}` : of.name;
  return `${name.slice(0, 200)}${of.version === undefined ? '' : ` ${of.version.slice(0, 80)}`}`;
}

function became(age: Age, when: string): string {
  if (age.source === 'none') return `has no known time of publication${doubts(age.rejected)}`;
  if (age.source === 'baseline') return 'became public at a time nobody knows, before it was first seen';
  return `${age.source === 'first-seen' ? 'was first seen' : 'was published'}${when}${doubts(age.rejected)}`;
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
  return `${date
    .toISOString()
    .replace(/:\d\d\.\d+Z$/, '')
    .replace('T', ' ')} UTC`;
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
  return reason === undefined || reason.trim() === '' ? '' : `: ${reason.trim()}`;
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
