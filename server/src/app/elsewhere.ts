import type { IncomingMessage } from 'node:http';
import type { Reply } from '../engine/answer/serve.ts';
import type { Target } from '../engine/format.ts';
import type { Repository } from '../engine/repository.ts';
import type { Content } from '../engine/source.ts';
import { storing } from '../engine/stored.ts';
import type { Blob } from '../store/store.ts';

/** Seconds for which an address is good: to begin with the transfer, not to end it. */
const GOOD_FOR = 60;

/**
 * The reply with the address where the store itself shows the file: of whole files of packages, for clients that follow.
 * What is short or belongs to an index is sent from here, and so is a range, whose client knows where it began.
 */
export function elsewhere(
  { method, headers }: IncomingMessage,
  { format }: Repository,
  target: Target,
  reply: Reply,
): Reply {
  if (reply.kind !== 'content' || method !== 'GET' || headers.range !== undefined) return reply;
  if (target.kind !== 'artifact' || target.role !== 'package' || format.traits.redirects === false) return reply;
  const { body, type } = reply.content;
  if (!isShown(body)) return reply;
  return { ...reply, elsewhere: () => storing(body.redirect(GOOD_FOR, { type })) };
}

function isShown(body: Content['body']): body is Blob & Required<Pick<Blob, 'redirect'>> {
  return 'redirect' in body && typeof body.redirect === 'function';
}
