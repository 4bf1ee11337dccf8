import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import { matchesNone } from '../engine/answer/http.ts';
import type { Reader } from '../engine/answer/pins.ts';
import type { Asker, Content } from '../engine/source.ts';
import type { Hit } from './access-log.ts';
import type { Caller } from './caller.ts';

/** Who asks, as far as the headers say; undefined: not decided here, the long way answers. */
export type Identify = (headers: IncomingHttpHeaders) => Pick<Asker, 'principal' | 'consumer'> | undefined;

/** So much of a User-Agent is put on record: some clients send a whole inventory. */
export const LONGEST_CLIENT = 200;

/** A clock that jumped back makes answers look valid for too long, in milliseconds. */
const CLOCK_SLACK = 60_000;

/** An answer that can be written at once: nothing is parsed, hashed or looked up in a database for it. */
export interface Prepared {
  readonly tag: string;
  /** For 200, with Content-Length. The last of each is the request's id, put in while they are written. */
  readonly headers: string[];
  readonly notModified: string[];
  readonly body: Buffer;
  /** Epoch milliseconds. */
  readonly preparedAt: number;
  readonly validUntil: number;
  /** Of the repository it was made for. */
  readonly life: { readonly current: boolean };
  /** Puts the pull on record; absent for an index. */
  readonly record?: Content['record'];
  /** Told of everybody who gets it, or is told that he has it. */
  readonly noted?: (reader: Reader) => void;
  readonly counted: { inc(): void };
  /** Counts where it cannot be put on record. */
  readonly refused: () => { inc(): void };
  readonly bytes: { inc(bytes: number): void };
  readonly took: { observe(seconds: number): void };
  /** What the access log says of it each time. */
  readonly members: string;
}

export interface LaneDeps {
  readonly identify: Identify;
  readonly callerOf: (request: IncomingMessage) => Caller;
  readonly nextRequestId: () => string;
  readonly now: () => number;
  /** Bytes of memory for files; as much again for indexes. */
  readonly memory: number;
  /** Told of every answer. */
  readonly answered?: ((hit: Hit) => void) | undefined;
  /** Whether the long way has more to tell of it: a trace. */
  readonly declines?: ((headers: IncomingHttpHeaders) => boolean) | undefined;
}

/** In front of Fastify: answers what was answered before, before anything is routed. Everything else goes the long way. */
export class Lane {
  readonly #deps: LaneDeps;
  readonly #files: LRUCache<string, Prepared>;
  readonly #indexes: LRUCache<string, Prepared>;

  constructor(deps: LaneDeps) {
    this.#deps = deps;
    const options = { maxSize: deps.memory, sizeCalculation: ({ body }: Prepared) => body.length + 1024 };
    this.#files = new LRUCache(options);
    this.#indexes = new LRUCache(options);
  }

  /** True when the request has been answered, or is about to be. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const { method, url, headers } = request;
    if ((method !== 'GET' && method !== 'HEAD') || url === undefined || headers.range !== undefined) return false;
    const prepared = this.#files.get(url) ?? this.#indexes.get(variant(url, headers));
    if (!prepared) return false;
    const now = this.#deps.now();
    if (!prepared.life.current || now >= prepared.validUntil || now < prepared.preparedAt - CLOCK_SLACK) return false;
    if (this.#deps.declines?.(headers)) return false;
    const who = this.#deps.identify(headers);
    if (!who) return false;
    const none = headers['if-none-match'];
    const has = none !== undefined && matchesNone(none, prepared.tag);
    if (none === undefined && headers['if-modified-since'] !== undefined) return false;
    const asker = this.#asker(request, who, now);
    const answer = { response, prepared, asker, method, has, began: performance.now() };
    prepared.noted?.(asker);
    if (has || method === 'HEAD' || !prepared.record) this.#write(answer);
    else prepared.record(asker, (error) => (error ? this.#refuse(answer) : this.#write(answer)));
    return true;
  }

  /** Bytes of memory that hold answers. */
  get used(): { readonly files: number; readonly indexes: number } {
    return { files: this.#files.calculatedSize, indexes: this.#indexes.calculatedSize };
  }

  keepFile(url: string, prepared: Prepared): void {
    this.#files.set(url, prepared);
  }

  keepIndex(url: string, headers: IncomingHttpHeaders, prepared: Prepared): void {
    this.#indexes.set(variant(url, headers), prepared);
  }

  #asker(request: IncomingMessage, who: Pick<Asker, 'principal' | 'consumer'>, now: number): Asker {
    const client = request.headers['user-agent']?.slice(0, LONGEST_CLIENT);
    const { address, requestId = this.#deps.nextRequestId() } = this.#deps.callerOf(request);
    return {
      now,
      requestId,
      ...who,
      ...(client === undefined ? {} : { client }),
      ...(address === undefined ? {} : { address }),
    };
  }

  #write(answer: Answer): void {
    const { response, prepared, asker, method, has } = answer;
    const headers = has ? prepared.notModified : prepared.headers;
    // Written out at once, so the next request may have the place.
    headers[headers.length - 1] = asker.requestId;
    const body = has || method === 'HEAD' ? undefined : prepared.body;
    response.writeHead(has ? 304 : 200, headers).end(body);
    prepared.counted.inc();
    if (body) prepared.bytes.inc(body.length);
    this.#told(answer, has ? 304 : 200, 'hit', body?.length ?? 0);
  }

  #refuse(answer: Answer): void {
    const headers = { 'retry-after': '30', 'x-request-id': answer.asker.requestId };
    answer.response.writeHead(503, 'The pull cannot be put on record', headers).end();
    answer.prepared.refused().inc();
    this.#told(answer, 503, 'unavailable', 0);
  }

  #told({ asker, method, prepared, began }: Answer, status: number, result: string, bytes: number): void {
    const milliseconds = performance.now() - began;
    prepared.took.observe(milliseconds / 1000);
    this.#deps.answered?.({ asker, method, status, result, bytes, milliseconds, members: prepared.members });
  }
}

/** One on its way. */
interface Answer {
  readonly response: ServerResponse;
  readonly prepared: Prepared;
  readonly asker: Asker;
  readonly method: string;
  /** The client has it. */
  readonly has: boolean;
  /** `performance.now()` */
  readonly began: number;
}

/** Which rendition of an index a request gets: these headers decide it, as they stand. */
function variant(url: string, headers: IncomingHttpHeaders): string {
  return `${url}\n${headers.accept ?? ''}\n${headers['accept-encoding'] ?? ''}\n${headers.host ?? ''}\n${headers['x-forwarded-host'] ?? ''}\n${headers['x-forwarded-proto'] ?? ''}`;
}
