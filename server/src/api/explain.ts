import { Body, Controller, Get, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { unknownName } from '../contract/index.ts';
import type { Engine } from '../engine/engine.ts';
import { Fault, type FieldError } from '../engine/fault.ts';
import type { AskedRelease, Explained } from '../engine/guard/explain.ts';
import { CLOCK, ENGINE } from './dependencies.ts';
import { releaseOf } from './package-filter.ts';
import { Query, wrong } from './query.ts';

const FIELDS = ['repository', 'pins'];
/** Of one request. */
const MOST_PINS = 20_000;
/** Packages looked at side by side. */
const WIDTH = 8;

/** What the rules say of a release, before a client asks for it. */
@Controller('api/v2')
export class ExplainController {
  readonly #engine: Pick<Engine, 'explain'>;
  readonly #now: () => number;

  constructor(@Inject(ENGINE) engine: Pick<Engine, 'explain'>, @Inject(CLOCK) now: () => number) {
    this.#engine = engine;
    this.#now = now;
  }

  @Get('explain')
  async explain(@Req() request: FastifyRequest): Promise<object> {
    const query = new Query(request.url, ['repository', 'purl']);
    const purl = query.text('purl');
    if (purl === undefined) throw wrong([{ path: ['purl'], message: 'is required: a package URL with a version' }]);
    return this.#shown(purl, await this.#ask(releaseOf(purl, ['purl']), query.text('repository'), request));
  }

  @Post('preflight')
  @HttpCode(200)
  async preflight(@Body() body: unknown, @Req() request: FastifyRequest): Promise<object> {
    new Query(request.url, []);
    const { repository, pins } = askedOf(body);
    const releases = pins.map((pin, at) => releaseOf(pin, ['pins', at]));
    const items: object[] = [];
    for (let start = 0; start < pins.length; start += WIDTH) {
      const some = releases.slice(start, start + WIDTH).map(async (release, at) => {
        const purl = pins[start + at] as string;
        return this.#shown(purl, await this.#judged(release, repository, request));
      });
      items.push(...(await Promise.all(some)));
    }
    return { items };
  }

  /** One that cannot be looked up is not admissible now, and does not spoil the others. */
  async #judged(release: AskedRelease, repository: string | undefined, request: FastifyRequest): Promise<Explained> {
    try {
      return await this.#ask(release, repository, request);
    } catch (error) {
      const isOfOne = error instanceof Fault && error.code !== 'not_found' && error.code !== 'unavailable';
      if (!isOfOne) throw error;
      return { repository: repository ?? '', allowed: false, reason: error.message.replace(/\.$/, '') };
    }
  }

  #ask(release: AskedRelease, repository: string | undefined, { id }: FastifyRequest): Promise<Explained> {
    return this.#engine.explain(release, repository, { now: this.#now(), requestId: id, principal: 'admin' });
  }

  #shown(purl: string, { until, evidence, ...explained }: Explained): object {
    const { at, ...source } = evidence ?? {};
    return {
      purl,
      ...explained,
      ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
      ...(evidence === undefined
        ? {}
        : { evidence: { ...source, ...(at === undefined ? {} : { at: new Date(at).toISOString() }) } }),
    };
  }
}

function askedOf(body: unknown): { readonly repository?: string; readonly pins: readonly string[] } {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw wrong([{ path: [], message: 'the body must be an object such as {"pins": ["pkg:npm/express@4.18.2"]}' }]);
  const { repository, pins, ...others } = body as Readonly<Record<string, unknown>>;
  const errors: FieldError[] = Object.keys(others).map((name) => ({
    path: [name],
    message: unknownName(name, FIELDS),
  }));
  if (repository !== undefined && typeof repository !== 'string')
    errors.push({ path: ['repository'], message: 'must be the name of a repository' });
  if (!Array.isArray(pins)) errors.push({ path: ['pins'], message: 'is required and must be a list of package URLs' });
  else if (pins.length > MOST_PINS)
    errors.push({ path: ['pins'], message: `must have at most ${MOST_PINS} entries, not ${pins.length}` });
  else
    for (const [at, pin] of pins.entries())
      if (typeof pin !== 'string') errors.push({ path: ['pins', at], message: 'must be a package URL' });
  if (errors.length > 0) throw wrong(errors);
  return { pins: pins as string[], ...(typeof repository === 'string' ? { repository } : {}) };
}
