import type { Lease } from './coordination.ts';
import type { RedisClient, RedisLink } from './redis-link.ts';

/** Every script does all of its work or nothing, so that no two processes ever have the same lease. */

/** The lease, the last fence · token, ttl in ms, the least the fence may be · the fence, or nothing. */
const TAKE = `
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
local time = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local fence = math.max(last + 1, time[1] * 1000000 + time[2], tonumber(ARGV[3]) + 1)
redis.call('SET', KEYS[2], string.format('%.0f', fence))
return string.format('%.0f', fence)`;

/** The lease · token, ttl · 1: it is kept, also by a server that has lost what it knew. */
const RENEW = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

/** The lease · token, channel, message · whoever waits is told. */
const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1`;

export interface Taking {
  readonly link: RedisLink;
  /** Where the lease is kept, and the last fence. */
  readonly keys: readonly [lease: string, fence: string];
  readonly token: string;
  readonly ttlMs: number;
  readonly atLeast: number;
}

/** `held`: somebody else has it; undefined: the server did not say. */
export async function takeLease({ link, keys, token, ttlMs, atLeast }: Taking): Promise<number | 'held' | undefined> {
  const fence = await run(link, TAKE, keys, [token, String(ttlMs), String(atLeast)]);
  if (fence === undefined) return undefined;
  return fence === null ? 'held' : Number(fence);
}

/** A lease that a Redis server knows of, renewed in the background. `local`: the same within this process. */
export class RedisLease implements Lease {
  readonly fence: number;
  readonly #taking: Taking;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #local: Lease;
  /** Milliseconds of `performance.now()`. */
  #keptUntil: number;

  constructor(taking: Taking, fence: number, began: number, local: Lease) {
    this.#taking = taking;
    this.fence = fence;
    this.#local = local;
    this.#keptUntil = began + taking.ttlMs;
    this.#timer = setInterval(() => void this.#renew(), taking.ttlMs / 3).unref();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Without `told` nobody hears of it, as when a process ends. */
  async release(told?: { readonly channel: string; readonly message: string }): Promise<void> {
    clearInterval(this.#timer);
    const { link, keys, token } = this.#taking;
    if (!this.lost.aborted)
      await run(link, RELEASE, keys.slice(0, 1), [token, told?.channel ?? '', told?.message ?? '']);
    await this.#local.release();
  }

  async #renew(): Promise<void> {
    const { link, keys, token, ttlMs } = this.#taking;
    const began = performance.now();
    const kept = await run(link, RENEW, keys.slice(0, 1), [token, String(ttlMs)]);
    if (kept === 1) this.#keptUntil = began + ttlMs;
    else if (kept === 0 || performance.now() >= this.#keptUntil) this.#lose();
  }

  #lose(): void {
    clearInterval(this.#timer);
    this.#lost.abort();
  }
}

function run(link: RedisLink, script: string, keys: readonly string[], given: readonly string[]): Promise<unknown> {
  return link.call((client: RedisClient) => client.eval(script, { keys: [...keys], arguments: [...given] }));
}
