import { Controller, Get, Inject, Param, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Fault } from '../engine/fault.ts';
import { rulingOfColumns } from '../engine/guard/ruling.ts';
import type { Ledger, PullFilter, PullRow } from '../ledger/ledger.ts';
import type { Objection } from '../policy/decision.ts';
import type { Age } from '../policy/evidence.ts';
import { JOURNAL, LEDGER } from './dependencies.ts';
import { afterOf, pullFilter, SUBJECTS } from './pull-filter.ts';
import { shown as pullShown } from './pull-rows.ts';
import { limitOf, PAGE, paged, Query } from './query.ts';

const RULINGS = ['refused', 'observed', 'exempted'] as const;

/** What rules decided, as they decided it: also when the rule is gone. */
@Controller('api/v2/decisions')
export class DecisionsController {
  readonly #journal: { drain(): Promise<void> };
  readonly #ledger: Pick<Ledger, 'pull' | 'pulls'>;

  constructor(
    @Inject(JOURNAL) journal: { drain(): Promise<void> },
    @Inject(LEDGER) ledger: Pick<Ledger, 'pull' | 'pulls'>,
  ) {
    this.#journal = journal;
    this.#ledger = ledger;
  }

  @Get()
  async list(@Req() request: FastifyRequest): Promise<object> {
    const query = new Query(request.url, [...PAGE, ...SUBJECTS, 'decision']);
    const [limit, after] = [limitOf(query), afterOf(query)];
    const ruling = query.oneOf('decision', RULINGS);
    const filter: PullFilter = { ...pullFilter(query), ruling: ruling ?? 'any' };
    await this.#journal.drain();
    const rows = await this.#ledger.pulls(filter, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
    const { items, ...next } = paged(rows, limit, ({ id }) => id);
    return { items: items.map(shown), ...next };
  }

  @Get(':id')
  async read(@Param('id') id: string, @Req() request: FastifyRequest): Promise<object> {
    new Query(request.url, []);
    await this.#journal.drain();
    const row = await this.#ledger.pull(id);
    if (!row || decisionOf(row) === undefined)
      throw new Fault('not_found', `there is no decision ${JSON.stringify(id)}`);
    return shown(row);
  }
}

function decisionOf({ decision, rule, observed }: PullRow): 'refused' | 'observed' | 'exempted' | undefined {
  if (decision === 'refused') return 'refused';
  if (rule !== undefined) return 'exempted';
  return observed === undefined ? undefined : 'observed';
}

function shown(row: PullRow): object {
  const { reason, until, evidence, revision, observed } = rulingOfColumns(row) ?? {};
  const decided = { reason, revision, ...dated({ until, evidence }), observed: observed?.map(objection) };
  return { ...pullShown(row), decision: decisionOf(row), ...decided };
}

/** Undefined ones are not in the JSON. */
function dated({ until, evidence }: { until?: number | undefined; evidence?: Age | undefined }): object {
  return {
    until: until === undefined ? undefined : new Date(until).toISOString(),
    evidence: evidence && {
      source: evidence.source,
      at: timeOf(evidence.at),
      rejected: evidence.rejected?.map(({ at, ...one }) => ({ ...one, at: timeOf(at) ?? String(at) })),
    },
  };
}

function objection({ rule, reason, until, evidence }: Objection): object {
  return { rule, reason, ...dated({ until, evidence }) };
}

/** An index may name a time that is none. */
function timeOf(at: number | undefined): string | undefined {
  return at === undefined || Number.isNaN(new Date(at).getTime()) ? undefined : new Date(at).toISOString();
}
