import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../access/access.ts';
import { ACCESS, HEALTH } from './dependencies.ts';
import type { CheckResult, Health } from './health-checks.ts';

/** Open to everybody, for load balancers: which upstreams there are and why a part fails is told to the administrator only. */
@Controller()
export class HealthController {
  readonly #access: Access;
  readonly #health: Health;

  constructor(@Inject(ACCESS) access: Access, @Inject(HEALTH) health: Health) {
    this.#access = access;
    this.#health = health;
  }

  @Get('health')
  async health(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const parts = await this.#health.checks();
    const failing = [...parts].filter(([, { status }]) => status !== 'ok').map(([name]) => name);
    const isFailing = [...parts.values()].some(({ status }) => status === 'failing');
    const admin = this.#access.principalOf(request.headers)?.admin === true;
    const checks = admin ? [...parts, ...this.#health.upstreams()] : [...parts].map(withoutMessage);
    reply.status(isFailing ? 503 : 200).header('cache-control', 'no-store');
    const status = isFailing ? 'failing' : failing.length > 0 ? 'degraded' : 'ok';
    return { status, failing, checks: Object.fromEntries(checks) };
  }

  /** Whatever the database says: a restart helps when this is not answered. */
  @Get('health/live')
  live(@Res({ passthrough: true }) reply: FastifyReply): object {
    reply.header('cache-control', 'no-store');
    return { live: true };
  }

  @Get('ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const reason = await this.#health.refusing();
    reply.status(reason === undefined ? 200 : 503).header('cache-control', 'no-store');
    return reason === undefined ? { ready: true } : { ready: false, reason };
  }
}

function withoutMessage([name, { status }]: readonly [string, CheckResult]): [string, CheckResult] {
  return [name, { status }];
}
