import type { Coordination, Json, Lease } from './coordination.ts';

type Handler = (message: Json) => void;

interface Holder {
  readonly by: MemoryCoordination;
  readonly over: () => void;
  readonly ended: Promise<void>;
}

/** What the participants of one memory have in common: one process, or several in a test. */
class Room {
  readonly holders = new Map<string, Holder>();
  readonly kept = new Map<string, { readonly value: Json; readonly until: number }>();
  readonly members = new Set<MemoryCoordination>();
  #fence = 0;

  constructor(readonly now: () => number) {}

  /** Microseconds since 1970, or one more than the last: it goes on growing over a restart, and when the clock is set back. */
  nextFence(): number {
    this.#fence = Math.max(this.#fence + 1, Math.trunc(this.now() * 1000));
    return this.#fence;
  }

  get lastFence(): number {
    return this.#fence;
  }

  atLeast(fence: number): void {
    this.#fence = Math.max(this.#fence, fence);
  }
}

const NEVER = new AbortController().signal;
/** Values kept at most; the oldest go first. */
const MOST_KEPT = 10_000;

/** Coordination within one process. */
export class MemoryCoordination implements Coordination {
  readonly state = 'ok';
  readonly #room: Room;
  readonly #handlers = new Map<string, Set<Handler>>();

  constructor(now: () => number = Date.now, room?: Room) {
    this.#room = room ?? new Room(now);
    this.#room.members.add(this);
  }

  get shared(): boolean {
    return this.#room.members.size > 1;
  }

  /** Another participant. */
  join(): MemoryCoordination {
    return new MemoryCoordination(this.#room.now, this.#room);
  }

  async lease(name: string): Promise<Lease | undefined> {
    return this.take(name);
  }

  /** The same, at once. */
  take(name: string): Lease | undefined {
    const { holders } = this.#room;
    if (holders.has(name)) return undefined;
    const { promise: ended, resolve: over } = Promise.withResolvers<void>();
    const holder: Holder = { by: this, over, ended };
    holders.set(name, holder);
    const release = async (): Promise<void> => {
      if (holders.get(name) === holder) holders.delete(name);
      over();
    };
    return { fence: this.#room.nextFence(), lost: NEVER, release };
  }

  async released(name: string, signal: AbortSignal): Promise<void> {
    const held = this.#room.holders.get(name);
    if (held) await Promise.race([held.ended, aborted(signal)]);
  }

  async publish(topic: string, message: Json): Promise<void> {
    const text = JSON.stringify(message);
    for (const member of this.#room.members) if (member !== this) member.deliver(topic, JSON.parse(text));
  }

  /** For who brings messages from elsewhere. */
  deliver(topic: string, message: Json): void {
    for (const handler of this.#handlers.get(topic) ?? []) handler(message);
  }

  subscribe(topic: string, handler: Handler): () => void {
    const handlers = this.#handlers.get(topic) ?? new Set();
    this.#handlers.set(topic, handlers);
    handlers.add(handler);
    return () => handlers.delete(handler);
  }

  onGap(): () => void {
    return () => {};
  }

  async put(key: string, value: Json, ttlMs: number): Promise<void> {
    const { kept, now } = this.#room;
    kept.delete(key);
    kept.set(key, { value, until: now() + ttlMs });
    for (const [oldest] of kept) {
      if (kept.size <= MOST_KEPT) break;
      kept.delete(oldest);
    }
  }

  async get(key: string): Promise<Json | undefined> {
    const { kept, now } = this.#room;
    const found = kept.get(key);
    if (found && found.until > now()) return found.value;
    kept.delete(key);
    return undefined;
  }

  async alone(): Promise<undefined> {}

  async close(): Promise<void> {
    this.#room.members.delete(this);
    for (const [name, { by, over }] of this.#room.holders) {
      if (by !== this) continue;
      this.#room.holders.delete(name);
      over();
    }
  }

  isHeld(name: string): boolean {
    return this.#room.holders.has(name);
  }

  get lastFence(): number {
    return this.#room.lastFence;
  }

  /** Fences from elsewhere are not given again. */
  atLeast(fence: number): void {
    this.#room.atLeast(fence);
  }
}

/** Resolves when it aborts. */
function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
