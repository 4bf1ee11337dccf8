import { type Client, CommandError } from './client.ts';
import type { Outcome } from './preflight.ts';
import { table } from './print.ts';

/** What the server is asked: rules as they would be declared, and such as would go. */
export interface Proposal {
  readonly resources?: readonly object[];
  readonly remove?: readonly object[];
  readonly days?: number;
}

interface Tallied {
  readonly pulls: number;
  readonly packages: number;
  readonly releases: number;
  readonly consumers: number;
  readonly by_consumer: readonly {
    readonly consumer?: string;
    readonly principal: string;
    readonly pulls: number;
    readonly releases: number;
  }[];
  readonly by_release: readonly {
    readonly what: string;
    readonly pulls: number;
    readonly consumers: number;
    readonly rule: string;
    readonly reason: string;
  }[];
}

interface Simulated {
  readonly since: string;
  readonly pulls: number;
  readonly refused: Tallied;
  readonly admitted: Tallied;
  readonly released: {
    readonly versions: number;
    readonly items: readonly { readonly purl: string; readonly repository: string; readonly rule: string }[];
  };
}

interface Line {
  readonly progress?: { readonly pulls: number; readonly of: number };
  readonly result?: Simulated;
  readonly problem?: { readonly detail: string };
}

/** Has the recorded pulls judged by the proposed rules. Throws `CommandError` when that does not end with a result. */
export async function simulate(client: Client, proposal: Proposal, progress: (text: string) => void): Promise<Outcome> {
  const response = await client.send('api/v2/simulate', {
    method: 'POST',
    body: proposal,
    accept: 'application/x-ndjson',
  });
  try {
    for await (const line of linesOf(response)) {
      if (line.problem) throw new CommandError(line.problem.detail);
      if (line.progress) progress(`${line.progress.pulls} of ${line.progress.of} pulls`);
      if (line.result) return { data: line.result, text: report(line.result), refused: line.result.refused.pulls };
    }
  } finally {
    progress('');
  }
  throw new CommandError('the answer broke off before its result');
}

async function* linesOf(response: Response): AsyncIterable<Line> {
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (text + chunk).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as Line;
  }
}

function report({ since, pulls, refused, admitted, released }: Simulated): string {
  return [
    told('WOULD BE REFUSED', refused),
    refused.pulls === 0
      ? ''
      : `${table(
          ['FOR', 'BY', 'PULLS', 'RELEASES'],
          refused.by_consumer.map(({ consumer, principal, ...counts }) => [
            consumer,
            principal,
            counts.pulls,
            counts.releases,
          ]),
        )}\n`,
    told('WOULD BE ADMITTED', admitted),
    released.versions === 0
      ? ''
      : `${table(
          ['WOULD BE RELEASED', 'IN', 'HELD BY'],
          released.items.map(({ purl, repository, rule }) => [purl, repository, rule]),
        )}\n`,
    `${pulls} pulls since ${since}: ${refused.pulls} would be refused, ${admitted.pulls} more admitted, `,
    `${released.versions} held versions released\n`,
  ].join('');
}

function told(head: string, { pulls, by_release: releases }: Tallied): string {
  if (pulls === 0) return '';
  const rows = releases.map(({ what, pulls, consumers, rule, reason }) => [what, pulls, consumers, rule, reason]);
  return `${table([head, 'PULLS', 'CONSUMERS', 'RULE', 'WHY'], rows)}\n`;
}
