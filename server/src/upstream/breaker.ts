import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleType,
  isBrokenCircuitError,
} from 'cockatiel';
import type { Rest } from './rests.ts';
import { UpstreamError, type UpstreamFailure } from './upstream.ts';

export interface BreakerSettings {
  /** As in a sentence. */
  readonly host: string;
  /** So many requests in a row without an answer, and the origin is left alone. */
  readonly failures: number;
  /** For so long; milliseconds. */
  readonly rest: number;
  readonly now: () => number;
  readonly broke: (rest: Rest) => void;
  readonly recovered: () => void;
}

const WITHOUT_ANSWER: readonly UpstreamFailure[] = ['unresolved', 'refused_connection', 'timeout'];

/** Whether an origin is asked at all: not for a while after it did not answer, here or where another process asked it. */
export class Breaker {
  readonly #settings: BreakerSettings;
  #policy: CircuitBreakerPolicy;
  #restsUntil = 0;
  /** What another process said. */
  #told: string | undefined;

  constructor(settings: BreakerSettings) {
    this.#settings = settings;
    this.#policy = this.#made(undefined);
  }

  /** Whether it is left alone, or is being asked whether it is back. */
  get resting(): boolean {
    return this.#policy.state !== CircuitState.Closed;
  }

  /** Throws `UpstreamError` without asking while the origin rests. */
  async execute<Result>(ask: () => Promise<Result>): Promise<Result> {
    try {
      // While one request tries whether the origin is back, the others do not wait for its timeout.
      if (this.#policy.state === CircuitState.HalfOpen) throw new BrokenCircuitError();
      return await this.#policy.execute(ask);
    } catch (error) {
      throw isBrokenCircuitError(error) ? this.#refusal(error) : error;
    }
  }

  /** Another process had no answer: this one leaves the origin alone as long, and tries it once then. */
  restAlso({ milliseconds, why }: Rest): void {
    const { rest, now } = this.#settings;
    const left = Math.min(milliseconds, rest);
    if (left <= 0 || (this.resting && this.#restsUntil >= now() + left)) return;
    const opened = { value: CircuitState.Open, openedAt: Date.now() - (rest - left), attemptNo: 1 };
    this.#policy = this.#made({ ownState: opened, breakerState: 0 });
    this.#restsUntil = now() + left;
    this.#told = why;
  }

  /** Another process found it back. */
  wake(): void {
    if (this.resting) this.#policy = this.#made(undefined);
  }

  #made(initialState: unknown): CircuitBreakerPolicy {
    const { failures, rest, now, broke, recovered } = this.#settings;
    const policy = circuitBreaker(
      handleType(UpstreamError, ({ failure }) => WITHOUT_ANSWER.includes(failure)),
      {
        breaker: new ConsecutiveBreaker(failures),
        halfOpenAfter: rest,
        ...(initialState === undefined ? {} : { initialState }),
      },
    );
    policy.onBreak(() => {
      if (policy !== this.#policy) return;
      this.#restsUntil = now() + rest;
      this.#told = undefined;
      broke({ milliseconds: rest, why: this.#failure()?.message ?? '' });
    });
    policy.onReset(() => policy === this.#policy && recovered());
    return policy;
  }

  #failure(): UpstreamError | undefined {
    const last = this.#policy.lastFailure;
    return last && 'error' in last && last.error instanceof UpstreamError ? last.error : undefined;
  }

  #refusal(cause: BrokenCircuitError): UpstreamError {
    const { host, failures, now } = this.#settings;
    const failure = this.#failure();
    const wait = Math.ceil((this.#restsUntil - now()) / 1000);
    const again = wait > 0 ? `will be asked again in ${wait} s` : 'is being asked whether it is back';
    const where = this.#told === undefined ? '' : ', as another process of this installation found,';
    const message = `${host} had no answer ${failures} times in a row${where} and ${again}. ${this.#told ?? failure?.message ?? ''}`;
    return new UpstreamError(failure?.failure ?? 'timeout', message.trim(), { cause });
  }
}
