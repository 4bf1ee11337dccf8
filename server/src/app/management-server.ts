import 'reflect-metadata';
import type { RequestListener, Server } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { guardManagement } from '../api/admin-guard.ts';
import type { ApiDeps } from '../api/dependencies.ts';
import { acceptJson, BODY_LIMIT } from '../api/json-body.ts';
import { managementModule } from '../api/management.ts';
import { ProblemFilter } from '../api/problem-filter.ts';
import { note, trails } from '../engine/trail.ts';
import { invite } from './expectation.ts';

export interface ManagementSettings {
  readonly deps: ApiDeps;
  readonly nextRequestId: () => string;
  /** The server that answers with what Fastify's handler does not have to. */
  readonly server: (handler: RequestListener) => Server;
  /** Adds what comes before the management API. */
  readonly before: (fastify: FastifyInstance) => void;
}

/** Nest on Fastify, ready to listen. */
export async function createManagementServer({
  deps,
  nextRequestId,
  server,
  before,
}: ManagementSettings): Promise<NestFastifyApplication> {
  const filter = new ProblemFilter(deps.log);
  const adapter = new FastifyAdapter({
    serverFactory: server,
    logger: false,
    genReqId: () => trails.getStore()?.requestId ?? nextRequestId(),
    bodyLimit: BODY_LIMIT,
    // Nest's middleware layer is not used; without it requests take one step less.
    skipMiddie: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 8192 },
    // What the router cannot read comes by no hook and no filter.
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) =>
      filter.answer(error, request, reply),
  });
  const app = await NestFactory.create<NestFastifyApplication>(managementModule(deps), adapter, {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  });
  app.useGlobalFilters(filter);
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  acceptJson(fastify);
  before(fastify);
  guardManagement(fastify, deps.access);
  fastify.addHook('preParsing', (request, reply, payload, next) => {
    invite(request.raw, reply.raw);
    next(null, payload);
  });
  fastify.addHook('onSend', (_, __, payload, next) => {
    const isText = typeof payload === 'string' || Buffer.isBuffer(payload);
    note({ firstByteAt: performance.now(), bytes: isText ? Buffer.byteLength(payload) : 0 });
    next();
  });
  await app.init();
  return app;
}
