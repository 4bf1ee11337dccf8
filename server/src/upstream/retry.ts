import { DelegateBackoff, handleWhen, isBrokenCircuitError, retry } from 'cockatiel';
import { UpstreamError, type UpstreamResponse } from './upstream.ts';

export interface Retrying {
  readonly attempts: number;
  /** What the waits of one request may add up to; milliseconds. */
  readonly budget: number;
  /** The first wait, before jitter; the next is twice as long. */
  readonly delay: number;
}

const BUSY = [429, 502, 503, 504];

/** Repeats a request that had no answer, or was told to come again, within one budget of waiting for all its hops. */
export class Retries {
  readonly #settings: Retrying;
  readonly #now: () => number;
  #made = 0;
  #waited = 0;
  #next = 0;

  constructor(settings: Retrying, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  async run<Answer extends UpstreamResponse>(attempt: () => Promise<Answer>): Promise<Answer> {
    const policy = retry(
      handleWhen((error) => isPassing(error) && this.#plan(undefined)).orWhenResult((answer) => {
        const { status, headers } = answer as Answer;
        return BUSY.includes(status) && this.#plan(headers['retry-after']);
      }),
      { maxAttempts: this.#settings.attempts, backoff: new DelegateBackoff(() => this.#next) },
    );
    policy.onRetry((reason) => {
      if ('value' in reason) void (reason.value as Answer).discard();
    });
    return policy.execute(attempt);
  }

  /** Whether there is time for one more; then `#next` is how long to wait before it. */
  #plan(retryAfter: string | undefined): boolean {
    const { attempts, budget, delay } = this.#settings;
    if (this.#made >= attempts) return false;
    const wait = this.#asked(retryAfter) ?? delay * 2 ** this.#made * (0.5 + Math.random() / 2);
    if (this.#waited + wait > budget) return false;
    this.#made += 1;
    this.#waited += wait;
    this.#next = wait;
    return true;
  }

  /** RFC 9110 §10.2.3: seconds, or a date. */
  #asked(retryAfter: string | undefined): number | undefined {
    if (retryAfter === undefined) return undefined;
    if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1000;
    const date = Date.parse(retryAfter);
    return Number.isNaN(date) ? undefined : Math.max(0, date - this.#now());
  }
}

/** A timeout has already cost all the patience there is. */
function isPassing(error: unknown): boolean {
  return error instanceof UpstreamError && error.failure === 'refused_connection' && !isBrokenCircuitError(error.cause);
}
