import type { Reply } from '../engine/answer/serve.ts';
import type { Fault } from '../engine/fault.ts';
import type { Target } from '../engine/format.ts';
import type { RequestKind } from '../engine/metrics.ts';
import { note } from '../engine/trail.ts';

/** What a request asks for, as far as its address says. */
export function noteTarget({ kind }: Target): void {
  note({ kind: kind === 'derived' || kind === 'alias' ? 'index' : kind });
}

/** What it is answered with. */
export function noteReply(reply: Reply): void {
  const answered: Record<Reply['kind'], RequestKind> = { rendition: 'index', content: 'artifact', body: 'call' };
  note({ kind: answered[reply.kind], result: cacheOf(reply) ?? 'passed', decision: 'allowed' });
}

export function noteFault({ code, details }: Fault): void {
  const { rule, decision, member } = details;
  note({
    result: code,
    ...(code === 'withheld' ? { decision: 'refused' } : {}),
    ...(rule === undefined ? {} : { rule }),
    ...(decision === undefined ? {} : { decisionId: decision }),
    ...(typeof member === 'string' ? { member } : {}),
  });
}

function cacheOf(reply: Reply): string | undefined {
  if (reply.kind === 'body') return undefined;
  return reply.kind === 'rendition' ? reply.cache : reply.content.cache;
}
