import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import { matchesNone } from '../engine/answer/http.ts';
import type { Reader } from '../engine/answer/pins.ts';
import type { Asker, Content } from '../engine/source.ts';
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
  /** For 200, with Content-Length. */
  readonly headers: readonly string[];
  readonly notModified: readonly string[];
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
  readonly bytes: { inc(bytes: number): void };
}

export interface LaneDeps {
  readonly identify: Identify;
  readonly callerOf: (request: IncomingMessage) => Caller;
  readonly nextRequestId: () => string;
  readonly now: () => number;
  /** Bytes of memory for files; as much again for indexes. */
  readonly memory: number;
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
    const who = this.#deps.identify(headers);
    if (!who) return false;
    const none = headers['if-none-match'];
    if (none !== undefined) {
      if (matchesNone(none, prepared.tag)) {
        prepared.counted.inc();
        this.#note(request, prepared, who);
        response.writeHead(304, prepared.notModified as string[]).end();
        return true;
      }
    } else if (headers['if-modified-since'] !== undefined) return false;
    prepared.counted.inc();
    this.#note(request, prepared, who);
    if (method === 'HEAD') response.writeHead(200, prepared.headers as string[]).end();
    else this.#send(request, response, prepared, who, now);
    return true;
  }

  keepFile(url: string, prepared: Prepared): void {
    this.#files.set(url, prepared);
  }

  keepIndex(url: string, headers: IncomingHttpHeaders, prepared: Prepared): void {
    this.#indexes.set(variant(url, headers), prepared);
  }

  #note(request: IncomingMessage, { noted }: Prepared, { principal }: Pick<Asker, 'principal'>): void {
    if (!noted) return;
    const client = request.headers['user-agent']?.slice(0, LONGEST_CLIENT);
    const { address } = this.#deps.callerOf(request);
    noted({ principal, ...(client === undefined ? {} : { client }), ...(address === undefined ? {} : { address }) });
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    prepared: Prepared,
    who: Pick<Asker, 'principal' | 'consumer'>,
    now: number,
  ): void {
    const write = (error?: Error) => {
      if (error) {
        response.writeHead(503, 'The pull cannot be put on record', { 'retry-after': '30' }).end();
        return;
      }
      prepared.bytes.inc(prepared.body.length);
      response.writeHead(200, prepared.headers as string[]).end(prepared.body);
    };
    if (!prepared.record) {
      write();
      return;
    }
    const client = request.headers['user-agent']?.slice(0, LONGEST_CLIENT);
    const { address } = this.#deps.callerOf(request);
    prepared.record(
      {
        now,
        requestId: this.#deps.nextRequestId(),
        ...who,
        ...(client === undefined ? {} : { client }),
        ...(address === undefined ? {} : { address }),
      },
      write,
    );
  }
}

/** Which rendition of an index a request gets: these headers decide it, as they stand. */
function variant(url: string, headers: IncomingHttpHeaders): string {
  return `${url}\n${headers.accept ?? ''}\n${headers['accept-encoding'] ?? ''}\n${headers.host ?? ''}\n${headers['x-forwarded-host'] ?? ''}\n${headers['x-forwarded-proto'] ?? ''}`;
}
