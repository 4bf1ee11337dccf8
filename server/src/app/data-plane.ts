import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import type { Access } from '../access/access.ts';
import { acceptedEncodings } from '../engine/answer/http.ts';
import { contentHeaders, Overtaken, renditionHeaders, respond, respondFault } from '../engine/answer/respond.ts';
import { parse, publicationOf, type Reply, serve } from '../engine/answer/serve.ts';
import type { Engine } from '../engine/engine.ts';
import { Fault } from '../engine/fault.ts';
import type { Body, Target } from '../engine/format.ts';
import type { Log } from '../engine/log.ts';
import type { Answered, Metrics, RequestKind } from '../engine/metrics.ts';
import { canonicalPath } from '../engine/path.ts';
import type { Repository } from '../engine/repository.ts';
import type { Ask, CacheState, Content } from '../engine/source.ts';
import { outageOf } from '../engine/stored.ts';
import { note, trails } from '../engine/trail.ts';
import { hitMembers } from './access-log.ts';
import type { Caller } from './caller.ts';
import { elsewhere } from './elsewhere.ts';
import { hearOut, invite } from './expectation.ts';
import { type Identify, type Lane, LONGEST_CLIENT } from './lane.ts';
import { noteFault, noteReply, noteTarget } from './noted.ts';
import { challengeOf, grantToken, ping } from './oci-tokens.ts';
import { publish } from './publish.ts';
import { type Addressed, type Routed, routeOf } from './routing.ts';
import { shownPath } from './shown-url.ts';

export interface DataPlaneDeps {
  readonly engine: Engine;
  readonly lane: Lane;
  readonly identify: Identify;
  readonly access: Access;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly now: () => number;
  /** Scheme and authority that links in our answers start with, for a request: `http://127.0.0.1:8080`. */
  readonly origin: (caller: Caller) => string;
  readonly callerOf: (request: IncomingMessage) => Caller;
  /** Whether clients are sent to the store for what it can show them itself. */
  readonly redirect: boolean;
}

/** Files up to this size are served from memory once they are asked for again. */
const HOT = 4 * 1024 * 1024;
/** How often a request begins anew because the configuration changed before its answer did; then the older one counts. */
const MOST_ANEW = 3;

/** The one Fastify plugin that serves packages. Requests for anything else pass by. */
export function registerDataPlane(fastify: FastifyInstance, deps: DataPlaneDeps): void {
  const plane = new DataPlane(deps);
  fastify.addHook('onRequest', (request, reply, next) => {
    const routed = routeOf(request.raw.url ?? '/', deps.engine);
    if (!routed) {
      next();
      return;
    }
    reply.hijack();
    if (routed.kind === 'repository') void plane.handle(request.raw, reply.raw, routed);
    else void plane.handleRoot(request.raw, reply.raw, routed);
  });
}

class DataPlane {
  readonly #deps: DataPlaneDeps;

  constructor(deps: DataPlaneDeps) {
    this.#deps = deps;
  }

  /** Never rejects: whatever goes wrong is answered, or the connection is broken off. */
  async handle(request: IncomingMessage, response: ServerResponse, routed: Addressed, anew = 0): Promise<void> {
    const { repository } = routed;
    const { life } = repository;
    let target: Target | undefined;
    note({ repository: repository.name, format: repository.format.id, kind: 'unknown' });
    try {
      for (const [name, value] of Object.entries(routed.headers)) response.setHeader(name, value);
      const ask = this.#ask(request);
      const site = { base: `${this.#origin(request)}${routed.mount}`, options: repository.options };
      const body = await this.#body(request, response, routed);
      const asked = {
        method: request.method ?? 'GET',
        path: canonicalPath(routed.rest),
        query: routed.query,
        accept: request.headers.accept,
        ...(body === undefined ? {} : { body }),
      };
      const published = publicationOf(repository, asked);
      if (published) {
        if (published.publication.kind !== 'change') target = published.publication.file;
        note({ kind: 'publish' });
        const to = { ...published, repository: repository.name };
        note({ bytes: await respond(request, response, await publish(request, response, ask, to)) });
        return;
      }
      target = parse(repository, asked, site);
      noteTarget(target);
      const served = await serve(repository, target, ask, site.base, this.#deps.engine.serving);
      const reply = await this.#hot(
        request,
        this.#deps.redirect ? elsewhere(request, repository, target, served) : served,
      );
      await this.#prepare(request, routed, life, reply);
      const isCurrent = () => anew === MOST_ANEW || this.#deps.engine.repository(repository.name) === repository;
      noteReply(reply);
      const sent = await respond(request, response, reply, isCurrent);
      note({ bytes: sent });
      this.#deps.metrics.bytes(repository.name).inc(sent);
    } catch (error) {
      if (error instanceof Overtaken) {
        await this.#anew(request, response, routed, anew + 1);
        return;
      }
      if (request.method !== 'GET' && request.method !== 'HEAD') await hearOut(request, response);
      respondFault(
        request,
        response,
        this.#challenged(this.#explained(error, request), request, routed),
        repository,
        target,
      );
    }
  }

  /** A configuration that came before the first byte left is obeyed. */
  async #anew(request: IncomingMessage, response: ServerResponse, before: Addressed, anew: number): Promise<void> {
    const routed = routeOf(request.url ?? '/', this.#deps.engine);
    if (routed?.kind === 'repository') {
      await this.handle(request, response, routed, anew);
      return;
    }
    const { repository } = before;
    const fault = new Fault('not_found', `There is no repository "${repository.name}" any more.`);
    noteFault(fault);
    respondFault(request, response, fault, repository, undefined);
  }

  /** Below the root of a protocol, but for none of the repositories. Never rejects. */
  async handleRoot(
    request: IncomingMessage,
    response: ServerResponse,
    routed: Exclude<Routed, Addressed>,
  ): Promise<void> {
    const { format } = routed;
    note({ format: format.id, kind: 'root', result: routed.kind });
    try {
      const body = await this.#rooted(request, response, routed);
      await respond(request, response, { kind: 'body', body, headers: format.headers?.(undefined, undefined) ?? {} });
    } catch (error) {
      if (request.method !== 'GET' && request.method !== 'HEAD') await hearOut(request, response);
      const fault = this.#explained(error, request);
      respondFault(request, response, this.#challenged(fault, request, routed), { format }, undefined);
    }
  }

  async #rooted(request: IncomingMessage, response: ServerResponse, routed: Exclude<Routed, Addressed>): Promise<Body> {
    const { access } = this.#deps;
    if (routed.kind === 'ping') return ping(request, access);
    if (routed.kind === 'token') return grantToken(request, response, access);
    this.#ask(request);
    throw new Fault('not_found', routed.reason);
  }

  /** Who is not known is told how to become it. */
  #challenged(fault: Fault, request: IncomingMessage, routed: Routed): Fault {
    if (fault.code !== 'unauthenticated' || routed.kind === 'token') return fault;
    const challenge = challengeOf(routed, this.#origin(request), request.headers);
    if (challenge === undefined) return fault;
    return new Fault(fault.code, fault.message, { cause: fault, details: { ...fault.details, challenge } });
  }

  #origin(request: IncomingMessage): string {
    return this.#deps.origin(this.#deps.callerOf(request));
  }

  #ask(request: IncomingMessage): Ask {
    const who = this.#deps.identify(request.headers);
    if (!who) throw new Fault('unauthenticated', 'A token is needed here, and this is none that is known.');
    note(who);
    const { range } = request.headers;
    const client = request.headers['user-agent']?.slice(0, LONGEST_CLIENT);
    const { address } = this.#deps.callerOf(request);
    return {
      now: this.#deps.now(),
      requestId: trails.getStore()?.requestId ?? 'none',
      ...who,
      ...(client === undefined ? {} : { client }),
      ...(address === undefined ? {} : { address }),
      ...(range === undefined ? {} : { range }),
      ...(request.method === 'HEAD' ? { headOnly: true } : {}),
    };
  }

  /** Only where the format takes one, and never more than it says, packed or unpacked. */
  async #body(
    request: IncomingMessage,
    response: ServerResponse,
    { repository, rest }: Addressed,
  ): Promise<Uint8Array | undefined> {
    if (request.method === 'GET' || request.method === 'HEAD') return undefined;
    const taken = repository.format.traits.bodies?.find(({ prefix }) => rest.slice(1).startsWith(prefix));
    if (!taken) return undefined;
    invite(request, response);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of request) {
      size += chunk.length;
      if (size > taken.limit) throw new Fault('too_large', `The request's body is larger than ${taken.limit} bytes.`);
      chunks.push(chunk);
    }
    const bytes = Buffer.concat(chunks);
    if (request.headers['content-encoding'] !== 'gzip') return bytes;
    try {
      return await unpacked(bytes, { maxOutputLength: taken.limit });
    } catch (error) {
      throw new Fault('invalid', `The request's body is not gzip, or larger than ${taken.limit} bytes when unpacked.`, {
        cause: error,
      });
    }
  }

  /** A small file that was asked for before is read into memory whole. */
  async #hot({ method, headers }: IncomingMessage, reply: Reply): Promise<Reply> {
    if (reply.kind !== 'content' || reply.content.cache !== 'hit' || reply.elsewhere) return reply;
    if (method !== 'GET' || headers.range !== undefined || reply.content.freshUntil <= this.#deps.now()) return reply;
    const { body } = reply.content;
    if (!('bytes' in body) || body.size === undefined || body.size > HOT || typeof body.bytes !== 'function')
      return reply;
    const bytes: Buffer = await body.bytes().finally(() => body.release());
    return { ...reply, content: { ...reply.content, body: inMemory(bytes) } };
  }

  async #prepare(request: IncomingMessage, routed: Addressed, life: Repository['life'], reply: Reply): Promise<void> {
    const { repository } = routed;
    const { url, method, headers } = request;
    if (url === undefined || method !== 'GET' || headers.range !== undefined) return;
    if (reply.kind === 'body' || reply.personal) return;
    if (cacheOf(reply) === 'stale') return;
    const { lane, metrics } = this.#deps;
    const common = { life, preparedAt: this.#deps.now(), bytes: metrics.bytes(repository.name) };
    const counts = (kind: RequestKind) => {
      const format = repository.format.id;
      const answered: Omit<Answered, 'result'> = { repository: repository.name, format, kind, method: 'read' };
      return {
        counted: metrics.requests({ ...answered, result: 'hit' }),
        refused: () => metrics.requests({ ...answered, result: 'unavailable' }),
        took: metrics.duration(kind, 'hit'),
        members: hitMembers(url, { repository: repository.name, format, kind, decision: 'allowed' }),
      };
    };
    const own = { ...reply.headers, ...routed.headers };
    if (reply.kind === 'rendition') {
      const { rendition, freshUntil } = reply;
      if (freshUntil <= this.#deps.now()) return;
      const encoding = rendition.best(acceptedEncodings(request));
      const body = await rendition.encoded(encoding);
      const described = renditionHeaders(rendition, encoding, 'hit', own);
      lane.keepIndex(url, headers, {
        ...common,
        ...flattened(described, body.length),
        tag: rendition.tag(encoding),
        body,
        validUntil: freshUntil,
        ...counts('index'),
        ...(reply.noted === undefined ? {} : { noted: reply.noted }),
      });
      return;
    }
    const { content } = reply;
    if (!(content.body instanceof InMemory) || content.freshUntil <= this.#deps.now()) return;
    lane.keepFile(url, {
      ...common,
      ...flattened(contentHeaders(content, 'hit', own), content.body.size),
      tag: content.tag,
      body: content.body.bytes,
      validUntil: content.freshUntil,
      ...counts('artifact'),
      ...(content.record === undefined ? {} : { record: content.record }),
    });
  }

  #explained(error: unknown, request: IncomingMessage): Fault {
    const fault = error instanceof Fault ? error : outageOf(error);
    const at = { request_id: trails.getStore()?.requestId, url: withoutQuery(request.url) };
    if (!fault) this.#deps.log.error('a request failed for a reason nobody foresaw', { ...at, error });
    else if (fault.status >= 500) this.#deps.log.warn(fault.message, { ...at, code: fault.code, cause: fault.cause });
    const answered = fault ?? new Fault('internal', 'Something went wrong here; the log says what.');
    noteFault(answered);
    return answered;
  }
}

const unpacked = promisify(gunzip) as (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

function cacheOf(reply: Exclude<Reply, { kind: 'body' }>): CacheState {
  return reply.kind === 'rendition' ? reply.cache : reply.content.cache;
}

class InMemory {
  constructor(readonly bytes: Buffer) {}

  get size(): number {
    return this.bytes.length;
  }

  async *stream(start = 0, end = this.bytes.length): AsyncIterable<Uint8Array> {
    if (end > start) yield this.bytes.subarray(start, end);
  }

  release(): void {}
}

function inMemory(bytes: Buffer): Content['body'] {
  return new InMemory(bytes);
}

function flattened(
  headers: Readonly<Record<string, string | number>>,
  length: number,
): { headers: string[]; notModified: string[] } {
  const flat = Object.entries(headers).flatMap(([name, value]) => [name, String(value)]);
  const id = ['x-request-id', ''];
  return { headers: [...flat, 'content-length', String(length), ...id], notModified: [...flat, ...id] };
}

/** A query may hold a token that somebody put there. */
function withoutQuery(url: string | undefined): string {
  return shownPath((url ?? '').split('?', 1)[0] ?? '');
}
