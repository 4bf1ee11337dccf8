import { Body, Controller, Delete, Get, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DeleteChange, Outcome, PutChange } from '../app/change.ts';
import type { Configuration } from '../app/configuration.ts';
import type { Simulations } from '../app/simulation/simulations.ts';
import { Fault } from '../engine/fault.ts';
import type { ResourceRow } from '../ledger/ledger.ts';
import { kindOfCollection, kinds } from '../schema/kinds.ts';
import { expectedOf } from './conditions.ts';
import { CONFIGURATION, SIMULATIONS, SITE, type Site } from './dependencies.ts';
import { type Envelope, envelope, etag, type Rehearsed } from './envelope.ts';
import { limitOf, PAGE, paged, Query, wrong } from './query.ts';

/** The declared resources, one collection per kind. */
@Controller('api/v2')
export class ResourcesController {
  readonly #configuration: Configuration;
  readonly #simulations: Simulations;
  readonly #site: Site;

  constructor(
    @Inject(CONFIGURATION) configuration: Configuration,
    @Inject(SIMULATIONS) simulations: Simulations,
    @Inject(SITE) site: Site,
  ) {
    this.#configuration = configuration;
    this.#simulations = simulations;
    this.#site = site;
  }

  @Get(':collection')
  list(
    @Param('collection') collection: string,
    @Req() request: FastifyRequest,
  ): { items: readonly Envelope[]; next?: string } {
    const kind = kindOf(collection);
    const query = new Query(request.url, [...PAGE, 'format', 'label']);
    const [limit, after, format] = [limitOf(query), query.text('after'), query.text('format')];
    const labelled = labelFilter(query);
    const rows = [...this.#configuration.snapshot.resources.values()]
      .filter((row) => row.kind === kind && !row.retiring)
      .filter(({ spec }) => format === undefined || spec['format'] === format)
      .filter(labelled)
      .sort((one, other) => (one.name < other.name ? -1 : 1))
      .filter(({ name }) => after === undefined || name > after)
      .slice(0, limit + 1);
    const { items, ...next } = paged(rows, limit, ({ name }) => name);
    return { items: items.map((row) => envelope(row, this.#site)), ...next };
  }

  @Post(':collection')
  async create(
    @Param('collection') collection: string,
    @Body() spec: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Envelope> {
    const kind = kindOf(collection);
    const dryRun = new Query(request.url, ['dry_run']).flag('dry_run', false);
    const change: PutChange = {
      op: 'put',
      kind,
      name: nameIn(spec),
      spec,
      expected: { state: 'absent', otherwise: 'conflict' },
    };
    const outcome = await this.#configuration.change(change, { dryRun });
    return this.#answered(outcome, dryRun, reply);
  }

  @Get(':collection/:name')
  get(
    @Param('collection') collection: string,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Envelope {
    const kind = kindOf(collection);
    new Query(request.url, []);
    const row = this.#configuration.resource(kind, name);
    if (!row) throw this.#missing(kind, name);
    reply.header('etag', etag(row.revision));
    return envelope(row, this.#site);
  }

  @Put(':collection/:name')
  async put(
    @Param('collection') collection: string,
    @Param('name') name: string,
    @Body() spec: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Envelope> {
    const kind = kindOf(collection);
    const dryRun = new Query(request.url, ['dry_run']).flag('dry_run', false);
    const expected = expectedOf(request.headers);
    const change: PutChange = { op: 'put', kind, name, spec, ...(expected ? { expected } : {}) };
    const outcome = await this.#configuration.change(change, { dryRun });
    return this.#answered(outcome, dryRun, reply);
  }

  @Delete(':collection/:name')
  async delete(
    @Param('collection') collection: string,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Envelope | undefined> {
    const kind = kindOf(collection);
    const query = new Query(request.url, ['dry_run', 'in_use']);
    const dryRun = query.flag('dry_run', false);
    const inUse = query.oneOf('in_use', ['refuse', 'retire'], 'refuse');
    const expected = expectedOf(request.headers);
    const change: DeleteChange = { op: 'delete', kind, name, inUse, ...(expected ? { expected } : {}) };
    const outcome = await this.#configuration.change(change, { dryRun });
    if (dryRun) return this.#rehearsed(outcome);
    reply.status(204);
    return undefined;
  }

  async #answered(outcome: Outcome, dryRun: boolean, reply: FastifyReply): Promise<Envelope> {
    const { row, created } = outcome;
    reply.status(created && !dryRun ? 201 : 200);
    reply.header('etag', etag(row.revision));
    return dryRun ? this.#rehearsed(outcome) : envelope(row, this.#site);
  }

  async #rehearsed(outcome: Outcome): Promise<Rehearsed> {
    return { ...envelope(outcome.row, this.#site), warnings: await this.#simulations.warnings([outcome]) };
  }

  #missing(kind: string, name: string): Fault {
    const retiring = this.#configuration.snapshot.resources.has(`${kind}/${name}`);
    const why = retiring ? ' any more: it serves until the last resource that uses it goes' : '';
    return new Fault('not_found', `there is no ${kind} called ${JSON.stringify(name)}${why}`);
  }
}

function kindOf(collection: string): string {
  const found = kindOfCollection(collection);
  if (found) return found.kind;
  const known = kinds().map((kind) => `/api/v2/${kind.collection}`);
  throw new Fault('not_found', `there is no collection ${JSON.stringify(collection)}; known are ${known.join(', ')}`);
}

/** Whatever is wrong with the name is said when the spec is validated. */
function nameIn(spec: unknown): string {
  const name = typeof spec === 'object' && spec !== null && 'name' in spec ? spec.name : undefined;
  return typeof name === 'string' ? name : '';
}

/** `label=team=platform`, or `label=team`: whatever its value. */
function labelFilter(query: Query): (row: ResourceRow) => boolean {
  const given = query.text('label');
  if (given === undefined) return () => true;
  const mark = given.indexOf('=');
  const key = mark < 0 ? given : given.slice(0, mark);
  if (key === '') throw wrong([{ path: ['label'], message: 'must be a label such as team=platform, or its name' }]);
  return ({ spec }) => {
    const labels = (spec['labels'] ?? {}) as Readonly<Record<string, unknown>>;
    return Object.hasOwn(labels, key) && (mark < 0 || labels[key] === given.slice(mark + 1));
  };
}
