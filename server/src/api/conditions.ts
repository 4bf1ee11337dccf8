import type { IncomingHttpHeaders } from 'node:http';
import type { Expected } from '../app/change.ts';
import { wrong } from './query.ts';

/** What `If-Match` and `If-None-Match` ask to hold (RFC 9110 §13.1). Undefined: nothing. */
export function expectedOf(headers: IncomingHttpHeaders): Expected | undefined {
  const match = headers['if-match'];
  const none = headers['if-none-match'];
  if (match !== undefined && none !== undefined) {
    throw wrong([{ path: ['If-None-Match'], message: 'stands against If-Match: send one of them' }]);
  }
  if (none !== undefined) {
    if (none.trim() !== '*') throw wrong([{ path: ['If-None-Match'], message: 'must be * here: create only' }]);
    return { state: 'absent', otherwise: 'precondition_failed' };
  }
  if (match === undefined) return undefined;
  if (match.trim() === '*') return { state: 'present' };
  return { state: 'at', revisions: match.split(',').map(revisionOf) };
}

/** A revision with or without its quotes; weak tags never match (RFC 9110 §8.8.3.2), which no revision is either: -1. */
function revisionOf(tag: string): number {
  const [, quoted, plain] = /^\s*(?:"(\d{1,15})"|(\d{1,15}))\s*$/.exec(tag) ?? [];
  return Number(quoted ?? plain ?? -1);
}
