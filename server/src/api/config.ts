import { Body, Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Attempt, Configuration } from '../app/configuration.ts';
import type { Simulations } from '../app/simulation/simulations.ts';
import { matchesNone } from '../engine/answer/http.ts';
import { changesetOf } from './changeset.ts';
import { CONFIGURATION, SIMULATIONS, SITE, type Site } from './dependencies.ts';
import { envelope, etag } from './envelope.ts';
import { problemOf } from './problem.ts';
import { Query } from './query.ts';

/** The whole configuration at once. */
@Controller('api/v2/config')
export class ConfigController {
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

  @Get()
  read(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): object | undefined {
    new Query(request.url, []);
    const { revision, resources } = this.#configuration.snapshot;
    reply.header('etag', etag(revision));
    const none = request.headers['if-none-match'];
    if (none !== undefined && matchesNone(none, String(revision))) {
      reply.status(304);
      return undefined;
    }
    const declared = [...resources.values()].filter(({ retiring }) => !retiring);
    declared.sort((one, other) => (`${one.kind}/${one.name}` < `${other.kind}/${other.name}` ? -1 : 1));
    return { revision, resources: declared.map((row) => ({ kind: row.kind, ...envelope(row, this.#site) })) };
  }

  @Post()
  @HttpCode(200)
  async change(
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const query = new Query(request.url, ['atomic', 'dry_run']);
    const dryRun = query.flag('dry_run', false);
    const changes = changesetOf(body);
    const attempts: readonly Attempt[] = query.flag('atomic', true)
      ? await this.#configuration.changeAll(changes, { dryRun })
      : await this.#configuration.changeEach(changes, { dryRun });
    const { revision } = this.#configuration.snapshot;
    reply.header('etag', etag(revision));
    const made = attempts.flatMap((attempt) => ('fault' in attempt ? [] : [attempt]));
    const warnings = dryRun ? { warnings: await this.#simulations.warnings(made) } : {};
    return { revision, outcomes: attempts.map((attempt) => this.#outcome(attempt, request.id)), ...warnings };
  }

  #outcome(attempt: Attempt, requestId: string): object {
    const { op, kind, name } = attempt.change;
    if ('fault' in attempt) return { op, kind, name, changed: false, problem: problemOf(attempt.fault, requestId) };
    const resource = op === 'put' ? { resource: envelope(attempt.row, this.#site) } : {};
    return { op, kind, name, changed: attempt.changed, ...resource };
  }
}
