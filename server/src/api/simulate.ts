import { PassThrough } from 'node:stream';
import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import type { Change } from '../app/change.ts';
import { POLICY_KINDS } from '../app/policy.ts';
import { placed, type Simulations } from '../app/simulation/simulations.ts';
import { unknownName } from '../contract/index.ts';
import { Fault, type FieldError } from '../engine/fault.ts';
import { SIMULATIONS } from './dependencies.ts';
import { problemOf } from './problem.ts';
import { Query, wrong } from './query.ts';

const FIELDS = ['resources', 'remove', 'days'];
const ENTRY = ['kind', 'name', 'spec'];
const NDJSON = 'application/x-ndjson';
const MOST = 1000;
const LONGEST_DAYS = 366;

/** What other rules would have made of the recorded pulls. */
@Controller('api/v2/simulate')
export class SimulateController {
  readonly #simulations: Simulations;

  constructor(@Inject(SIMULATIONS) simulations: Simulations) {
    this.#simulations = simulations;
  }

  @Post()
  @HttpCode(200)
  async simulate(
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    new Query(request.url, []);
    const { changes, places, days } = askedOf(body);
    const proposed = await this.#simulations.proposal(changes).catch((error: unknown) => {
      throw error instanceof Fault ? placed(error, places) : error;
    });
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort(new Fault('unavailable', 'Nobody waits for the simulation any more.')));
    reply.header('vary', 'Accept');
    const type = new Negotiator(request.raw).mediaType(['application/json', NDJSON]);
    if (type !== NDJSON) return this.#simulations.run(proposed, days, undefined, gone.signal);
    reply.header('content-type', `${NDJSON}; charset=utf-8`);
    const lines = new PassThrough();
    const told = (line: object) => lines.write(`${JSON.stringify(line)}\n`);
    this.#simulations
      .run(proposed, days, (progress) => told({ progress }), gone.signal)
      .then(
        (result) => told({ result }),
        (error: unknown) => {
          if (error instanceof Fault) told({ problem: problemOf(error, request.id) });
          else lines.destroy(error as Error);
        },
      )
      .finally(() => lines.end());
    return lines;
  }
}

interface Asked {
  readonly changes: readonly Change[];
  /** Of each change, in the body. */
  readonly places: readonly FieldError['path'][];
  readonly days: number;
}

function askedOf(body: unknown): Asked {
  if (!isObject(body))
    throw wrong([
      { path: [], message: 'the body must be an object such as {"resources": [{"kind", "name", "spec"}]}' },
    ]);
  const { resources = [], remove = [], days = 30 } = body;
  const errors: FieldError[] = [
    ...unknown(body, FIELDS, []),
    ...listErrors(resources, 'resources', ENTRY),
    ...listErrors(remove, 'remove', ['kind', 'name']),
  ];
  if (!Number.isInteger(days) || Number(days) < 1 || Number(days) > LONGEST_DAYS)
    errors.push({ path: ['days'], message: `must be a whole number from 1 to ${LONGEST_DAYS}` });
  if (errors.length > 0) throw wrong(errors);
  const puts = (resources as readonly Entry[]).map(({ kind, name, spec }): Change => ({ op: 'put', kind, name, spec }));
  const deletes = (remove as readonly Entry[]).map(({ kind, name }): Change => ({ op: 'delete', kind, name }));
  const twice = repeated([...puts, ...deletes]);
  const places = [...puts.map((_, at) => ['resources', at]), ...deletes.map((_, at) => ['remove', at])];
  if (twice >= 0) throw wrong([{ path: [...(places[twice] ?? []), 'name'], message: 'is there twice' }]);
  return { changes: [...puts, ...deletes], places, days: Number(days) };
}

interface Entry {
  readonly kind: string;
  readonly name: string;
  readonly spec?: unknown;
}

function listErrors(list: unknown, field: string, known: readonly string[]): readonly FieldError[] {
  if (!Array.isArray(list)) return [{ path: [field], message: 'must be a list' }];
  if (list.length > MOST) return [{ path: [field], message: `must have at most ${MOST} entries, not ${list.length}` }];
  return list.flatMap((entry: unknown, at): FieldError[] => {
    if (!isObject(entry)) return [{ path: [field, at], message: 'must be an object' }];
    const { kind, name } = entry;
    const kinds = [...POLICY_KINDS];
    return [
      ...unknown(entry, known, [field, at]),
      ...(typeof kind === 'string' && POLICY_KINDS.has(kind)
        ? []
        : [{ path: [field, at, 'kind'], message: `must be ${kinds.join(' or ')}` }]),
      ...(typeof name === 'string' && name !== ''
        ? []
        : [{ path: [field, at, 'name'], message: 'must be the name of the resource' }]),
    ];
  });
}

function unknown(given: object, known: readonly string[], at: FieldError['path']): readonly FieldError[] {
  return Object.keys(given)
    .filter((name) => !known.includes(name))
    .map((name) => ({ path: [...at, name], message: unknownName(name, known) }));
}

function repeated(changes: readonly Change[]): number {
  const keys = changes.map(({ kind, name }) => JSON.stringify([kind, name]));
  return keys.findIndex((key, at) => keys.indexOf(key) < at);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
