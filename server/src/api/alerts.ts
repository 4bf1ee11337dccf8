import { Controller, Get, Inject, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Engine } from '../engine/engine.ts';
import type { AlertFilter, AlertRow, Ledger } from '../ledger/ledger.ts';
import { ENGINE, LEDGER } from './dependencies.ts';
import { limitOf, PAGE, paged, Query, wrong } from './query.ts';

const KINDS = ['claimed_name', 'hosted_name', 'version_conflict', 'damaged_blob'] as const;
const FILTERS = ['kind', 'repository', 'member', 'name', 'state'] as const;

/** What a person should look at: public packages under private names, versions with two contents. */
@Controller('api/v2/alerts')
export class AlertsController {
  readonly #engine: Pick<Engine, 'alerted'>;
  readonly #ledger: Pick<Ledger, 'alerts'>;

  constructor(@Inject(ENGINE) engine: Pick<Engine, 'alerted'>, @Inject(LEDGER) ledger: Pick<Ledger, 'alerts'>) {
    this.#engine = engine;
    this.#ledger = ledger;
  }

  @Get()
  async list(@Req() request: FastifyRequest): Promise<object> {
    const query = new Query(request.url, [...PAGE, ...FILTERS]);
    const [limit, after, filter] = [limitOf(query), afterOf(query), filterOf(query)];
    // What was found before this was asked is in the answer.
    await this.#engine.alerted();
    const rows = await this.#ledger.alerts(filter, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
    const { items, ...next } = paged(rows, limit, ({ id }) => String(id));
    return { items: items.map(shown), ...next };
  }
}

function filterOf(query: Query): AlertFilter {
  const kind = query.oneOf('kind', KINDS);
  const state = query.oneOf('state', ['current', 'ended']);
  const texts = (['repository', 'member', 'name'] as const).map((name) => [name, query.text(name)] as const);
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(state === undefined ? {} : { state }),
    ...Object.fromEntries(texts.filter(([, value]) => value !== undefined)),
  };
}

function afterOf(query: Query): number | undefined {
  const given = query.text('after');
  if (given === undefined) return undefined;
  if (!/^[0-9]{1,15}$/.test(given)) throw wrong([{ path: ['after'], message: 'must be next of the answer before' }]);
  return Number(given);
}

function shown({ id, since, lastSeenAt, endedAt, ...alert }: AlertRow): object {
  return {
    id: String(id),
    ...alert,
    since: new Date(since).toISOString(),
    last_seen_at: new Date(lastSeenAt).toISOString(),
    ...(endedAt === undefined ? {} : { ended_at: new Date(endedAt).toISOString() }),
  };
}
