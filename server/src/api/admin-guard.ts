import type { FastifyInstance } from 'fastify';
import type { Access } from '../access/access.ts';
import { Fault } from '../engine/fault.ts';
import { note } from '../engine/trail.ts';

/** Routes that need no token; all others of the management API do, also those that are added later. */
const OPEN: ReadonlySet<string> = new Set(['/', '/docs', '/health', '/health/live', '/ready', '/openapi.json']);

/**
 * Before anything of a body is read. It goes by the route that was found, not by the address as it was written: `/%61pi/v2`
 * finds the same route.
 */
export function guardManagement(fastify: FastifyInstance, access: Access): void {
  fastify.addHook('onRequest', (request, reply, next) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
    const route = request.routeOptions.url;
    const who = access.principalOf(request.headers);
    note({ route: route ?? 'none', ...(who ? { principal: who.principal } : {}) });
    const open = route === undefined ? !request.url.startsWith('/api/v2') : OPEN.has(route);
    if (open || who?.admin) next();
    else next(new Fault('unauthenticated', 'This needs the admin token, sent as "Authorization: Bearer …".'));
  });
}
