import { Controller, Delete, Get, Inject, Param, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Configuration } from '../app/configuration.ts';
import type { Engine } from '../engine/engine.ts';
import { Fault } from '../engine/fault.ts';
import { FOREVER, type Ledger, type ObjectFilter, type ObjectView } from '../ledger/ledger.ts';
import type { Store } from '../store/store.ts';
import { CONFIGURATION, ENGINE, JOURNAL, LEDGER, STORE } from './dependencies.ts';
import { packageFilter } from './package-filter.ts';
import { limitOf, PAGE, paged, Query, wrong } from './query.ts';

const TARGETS = ['path', 'prefix', 'purl', 'all'] as const;

/** What a remote keeps. */
@Controller('api/v2/remotes/:name/objects')
export class ObjectsController {
  readonly #configuration: Configuration;
  readonly #engine: Pick<Engine, 'evicted'>;
  readonly #journal: { drain(): Promise<void> };
  readonly #ledger: Ledger;
  readonly #store: Pick<Store, 'delete'>;

  constructor(
    @Inject(CONFIGURATION) configuration: Configuration,
    @Inject(ENGINE) engine: Pick<Engine, 'evicted'>,
    @Inject(JOURNAL) journal: { drain(): Promise<void> },
    @Inject(LEDGER) ledger: Ledger,
    @Inject(STORE) store: Pick<Store, 'delete'>,
  ) {
    this.#configuration = configuration;
    this.#engine = engine;
    this.#journal = journal;
    this.#ledger = ledger;
    this.#store = store;
  }

  @Get()
  async list(@Param('name') name: string, @Req() request: FastifyRequest): Promise<object> {
    const query = new Query(request.url, [...PAGE, 'prefix', 'purl']);
    const [limit, after, filter] = [limitOf(query), query.text('after'), filterOf(query, name)];
    this.#requireRemote(name);
    await this.#journal.drain();
    const rows = await this.#ledger.objects(filter, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
    const { items, ...next } = paged(rows, limit, ({ path }) => path);
    return { items: items.map(shown), ...next };
  }

  /**
   * Rows first, then memory, then blobs: a crash in between leaves blobs that nothing refers to, never a row without its
   * bytes. A blob that somebody stores again at this very moment is missed at its next read and fetched anew.
   */
  @Delete()
  async evict(@Param('name') name: string, @Req() request: FastifyRequest): Promise<object> {
    const query = new Query(request.url, TARGETS);
    const given = TARGETS.filter((target) => query.has(target));
    if (given.length !== 1) {
      throw wrong([{ path: given.slice(0, 1), message: `exactly one of ${TARGETS.join(', ')} says what to evict` }]);
    }
    const all = given[0] === 'all' && query.oneOf('all', ['true'], 'true') === 'true';
    const filter = filterOf(query, name);
    this.#requireRemote(name);
    const { objects, bytes, paths, blobs } = await this.#ledger.evict(all ? { ...filter, all } : filter);
    this.#engine.evicted(name, all ? 'all' : paths);
    for (const blob of blobs) await this.#store.delete(blob);
    return { objects, bytes };
  }

  /** One that only serves until its last user goes still has objects. */
  #requireRemote(name: string): void {
    if (this.#configuration.snapshot.resources.has(`remote/${name}`)) return;
    throw new Fault('not_found', `there is no remote called ${JSON.stringify(name)}`);
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
  const { path, kind, role, digest, size, type, url, pulls } = row;
  return {
    path,
    ...(row.purl === undefined ? {} : { purl: row.purl }),
    kind,
    role,
    digest,
    size,
    type,
    url,
    fetched_at: new Date(row.fetchedAt).toISOString(),
    fresh_until: row.freshUntil >= FOREVER ? null : new Date(row.freshUntil).toISOString(),
    ...(row.lastPulledAt === undefined ? {} : { last_pulled_at: new Date(row.lastPulledAt).toISOString() }),
    pulls,
  };
}
