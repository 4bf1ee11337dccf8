import { Readable } from 'node:stream';
import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import type { Ledger, PullFilter, PullRow } from '../ledger/ledger.ts';
import { JOURNAL, LEDGER } from './dependencies.ts';
import { afterOf, pullFilter, SUBJECTS } from './pull-filter.ts';
import { csv, ndjson, shown } from './pull-rows.ts';
import { limitOf, PAGE, paged, Query } from './query.ts';

const JSON_TYPE = 'application/json';
const NDJSON = 'application/x-ndjson';
const CSV = 'text/csv';
/** Rows read at a time for an export. */
const BATCH = 1000;

/** The audit log. */
@Controller('api/v2/pulls')
export class PullsController {
  readonly #journal: { drain(): Promise<void> };
  readonly #ledger: Pick<Ledger, 'pulls'>;

  constructor(@Inject(JOURNAL) journal: { drain(): Promise<void> }, @Inject(LEDGER) ledger: Pick<Ledger, 'pulls'>) {
    this.#journal = journal;
    this.#ledger = ledger;
  }

  /** As NDJSON or CSV, without a `limit`, everything: it is read from the ledger while it is sent. */
  @Get()
  async list(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const query = new Query(request.url, [...PAGE, ...SUBJECTS, 'decision']);
    const [limit, after, filter] = [limitOf(query), afterOf(query), filterOf(query)];
    // What was pulled before this was asked is in the answer.
    await this.#journal.drain();
    const type = new Negotiator(request.raw).mediaType([JSON_TYPE, NDJSON, CSV]) ?? JSON_TYPE;
    reply.header('vary', 'Accept');
    if (type === JSON_TYPE) {
      const rows = await this.#ledger.pulls(filter, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
      const { items, ...next } = paged(rows, limit, ({ id }) => id);
      return { items: items.map(shown), ...next };
    }
    const rows = this.#rows(filter, after, query.has('limit') ? limit : Number.POSITIVE_INFINITY);
    reply.header('content-type', `${type}; charset=utf-8`);
    return type === CSV ? csv(rows) : Readable.from(ndjson(rows));
  }

  async *#rows(filter: PullFilter, from: string | undefined, limit: number): AsyncIterable<PullRow> {
    let after = from;
    for (let left = limit; left > 0; ) {
      const rows = await this.#ledger.pulls(filter, {
        limit: Math.min(BATCH, left),
        ...(after === undefined ? {} : { after }),
      });
      yield* rows;
      left -= rows.length;
      after = rows.at(-1)?.id;
      if (rows.length < BATCH) return;
    }
  }
}

function filterOf(query: Query): PullFilter {
  const decision = query.oneOf('decision', ['allowed', 'refused']);
  return { ...pullFilter(query), ...(decision === undefined ? {} : { decision }) };
}
