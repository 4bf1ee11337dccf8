import { bulkhead } from 'cockatiel';
import type { Dispatcher } from 'undici';
import { Breaker } from './breaker.ts';
import { type Dialling, dial } from './dial.ts';
import { noAnswer, type Peer } from './failure.ts';
import type { Hop } from './redirect.ts';
import type { Rest } from './rests.ts';
import { type Route, UpstreamError } from './upstream.ts';

export interface ChannelLimits {
  /** Requests to one origin at a time, their bodies included. */
  readonly concurrency: number;
  /** So many requests in a row without an answer, and the origin is left alone. */
  readonly failures: number;
  /** For so long; milliseconds. */
  readonly rest: number;
}

export interface ChannelNews {
  readonly now: () => number;
  readonly broke: (rest: Rest) => void;
  readonly recovered: () => void;
}

/** One origin as one route reaches it: its connections, how many requests it gets at once, and whether it answers at all. */
export class Channel {
  readonly peer: Peer;
  readonly #origin: string;
  readonly #dispatcher: Dispatcher;
  readonly breaker: Breaker;
  readonly #slots;
  readonly #limits: ChannelLimits;
  #lastConnect: { readonly at: number; readonly took: number } | undefined;

  constructor(dialling: Omit<Dialling, 'connections' | 'connected'>, limits: ChannelLimits, news: ChannelNews) {
    const { origin, route } = dialling;
    this.peer = peerOf(origin, route);
    this.#origin = origin;
    this.#limits = limits;
    this.#dispatcher = dial({
      ...dialling,
      connections: limits.concurrency,
      connected: (took) => {
        this.#lastConnect = { at: performance.now(), took };
      },
    });
    this.#slots = bulkhead(limits.concurrency, Number.POSITIVE_INFINITY);
    this.breaker = new Breaker({ host: this.peer.host, failures: limits.failures, rest: limits.rest, ...news });
  }

  /** Resolves when the headers are there. Throws `UpstreamError`. */
  async send(hop: Hop, signal: AbortSignal | undefined): Promise<Dispatcher.ResponseData> {
    const release = await this.#slot(signal);
    try {
      const answer = await this.breaker.execute(() => this.#ask(hop, signal));
      answer.body.once('close', release);
      return answer;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** How long the last new connection took, if it was made since; milliseconds. */
  connectTime(since: number): number | undefined {
    return this.#lastConnect && this.#lastConnect.at >= since ? this.#lastConnect.took : undefined;
  }

  /** Bodies under way break off. */
  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  /** Requests under way, their bodies included, come to their end. */
  async retire(): Promise<void> {
    await this.#dispatcher.close();
  }

  async #ask({ url, method, headers, body }: Hop, signal: AbortSignal | undefined): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#dispatcher.request({
        origin: this.#origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers,
        headersTimeout: this.peer.timeouts.headers,
        bodyTimeout: this.peer.timeouts.idle,
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      throw noAnswer(signal?.aborted ? new DOMException('aborted', 'AbortError') : error, this.peer);
    }
  }

  /** Waits for one of the places; gives the function that frees it again. */
  #slot(signal: AbortSignal | undefined): Promise<() => void> {
    const isFree = this.#slots.executionSlots > 0;
    const waiting = isFree ? (signal ?? NEVER) : withTimeout(signal, this.peer.timeouts.headers);
    return new Promise((granted, refused) => {
      const giveUp = (): void => refused(signal?.aborted ? noAnswer(waiting.reason, this.peer) : this.#crowded());
      if (waiting.aborted) return giveUp();
      waiting.addEventListener('abort', giveUp, { once: true });
      const occupied = this.#slots.execute(
        () =>
          new Promise<void>((release) => {
            waiting.removeEventListener('abort', giveUp);
            granted(release);
          }),
        waiting,
      );
      occupied.catch(giveUp);
    });
  }

  #crowded(): UpstreamError {
    const message = `${this.peer.host} already has all the requests it gets at once (${this.#limits.concurrency}), and none of them came to an end.`;
    return new UpstreamError('timeout', message);
  }
}

const NEVER = new AbortController().signal;

function withTimeout(signal: AbortSignal | undefined, milliseconds: number): AbortSignal {
  const timeout = AbortSignal.timeout(milliseconds);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
}

function peerOf(origin: string, { proxyUrl, timeouts }: Route): Peer {
  return { host: new URL(origin).host, timeouts, ...(proxyUrl === undefined ? {} : { proxy: new URL(proxyUrl).host }) };
}
