import { randomUUID } from 'node:crypto';
import type { Coordination, Json, Lease } from './coordination.ts';
import { MemoryCoordination } from './memory.ts';
import { RedisLease, takeLease } from './redis-lease.ts';
import { RedisLink } from './redis-link.ts';

export interface RedisSettings {
  readonly url: string;
  /** Of the installation: several may share a server. */
  readonly installation: string;
  /** Told when this process begins to act alone, with the reason, and when that ends. */
  readonly told: (state: 'ok' | 'alone', reason?: string) => void;
}

/** Connected, or alone at first when the server does not answer. */
export async function openRedis(settings: RedisSettings): Promise<Coordination> {
  const coordination = new RedisCoordination(settings);
  await coordination.open();
  return coordination;
}

/** Said by a process that was alone: the others may have missed what it had to say. */
const GAP = '\0gap';
const RELEASED = '\0released';

interface Message {
  readonly from: string;
  readonly topic: string;
  readonly message: Json;
}

/**
 * Coordination over a Redis server. Every name is taken within this process first, so that acting alone differs only in what
 * the others know of it.
 */
class RedisCoordination implements Coordination {
  readonly shared = true;
  readonly #link: RedisLink;
  readonly #local = new MemoryCoordination();
  readonly #self = randomUUID();
  readonly #prefix: string;
  readonly #channel: string;
  readonly #leases = new Set<RedisLease>();
  readonly #gaps = new Set<() => void>();
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor({ url, installation, told }: RedisSettings) {
    this.#prefix = `entrepot:{${installation}}:`;
    this.#channel = `${this.#prefix}messages`;
    let alone = false;
    this.#link = new RedisLink({
      url,
      channel: this.#channel,
      heard: (text) => this.#heard(text),
      connected: () => {
        if (alone) told('ok');
        alone = false;
        void this.publish(GAP, null);
        this.#gap();
      },
      lost: (reason) => {
        told('alone', reason);
        alone = true;
        for (const name of [...this.#waiting.keys()]) this.#wake(name);
      },
    });
  }

  open(): Promise<void> {
    return this.#link.open();
  }

  get state(): 'ok' | 'alone' {
    return this.#link.down === undefined ? 'ok' : 'alone';
  }

  async lease(name: string, ttlMs: number): Promise<Lease | undefined> {
    const local = this.#local.take(name);
    if (!local) return undefined;
    const began = performance.now();
    const taking = {
      link: this.#link,
      keys: [this.#keyOf(name), `${this.#prefix}fence`] as const,
      token: randomUUID(),
      ttlMs,
      atLeast: this.#local.lastFence,
    };
    const fence = await takeLease(taking);
    if (fence === undefined) return local;
    if (fence === 'held') {
      await local.release();
      return undefined;
    }
    this.#local.atLeast(fence);
    return this.#held(name, new RedisLease(taking, fence, began, local));
  }

  async released(name: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#local.isHeld(name)) return this.#local.released(name, signal);
      const waiting = this.#waiter(name);
      // Asked for after this process listens, so that no release falls in between.
      const left = await this.#link.call((client) => client.pTTL(this.#keyOf(name)));
      if (left === undefined || Number(left) <= 0) waiting.wake();
      const timer = setTimeout(waiting.expire, Number(left ?? 0) + 5);
      signal.addEventListener('abort', waiting.wake, { once: true });
      const over = await waiting.over;
      clearTimeout(timer);
      signal.removeEventListener('abort', waiting.wake);
      this.#waiting.get(name)?.delete(waiting.wake);
      if (over === 'woken') return;
    }
  }

  async publish(topic: string, message: Json): Promise<void> {
    await this.#link.call((client) => client.publish(this.#channel, this.#written(topic, message)));
  }

  subscribe(topic: string, handler: (message: Json) => void): () => void {
    return this.#local.subscribe(topic, handler);
  }

  onGap(handler: () => void): () => void {
    this.#gaps.add(handler);
    return () => this.#gaps.delete(handler);
  }

  async put(key: string, value: Json, ttlMs: number): Promise<void> {
    await this.#local.put(key, value, ttlMs);
    const name = `${this.#prefix}state:${key}`;
    const time = Math.max(1, Math.ceil(ttlMs));
    await this.#link.call((client) =>
      client.set(name, JSON.stringify(value), { expiration: { type: 'PX', value: time } }),
    );
  }

  async get(key: string): Promise<Json | undefined> {
    const text = await this.#link.call((client) => client.get(`${this.#prefix}state:${key}`));
    if (text === undefined) return this.#local.get(key);
    return text === null ? undefined : (JSON.parse(String(text)) as Json);
  }

  async alone(): Promise<string | undefined> {
    await this.#link.call((client) => client.ping());
    return this.#link.down;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#leases].map((lease) => lease.release()));
    await this.#link.close();
    await this.#local.close();
    for (const name of [...this.#waiting.keys()]) this.#wake(name);
  }

  #held(name: string, lease: RedisLease): Lease {
    this.#leases.add(lease);
    return {
      fence: lease.fence,
      lost: lease.lost,
      release: async () => {
        if (!this.#leases.delete(lease)) return;
        await lease.release({ channel: this.#channel, message: this.#written(RELEASED, name) });
      },
    };
  }

  /** Woken when it is said that the lease is free, or nobody is left to say so. */
  #waiter(name: string) {
    const { promise: over, resolve } = Promise.withResolvers<'woken' | 'expired'>();
    const wake = (): void => resolve('woken');
    const waiting = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, waiting.add(wake));
    return { over, wake, expire: () => resolve('expired') };
  }

  #wake(name: string): void {
    const waiting = this.#waiting.get(name);
    this.#waiting.delete(name);
    for (const wake of waiting ?? []) wake();
  }

  #heard(text: string): void {
    const { from, topic, message } = JSON.parse(text) as Message;
    if (from === this.#self) return;
    if (topic === RELEASED) this.#wake(String(message));
    else if (topic === GAP) this.#gap();
    else this.#local.deliver(topic, message);
  }

  #gap(): void {
    for (const handler of this.#gaps) handler();
  }

  #written(topic: string, message: Json): string {
    return JSON.stringify({ from: this.#self, topic, message } satisfies Message);
  }

  #keyOf(name: string): string {
    return `${this.#prefix}lease:${name}`;
  }
}
