import { Body, Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { unknownName } from '../contract/index.ts';
import type { Engine } from '../engine/engine.ts';
import type { FieldError } from '../engine/fault.ts';
import type { Probe } from '../engine/remote/probe.ts';
import { ENGINE } from './dependencies.ts';
import { Query, wrong } from './query.ts';

const FIELDS = ['remote', 'path'];

/** What an upstream answers, asked without a client. */
@Controller('api/v2/probe')
export class ProbeController {
  readonly #engine: Pick<Engine, 'probe'>;

  constructor(@Inject(ENGINE) engine: Pick<Engine, 'probe'>) {
    this.#engine = engine;
  }

  @Post()
  @HttpCode(200)
  async probe(@Body() body: unknown, @Req() request: FastifyRequest): Promise<object> {
    new Query(request.url, []);
    const { remote, path } = asked(body);
    return shown(await this.#engine.probe(remote, path.replace(/^\/*/, '/')));
  }
}

function asked(body: unknown): { remote: string; path: string } {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw wrong([
      { path: [], message: 'the body must be an object such as {"remote": "npm-public", "path": "express"}' },
    ]);
  }
  const given = body as Readonly<Record<string, unknown>>;
  const errors: FieldError[] = [
    ...Object.keys(given).flatMap((name) =>
      FIELDS.includes(name) ? [] : [{ path: [name], message: unknownName(name, FIELDS) }],
    ),
    ...FIELDS.flatMap((name) =>
      typeof given[name] === 'string' ? [] : [{ path: [name], message: 'is required and must be a string' }],
    ),
  ];
  if (errors.length > 0) throw wrong(errors);
  return { remote: String(given['remote']), path: String(given['path']) };
}

function shown({ timings, ...probe }: Probe): object {
  if (!timings) return probe;
  const { connect, firstByte } = timings;
  return { ...probe, timings: { ...(connect === undefined ? {} : { connect }), first_byte: firstByte } };
}
