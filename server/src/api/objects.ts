import { Controller, Delete, Get, Inject, Param, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { keyOf } from '../app/change.ts';
import type { Configuration } from '../app/configuration.ts';
import type { Engine } from '../engine/engine.ts';
import { Fault } from '../engine/fault.ts';
import { BESIDE } from '../engine/remote/mutation.ts';
import { FOREVER, type Ledger, type ObjectFilter, type ObjectView } from '../ledger/ledger.ts';
import { kindOfCollection } from '../schema/kinds.ts';
import { CONFIGURATION, ENGINE, JOURNAL, LEDGER } from './dependencies.ts';
import { packageFilter } from './package-filter.ts';
import { limitOf, PAGE, paged, Query, wrong } from './query.ts';

const KEEPERS: ReadonlySet<string> = new Set(['remote', 'hosted']);
const TARGETS = ['path', 'prefix', 'purl', 'all'] as const;

/** What a remote or hosted repository keeps. */
@Controller('api/v2/:collection/:name/objects')
export class ObjectsController {
  readonly #configuration: Configuration;
  readonly #engine: Pick<Engine, 'evict'>;
  readonly #journal: { drain(): Promise<void> };
  readonly #ledger: Ledger;

  constructor(
    @Inject(CONFIGURATION) configuration: Configuration,
    @Inject(ENGINE) engine: Pick<Engine, 'evict'>,
    @Inject(JOURNAL) journal: { drain(): Promise<void> },
    @Inject(LEDGER) ledger: Ledger,
  ) {
    this.#configuration = configuration;
    this.#engine = engine;
    this.#journal = journal;
    this.#ledger = ledger;
  }

  @Get()
  async list(
    @Param('collection') collection: string,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    const query = new Query(request.url, [...PAGE, 'prefix', 'purl']);
    const [limit, after, filter] = [limitOf(query), query.text('after'), filterOf(query, name)];
    this.#requireKeeper(collection, name);
    await this.#journal.drain();
    const rows = await this.#ledger.objects(filter, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
    const { items, ...next } = paged(rows, limit, ({ path }) => path);
    return { items: items.map(shown), ...next };
  }

  @Delete()
  async evict(
    @Param('collection') collection: string,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    const query = new Query(request.url, TARGETS);
    const given = TARGETS.filter((target) => query.has(target));
    if (given.length !== 1) {
      throw wrong([{ path: given.slice(0, 1), message: `exactly one of ${TARGETS.join(', ')} says what to evict` }]);
    }
    const all = given[0] === 'all' && query.oneOf('all', ['true'], 'true') === 'true';
    const filter = filterOf(query, name);
    this.#requireKeeper(collection, name);
    const { objects, bytes } = await this.#engine.evict(all ? { ...filter, all } : filter);
    return { objects, bytes };
  }

  /** One that only serves until its last user goes still has objects. */
  #requireKeeper(collection: string, name: string): void {
    const kind = kindOfCollection(collection)?.kind;
    if (kind === undefined || !KEEPERS.has(kind)) throw new Fault('not_found', `${collection} keep no objects`);
    if (this.#configuration.snapshot.resources.has(keyOf({ kind, name }))) return;
    throw new Fault('not_found', `there is no ${kind} called ${JSON.stringify(name)}`);
  }
}

function filterOf(query: Query, repository: string): ObjectFilter {
  const [path, prefix, purl] = [query.text('path'), query.text('prefix'), packageFilter(query)?.purl];
  return {
    repository,
    ...(path === undefined ? {} : { path }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(purl === undefined ? {} : { purl }),
  };
}

function shown(row: ObjectView): object {
  const { kind, role, digest, size, type, url, pulls } = row;
  const [path, beside] = row.path.split(BESIDE);
  return {
    path,
    ...(beside === undefined ? {} : { beside: true }),
    ...(row.purl === undefined ? {} : { purl: row.purl }),
    kind,
    role,
    digest,
    size,
    type,
    ...(url === '' ? {} : { url }),
    fetched_at: new Date(row.fetchedAt).toISOString(),
    fresh_until: row.freshUntil >= FOREVER ? null : new Date(row.freshUntil).toISOString(),
    ...(row.lastPulledAt === undefined ? {} : { last_pulled_at: new Date(row.lastPulledAt).toISOString() }),
    ...(row.retractedAt === undefined ? {} : { retracted_at: new Date(row.retractedAt).toISOString() }),
    ...(row.disputed === undefined ? {} : { disputed: row.disputed }),
    pulls,
  };
}
