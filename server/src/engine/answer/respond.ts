import type { IncomingMessage, ServerResponse } from 'node:http';
import { Fault } from '../fault.ts';
import type { Body, Target } from '../format.ts';
import { textOf } from '../guard/refusal-text.ts';
import type { Repository } from '../repository.ts';
import type { CacheState, Content } from '../source.ts';
import { note } from '../trail.ts';
import { acceptedEncodings, notModified, rangeOf, reasonPhrase } from './http.ts';
import { type Encoding, IMMUTABLE, type Rendition } from './renditions.ts';
import type { Reply } from './serve.ts';

type Headers = Record<string, string | number>;
/** Headers of the protocol. */
type Own = Readonly<Record<string, string>>;

const BASIC = 'Basic realm="entrepot"';

/** The configuration that the reply was made under is not the current one any more, and nothing of it has been sent. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

/**
 * Writes a reply. Returns the body bytes sent. Throws only before anything is written; a transfer that cannot go on is broken
 * off. `isCurrent`: asked right before the first byte; throws `Overtaken` when it says no.
 */
export async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  isCurrent: () => boolean = () => true,
): Promise<number> {
  switch (reply.kind) {
    case 'rendition':
      return respondRendition(request, response, reply, isCurrent);
    case 'content':
      return respondContent(request, response, reply, isCurrent);
    case 'body':
      return respondBody(request, response, reply.body, reply.headers);
  }
}

/**
 * The headers of an index; also what the hot lane sends. Last-Modified only where the bytes are the upstream's: a change of
 * policy changes what is rendered here without a date to tell, so there the tag is the only validator.
 */
export function renditionHeaders(rendition: Rendition, encoding: Encoding, cache: CacheState, own: Own): Headers {
  return {
    ...own,
    'content-type': rendition.type,
    etag: `"${rendition.tag(encoding)}"`,
    'cache-control': 'private, no-cache',
    vary: 'Accept, Accept-Encoding',
    'x-cache': cache,
    'accept-ranges': 'bytes',
    ...(rendition.lastModified === undefined ? {} : { 'last-modified': rendition.lastModified }),
    ...rendition.headers,
    ...(encoding === 'identity' ? {} : { 'content-encoding': encoding }),
  };
}

/** The headers of a file; also what the hot lane sends. */
export function contentHeaders(content: Content, cache: CacheState, own: Own): Headers {
  const hex = content.digest?.startsWith('sha256:') ? content.digest.slice('sha256:'.length) : undefined;
  return {
    ...own,
    'content-type': content.type,
    etag: `"${content.tag}"`,
    'accept-ranges': 'bytes',
    'cache-control': content.freshUntil > Date.UTC(9000, 0) ? IMMUTABLE : 'private, no-cache',
    'x-cache': cache,
    ...(content.lastModified === undefined ? {} : { 'last-modified': content.lastModified }),
    ...(hex === undefined
      ? {}
      : { digest: `sha-256=${Buffer.from(hex, 'hex').toString('base64')}`, 'x-entrepot-digest': `sha256:${hex}` }),
  };
}

/** A refusal or failure, as this protocol's client shows it to a person. */
export function respondFault(
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault,
  { format }: Pick<Repository, 'format'>,
  target: Target | undefined,
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const text = textOf(fault);
  const body = format.fault(fault.code, text.whole, target);
  const { retryAfter, until, decision, rule, nearest, challenge = BASIC } = fault.details;
  const headers: Headers = {
    'content-type': body.type,
    'cache-control': 'no-store',
    'x-entrepot-reason': text.header,
    ...format.headers?.(target, undefined),
    ...body.headers,
    ...(fault.code === 'unauthenticated' ? { 'www-authenticate': challenge } : {}),
    ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
    ...(until === undefined ? {} : { 'x-entrepot-until': new Date(until).toISOString() }),
    ...(decision === undefined ? {} : { 'x-entrepot-decision': decision }),
    ...(rule === undefined ? {} : { 'x-entrepot-rule': reasonPhrase(rule) }),
    ...(nearest === undefined ? {} : { 'x-entrepot-nearest': reasonPhrase(nearest) }),
  };
  const bytes = Buffer.from(body.bytes);
  response.writeHead(statusOf(fault), text.line, { ...headers, 'content-length': bytes.length });
  const isHead = request.method === 'HEAD';
  note({ firstByteAt: performance.now(), bytes: isHead ? 0 : bytes.length });
  response.end(isHead ? undefined : bytes);
}

/** Some clients tell an upstream's 410 from its 404 (the go command's module proxies): it is passed on. */
function statusOf(fault: Fault): number {
  return fault.code === 'not_found' && fault.details.upstreamStatus === 410 ? 410 : fault.status;
}

async function respondRendition(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Extract<Reply, { kind: 'rendition' }>,
  isCurrent: () => boolean,
): Promise<number> {
  const { rendition, cache, headers: own } = reply;
  const partial = request.headers.range !== undefined;
  const encoding = partial ? 'identity' : rendition.best(acceptedEncodings(request));
  const headers = renditionHeaders(rendition, encoding, cache, own);
  if (!isCurrent()) throw new Overtaken();
  if (notModified(request, rendition.tag(encoding), rendition.lastModified)) return finish(response, 304, headers);
  const bytes = await rendition.encoded(encoding);
  if (!isCurrent()) throw new Overtaken();
  const range = partial ? rangeOf(request, bytes.length, rendition.tag(encoding), rendition.lastModified) : undefined;
  if (range === 'unsatisfiable')
    return finish(response, 416, { ...headers, 'content-range': `bytes */${bytes.length}` });
  const sent = range ? bytes.subarray(range.start, range.end) : bytes;
  const status = range ? 206 : 200;
  const described = {
    ...headers,
    'content-length': sent.length,
    ...(range ? { 'content-range': `bytes ${range.start}-${range.end - 1}/${bytes.length}` } : {}),
  };
  return finish(response, status, described, request.method === 'HEAD' ? undefined : sent);
}

async function respondContent(
  request: IncomingMessage,
  response: ServerResponse,
  { content, headers: own, elsewhere }: Extract<Reply, { kind: 'content' }>,
  isCurrent: () => boolean,
): Promise<number> {
  const headers = contentHeaders(content, content.cache, own);
  const { size } = content.body;
  try {
    if (!isCurrent()) throw new Overtaken();
    if (notModified(request, content.tag, content.lastModified)) return finish(response, 304, headers);
    if (elsewhere) return await redirected(response, content, own, { location: await elsewhere(), isCurrent });
    const range = size === undefined ? undefined : rangeOf(request, size, content.tag, content.lastModified);
    if (range === 'unsatisfiable') return finish(response, 416, { ...headers, 'content-range': `bytes */${size}` });
    const start = range?.start ?? 0;
    const end = range?.end ?? size;
    const head = request.method === 'HEAD';
    const chunks = head ? undefined : await begun(content, start, end);
    if (!isCurrent()) {
      await chunks?.[Symbol.asyncIterator]().return?.();
      throw new Overtaken();
    }
    response.writeHead(range ? 206 : 200, {
      ...headers,
      ...(end === undefined ? {} : { 'content-length': end - start }),
      ...(range ? { 'content-range': `bytes ${start}-${range.end - 1}/${size}` } : {}),
    });
    note({ firstByteAt: performance.now() });
    if (!chunks) {
      response.end();
      return 0;
    }
    return await transfer(response, content, chunks, end === undefined ? undefined : end - start);
  } finally {
    content.body.release();
  }
}

/** The bytes come from elsewhere, so the pull is on record before the client knows where. */
async function redirected(
  response: ServerResponse,
  content: Content,
  own: Own,
  { location, isCurrent }: { readonly location: string; readonly isCurrent: () => boolean },
): Promise<number> {
  if (!isCurrent()) throw new Overtaken();
  try {
    await content.settle({ aborted: false });
  } catch (cause) {
    throw new Fault('unavailable', 'The pull cannot be put on record.', { cause, details: { retryAfter: 30 } });
  }
  return finish(response, 307, {
    ...own,
    location,
    'cache-control': 'no-store',
    'content-length': 0,
    'x-cache': content.cache,
    ...(content.digest === undefined ? {} : { 'x-entrepot-digest': content.digest }),
  });
}

/** The first bytes are waited for: before that, a failure can be told to the client. */
async function begun({ body }: Content, start: number, end: number | undefined): Promise<AsyncIterable<Uint8Array>> {
  const chunks = body.stream(start, end);
  const rest = chunks[Symbol.asyncIterator]();
  let first: IteratorResult<Uint8Array> | undefined = await rest.next();
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const next = first ?? (await rest.next());
        first = undefined;
        return next;
      },
      return: async () => (await rest.return?.()) ?? { done: true, value: undefined },
    }),
  };
}

/**
 * Sends all there is, `length` bytes where that is known. The pull is on record before the last byte leaves (or, where the length is unknown, before the end
 * is marked): a process killed in between may record a pull that did not finish, never the other way round.
 */
async function transfer(
  response: ServerResponse,
  content: Content,
  chunks: AsyncIterable<Uint8Array>,
  length: number | undefined,
): Promise<number> {
  let sent = 0;
  let settled = false;
  const settle = async (aborted: boolean) => {
    if (settled) return;
    settled = true;
    await content.settle({ aborted });
  };
  try {
    for await (const chunk of chunks) {
      sent += chunk.length;
      if (length !== undefined && sent >= length) await settle(false);
      await written(response, chunk);
    }
    await settle(false);
    response.end();
  } catch {
    await settle(true).catch(() => {});
    response.destroy();
  }
  return sent;
}

function written(response: ServerResponse, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    if (response.destroyed) {
      reject(new Error('the client went away'));
      return;
    }
    // What waits in a connection that closes is never said to have been written.
    const gone = () => reject(new Error('the client went away'));
    response.once('close', gone);
    response.write(chunk, (error) => {
      response.off('close', gone);
      if (error) reject(error);
      else resolve();
    });
  });
}

function respondBody(request: IncomingMessage, response: ServerResponse, body: Body, own: Own): number {
  const bytes = Buffer.from(body.bytes);
  const headers = {
    ...own,
    'content-type': body.type,
    'cache-control': 'no-store',
    ...body.headers,
    'content-length': bytes.length,
  };
  return finish(response, body.status ?? 200, headers, request.method === 'HEAD' ? undefined : bytes);
}

function finish(response: ServerResponse, status: number, headers: Headers, body?: Uint8Array): number {
  response.writeHead(status, headers);
  note({ firstByteAt: performance.now() });
  response.end(body);
  return body?.length ?? 0;
}
