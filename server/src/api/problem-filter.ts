import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Fault } from '../engine/fault.ts';
import type { Log } from '../engine/log.ts';
import { LedgerError } from '../ledger/ledger.ts';
import { operations } from '../schema/operations.ts';
import { StoreError } from '../store/store.ts';
import { type Problem, problem, problemOf } from './problem.ts';

/** Every error of the management API becomes `application/problem+json`; what nobody foresaw is logged once and kept inside. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    if (reply.raw.headersSent) {
      this.#log.error('an answer was broken off', { request_id: request.id, url: pathOf(request), error });
      reply.raw.destroy();
      return;
    }
    const { allow, ...answer } = this.#explained(error, request);
    if (allow !== undefined) reply.header('allow', allow);
    if (answer.status === 401) reply.header('www-authenticate', 'Bearer realm="entrepot"');
    if (typeof answer['retry_after'] === 'number') reply.header('retry-after', answer['retry_after']);
    reply.status(answer.status).header('content-type', 'application/problem+json').header('cache-control', 'no-store');
    reply.send(JSON.stringify(answer));
  }

  #explained(error: unknown, request: FastifyRequest): Problem & { readonly allow?: string } {
    if (error instanceof Fault) {
      if (error.status >= 500)
        this.#log.warn(error.message, {
          request_id: request.id,
          url: pathOf(request),
          code: error.code,
          cause: error.cause,
        });
      return problemOf(error, request.id);
    }
    if (error instanceof LedgerError || error instanceof StoreError) {
      this.#log.warn(error.message, { request_id: request.id, url: pathOf(request) });
      return problem(503, 'unavailable', error.message, request.id, { retryAfter: 5 });
    }
    const ofHttp = error instanceof HttpException ? httpProblem(error, request) : frameworkProblem(error, request);
    if (ofHttp) return ofHttp;
    this.#log.error('a request failed for a reason nobody foresaw', {
      request_id: request.id,
      method: request.method,
      url: pathOf(request),
      error,
    });
    return problem(
      500,
      'internal',
      `Something went wrong here; the log says what, under request id ${request.id}.`,
      request.id,
    );
  }
}

/** What Nest says when no route matches, and of requests that Fastify could not read. */
function httpProblem(
  error: HttpException,
  request: FastifyRequest,
): (Problem & { readonly allow?: string }) | undefined {
  const status = error.getStatus();
  if (status === 404) return unrouted(request);
  return status < 500 ? readProblem(status, error.message, request) : undefined;
}

/** Fastify's own errors carry the status. */
function frameworkProblem(error: unknown, request: FastifyRequest): Problem | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return undefined;
  return error.statusCode < 500 ? readProblem(error.statusCode, error.message, request) : undefined;
}

function readProblem(status: number, message: string, request: FastifyRequest): Problem {
  switch (status) {
    case 413:
      return problem(413, 'too_large', 'The body is larger than 1 MB.', request.id);
    case 414:
      return problem(414, 'invalid', 'The address is too long.', request.id);
    case 415: {
      const sent = request.headers['content-type'];
      const what =
        sent === undefined
          ? 'The body comes without a Content-Type'
          : `The body comes as ${JSON.stringify(sent.slice(0, 100))}`;
      return problem(415, 'unsupported_media_type', `${what}: send application/json.`, request.id);
    }
    default:
      return problem(status, 'invalid', message, request.id);
  }
}

function unrouted(request: FastifyRequest): Problem & { readonly allow?: string } {
  const path = pathOf(request);
  const allowed = operations().filter((operation) => pattern(operation.path).test(path));
  if (allowed.length > 0) {
    const allow = [
      ...new Set(allowed.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]))),
    ].join(', ');
    return {
      ...problem(405, 'unsupported', `${request.method} is not possible here; ${allow} are.`, request.id),
      allow,
    };
  }
  const [, first = ''] = path.split('/');
  const detail = /^\/(api|v2|docs)(\/|$)/.test(path)
    ? `There is nothing at ${path}; /openapi.json lists every address.`
    : `There is no repository called ${JSON.stringify(first)}; GET /api/v2/config lists what is declared.`;
  return problem(404, 'not_found', detail, request.id);
}

function pattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{[a-z]+\}/g, '[^/]+')}/?$`);
}

/** A query may hold a token that somebody put there. */
function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}
