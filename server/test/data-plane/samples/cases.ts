import type { Quirk } from '../../support/fake-upstream-quirks.ts';
import { DAY } from './stand.ts';

export interface Case {
  readonly name: string;
  readonly quirk: Quirk;
  /** In the fault's message. */
  readonly says?: RegExp;
}

const status = (code: number, says = new RegExp(String(code))): Case => ({
  name: String(code),
  quirk: { kind: 'status', status: code },
  says,
});

/** How a fault says it. */
export const ABSENT = /has no|lists/;

/** The upstream's word that there is none. */
export const ABSENCES: readonly Case[] = [404, 410, 451].map((code) => status(code, ABSENT));

/** Answers of an upstream that cannot say. */
export const OUTAGES: readonly Case[] = [
  status(401, /401.*credentials/),
  status(403, /403.*credentials/),
  { name: '429', quirk: { kind: 'status', status: 429, retryAfter: 7 }, says: /429/ },
  status(500),
  status(503),
  status(204),
  { name: '206 to a request without Range', quirk: { kind: 'partial' }, says: /206/ },
  { name: 'a dropped connection', quirk: { kind: 'drop' }, says: /closed the connection/ },
  { name: 'a redirect in a circle', quirk: { kind: 'redirect', to: 'loop' }, says: /circle/ },
  { name: 'a redirect to a file', quirk: { kind: 'redirect', to: 'file:///etc/passwd' }, says: /scheme file/ },
];

/** It is an outage only where nothing was asked under a condition. */
export const UNCHANGED: Case = {
  name: '304 to a request without conditions',
  quirk: { kind: 'status', status: 304 },
  says: /304/,
};

/** What ends in a timeout, which takes its time. */
export const SILENCES: readonly Case[] = [
  { name: 'silence', quirk: { kind: 'slow', firstByteMs: 5000 }, says: /did not answer/ },
  { name: 'a body that stops', quirk: { kind: 'slow', pieceMs: 5000, pieceSize: 10 } },
];

/** Not one byte of a body arrives. */
export const BODILESS: Case = { name: 'headers without a body', quirk: { kind: 'truncated', after: 0 } };

/** The body is right, and what is said of it is not: to see that is as good as to refuse it. */
export const MISLABELLED: Case = { name: 'a Content-Encoding it is not in', quirk: { kind: 'packed', but: 'not' } };

/** Bodies that say by themselves that they are not whole. */
export const BROKEN: readonly Case[] = [
  { name: 'half of the body', quirk: { kind: 'truncated' } },
  { name: 'half of the body, in chunks', quirk: { kind: 'truncated', chunked: true } },
  { name: 'a Content-Length that is too long', quirk: { kind: 'wrong_length', by: 100 } },
  { name: 'a body without end', quirk: { kind: 'endless' } },
  { name: 'a gzip bomb', quirk: { kind: 'gzip_bomb', size: 20_000_000 } },
  { name: 'half of a gzip', quirk: { kind: 'packed', but: 'half' } },
];

/** Bodies that are whole, and something else. */
export const LOGIN_PAGE: Case = { name: 'a login page', quirk: { kind: 'login_page' } };
export const NO_BYTES: Case = { name: 'no bytes', quirk: { kind: 'empty' } };

/** Odd, and none of it a reason not to be served. */
export const ODD: readonly Case[] = [
  { name: 'no validators', quirk: { kind: 'no_validators' } },
  { name: 'another ETag every time, weak or strong', quirk: { kind: 'changing_etag' } },
  { name: 'a Last-Modified of next year', quirk: says({ 'last-modified': httpDate(365 * DAY) }) },
  { name: 'a Date of yesterday', quirk: says({ date: httpDate(-DAY) }) },
  { name: 'dates that are none', quirk: says({ date: 'now', 'last-modified': 'then' }) },
  { name: 'no Content-Type', quirk: says({ 'content-type': undefined }) },
  { name: 'no Content-Length', quirk: says({ 'content-length': undefined }) },
  { name: 'gzip', quirk: { kind: 'packed' } },
  { name: 'an answer that takes its time', quirk: { kind: 'slow', firstByteMs: 20 } },
];

function says(headers: Readonly<Record<string, string | undefined>>): Quirk {
  return { kind: 'says', headers };
}

function httpDate(fromNow: number): string {
  return new Date(Date.now() + fromNow).toUTCString();
}
