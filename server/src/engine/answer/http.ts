import type { IncomingMessage } from 'node:http';
import Negotiator from 'negotiator';
import type { Encoding } from './renditions.ts';

/** Encodings the client takes, best for us first; `identity` is always possible. */
export function acceptedEncodings(request: IncomingMessage): readonly Encoding[] {
  if (request.headers['accept-encoding'] === undefined) return [];
  const accepted = new Negotiator(request).encodings(['br', 'gzip', 'identity']);
  return (['br', 'gzip'] as const).filter((encoding) => accepted.includes(encoding));
}

/** Whether `If-None-Match` names the tag (weak comparison, RFC 9110 §13.1.2). */
export function matchesNone(header: string, tag: string): boolean {
  if (header === '*') return true;
  for (const candidate of header.split(',')) {
    const trimmed = candidate.trim();
    if ((trimmed.startsWith('W/') ? trimmed.slice(2) : trimmed) === `"${tag}"`) return true;
  }
  return false;
}

/** Whether the client's copy is current: `If-None-Match`, and only without it `If-Modified-Since` (RFC 9110 §13.2.2). */
export function notModified(request: IncomingMessage, tag: string, lastModified: string | undefined): boolean {
  const none = request.headers['if-none-match'];
  if (none !== undefined) return matchesNone(none, tag);
  const since = request.headers['if-modified-since'];
  if (since === undefined || lastModified === undefined) return false;
  return Date.parse(lastModified) <= Date.parse(since);
}

export type ByteRange = { readonly start: number; readonly end: number };

/**
 * The one range of `Range: bytes=…`, end exclusive; undefined: answer with everything (no range, a unit or a set of ranges
 * we do not serve, an `If-Range` that does not hold); 'unsatisfiable': answer 416 (RFC 9110 §14).
 */
export function rangeOf(
  request: IncomingMessage,
  size: number,
  tag: string,
  lastModified: string | undefined,
): ByteRange | 'unsatisfiable' | undefined {
  const asked = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range?.trim() ?? '');
  if (!asked || (asked[1] === '' && asked[2] === '')) return undefined;
  if (!holds(request.headers['if-range'], tag, lastModified)) return undefined;
  if (asked[1] === '') {
    const last = Number(asked[2]);
    return last === 0 || size === 0 ? 'unsatisfiable' : { start: Math.max(0, size - last), end: size };
  }
  const start = Number(asked[1]);
  const end = asked[2] === '' ? size : Math.min(Number(asked[2]) + 1, size);
  if (asked[2] !== '' && Number(asked[2]) < start) return undefined;
  return start >= size ? 'unsatisfiable' : { start, end };
}

/** Strong comparison only (RFC 9110 §13.1.5). */
function holds(header: string | string[] | undefined, tag: string, lastModified: string | undefined): boolean {
  if (header === undefined) return true;
  if (typeof header !== 'string') return false;
  return header.startsWith('"') ? header === `"${tag}"` : lastModified !== undefined && header === lastModified;
}

/** A reason phrase: printable ASCII, one line, not long (RFC 9112 §4). */
export function reasonPhrase(message: string, longest = 200): string {
  return message.replace(/[^\x20-\x7e]+/g, ' ').slice(0, longest);
}
