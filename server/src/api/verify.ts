import { Body, Controller, Get, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Fault } from '../engine/fault.ts';
import type { Space } from '../space/space.ts';
import type { VerificationState } from '../space/verification.ts';
import { SPACE } from './dependencies.ts';
import { Query, wrong } from './query.ts';

/** Holds the store against the ledger, in the background. */
@Controller('api/v2/verify')
export class VerifyController {
  readonly #space: Pick<Space, 'verification'>;

  constructor(@Inject(SPACE) space: Pick<Space, 'verification'>) {
    this.#space = space;
  }

  @Get()
  async state(@Req() request: FastifyRequest): Promise<object> {
    new Query(request.url, []);
    const run = await this.#space.verification.state();
    if (!run) throw new Fault('not_found', 'nothing was verified yet');
    return shown(run);
  }

  @Post()
  @HttpCode(202)
  async start(@Req() request: FastifyRequest, @Body() body: unknown): Promise<object> {
    new Query(request.url, []);
    const begun = await this.#space.verification.start(isRead(body));
    if (!begun) throw new Fault('conflict', 'a verification is running already: GET /api/v2/verify says how far it is');
    return shown(begun);
  }
}

function isRead(body: unknown): boolean {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw wrong([{ path: [], message: 'must be an object such as {"scope": "store"}' }]);
  const { scope, read = true, ...rest } = body as Record<string, unknown>;
  const problems = Object.keys(rest).map((name) => ({ path: [name], message: 'is not known' }));
  if (scope !== 'store') problems.push({ path: ['scope'], message: 'must be "store"' });
  if (typeof read !== 'boolean') problems.push({ path: ['read'], message: 'must be true or false' });
  if (problems.length > 0) throw wrong(problems);
  return read === true;
}

function shown({
  scope,
  read,
  state,
  startedAt,
  updatedAt,
  message,
  total,
  done,
  counts,
  findings,
}: VerificationState) {
  return {
    scope,
    read,
    state,
    started_at: new Date(startedAt).toISOString(),
    updated_at: new Date(updatedAt).toISOString(),
    ...(message === undefined ? {} : { message }),
    total,
    done,
    counts,
    findings,
  };
}
