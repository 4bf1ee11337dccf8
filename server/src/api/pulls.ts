import { Readable } from 'node:stream';
import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import type { Ledger, PullFilter, PullRow } from '../ledger/ledger.ts';
import { JOURNAL, LEDGER } from './dependencies.ts';
import { packageFilter } from './package-filter.ts';
import { csv, ndjson, shown } from './pull-rows.ts';
import { limitOf, PAGE, paged, Query, wrong } from './query.ts';

const FILTERS = ['purl', 'digest', 'repository', 'principal', 'consumer', 'decision', 'since', 'until'] as const;
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
    const query = new Query(request.url, [...PAGE, ...FILTERS]);
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
  const named = packageFilter(query);
  const digest = digestOf(query);
  const texts = (['repository', 'principal', 'consumer'] as const).map((name) => [name, query.text(name)] as const);
  const decision = query.oneOf('decision', ['allowed', 'refused']);
  const [since, until] = [query.time('since'), query.time('until')];
  if (since !== undefined && until !== undefined && since >= until) {
    throw wrong([{ path: ['until'], message: 'must be after since' }]);
  }
  return {
    ...(named === undefined ? {} : { package: named.package }),
    ...(named?.version === undefined ? {} : { version: named.version }),
    ...(digest === undefined ? {} : { digest }),
    ...Object.fromEntries(texts.filter(([, value]) => value !== undefined)),
    ...(decision === undefined ? {} : { decision }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
}

function digestOf(query: Query): string | undefined {
  const given = query.text('digest')?.toLowerCase();
  if (given !== undefined && !/^sha256:[0-9a-f]{64}$/.test(given)) {
    throw wrong([{ path: ['digest'], message: 'must be sha256: and 64 hexadecimal digits' }]);
  }
  return given;
}

function afterOf(query: Query): string | undefined {
  const given = query.text('after');
  if (given !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(given)) {
    throw wrong([{ path: ['after'], message: 'must be next of the answer before' }]);
  }
  return given;
}
