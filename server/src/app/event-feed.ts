import { setTimeout as pause } from 'node:timers/promises';
import { Fault } from '../engine/fault.ts';
import type { EventRow, FeedPage, FeedPosition, Ledger, PullRow } from '../ledger/ledger.ts';
import { KEPT_MS } from './event-log.ts';

export interface Following {
  readonly kinds?: readonly string[];
  readonly repository?: string;
  /** Go on after it; absent: from now on. */
  readonly after?: FeedPosition;
}

/** One thing that happened, and where its reader is then. */
export type Happening = { readonly position: FeedPosition } & (
  | { readonly event: EventRow }
  | { readonly pull: PullRow }
);

/** Milliseconds between two looks at the ledger, while anybody follows. */
const LOOK_MS = 250;
const BATCH = 500;
const MOST_FOLLOWERS = 50;

/**
 * What happened, as it reaches the ledger: what is read is never held for a reader, so that a slow one costs nothing, and where
 * he was is all that he needs to go on, also after a restart.
 */
export class EventFeed {
  readonly #ledger: Pick<Ledger, 'feed' | 'feedEnd' | 'feedSince'>;
  readonly #now: () => number;
  readonly #closing = new AbortController();
  #followers = 0;
  #looking: Promise<FeedPosition> | undefined;

  constructor(ledger: Pick<Ledger, 'feed' | 'feedEnd' | 'feedSince'>, now: () => number) {
    this.#ledger = ledger;
    this.#now = now;
  }

  /** Open streams. */
  get followers(): number {
    return this.#followers;
  }

  /** Ends every stream. */
  close(): void {
    this.#closing.abort();
  }

  /**
   * In batches, an empty one when nothing happened for `patience` milliseconds; from the moment on at which this resolves. Ends
   * when `signal` aborts or the server stops. Throws `rate_limited` when too many follow already.
   */
  async follow(
    { after, ...filter }: Following,
    patience: number,
    signal: AbortSignal,
  ): Promise<AsyncIterable<readonly Happening[]>> {
    if (this.#followers >= MOST_FOLLOWERS)
      throw new Fault('rate_limited', `${MOST_FOLLOWERS} streams of events are open already.`, {
        details: { retryAfter: 10 },
      });
    const either = AbortSignal.any([signal, this.#closing.signal]);
    this.#followers += 1;
    either.addEventListener('abort', () => this.#left(), { once: true });
    if (either.aborted) this.#left();
    const from = after ? await this.#kept(after) : await this.#ledger.feedEnd();
    return this.#happenings(from, filter, patience, either);
  }

  #left(): void {
    this.#followers -= 1;
  }

  async *#happenings(
    from: FeedPosition,
    filter: Omit<Following, 'after'>,
    patience: number,
    signal: AbortSignal,
  ): AsyncIterable<readonly Happening[]> {
    let position = from;
    let spokenAt = performance.now();
    while (!signal.aborted) {
      const until = await this.#end();
      while (!signal.aborted && isBefore(position, until)) {
        const page = await this.#ledger.feed({ after: position, until, limit: BATCH, ...filter });
        const happened = inOrder(page, position);
        position = page.reached;
        if (happened.length === 0) continue;
        yield happened;
        spokenAt = performance.now();
      }
      if (performance.now() - spokenAt < patience) continue;
      yield [];
      spokenAt = performance.now();
    }
  }

  /** What is older than it is kept is not gone back to. */
  async #kept(after: FeedPosition): Promise<FeedPosition> {
    const first = await this.#ledger.feedSince(this.#now() - KEPT_MS);
    return { event: Math.max(after.event, first.event), pull: Math.max(after.pull, first.pull) };
  }

  /** One look for all who wait. */
  #end(): Promise<FeedPosition> {
    this.#looking ??= pause(LOOK_MS)
      .then(() => this.#ledger.feedEnd())
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }
}

function isBefore(one: FeedPosition, other: FeedPosition): boolean {
  return one.event < other.event || one.pull < other.pull;
}

/** By time; each kind in its own order, so that every place leads on to what was not told yet. */
function inOrder({ events, pulls, reached }: FeedPage, from: FeedPosition): readonly Happening[] {
  const happened: Happening[] = [];
  let { event, pull } = from;
  for (let [nextEvent, nextPull] = [0, 0]; nextEvent < events.length || nextPull < pulls.length; ) {
    const [first, other] = [events[nextEvent], pulls[nextPull]];
    if (first && (!other || first.at <= other.at)) {
      nextEvent += 1;
      event = first.position;
      happened.push({ event: first, position: { event, pull } });
    } else if (other) {
      nextPull += 1;
      pull = other.position;
      happened.push({ pull: other, position: { event, pull } });
    }
  }
  const last = happened.at(-1);
  return last ? [...happened.slice(0, -1), { ...last, position: reached }] : happened;
}
