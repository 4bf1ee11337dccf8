import type { EngineEvent, Events } from '../engine/events.ts';
import type { Log } from '../engine/log.ts';
import type { Ledger } from '../ledger/ledger.ts';

export interface EventLogDeps {
  readonly ledger: Pick<Ledger, 'recordEvents' | 'forgetEvents'>;
  readonly log: Log;
  readonly now: () => number;
}

/** How long what happened can be read, in milliseconds. */
export const KEPT_MS = 24 * 3_600_000;
const SWEEP_MS = 3_600_000;
const GATHER_MS = 50;
const RETRY_MS = 2000;
/** Held while the ledger cannot take them; what comes then is counted and let go. */
const MOST_HELD = 10_000;

/** Puts what happened on record, some at once. The end of the process may lose the last of it, never what was pulled. */
export class EventLog implements Events {
  readonly #deps: EventLogDeps;
  #held: EngineEvent[] = [];
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #sweptAt = 0;
  #closed = false;

  constructor(deps: EventLogDeps) {
    this.#deps = deps;
  }

  emit(event: EngineEvent): void {
    if (this.#closed) return;
    if (this.#held.length < MOST_HELD) this.#held.push(event);
    else this.#dropped += 1;
    this.#wake(GATHER_MS);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#flush();
  }

  #wake(after: number): void {
    this.#timer ??= setTimeout(() => {
      this.#writing = this.#flush().finally(() => {
        this.#timer = undefined;
        if (this.#held.length > 0 && !this.#closed) this.#wake(RETRY_MS);
      });
    }, after).unref();
  }

  async #flush(): Promise<void> {
    const { ledger, log, now } = this.#deps;
    const events = this.#held;
    if (events.length === 0) return;
    this.#held = [];
    try {
      await ledger.recordEvents(
        events.map(({ details, ...event }) => ({ ...event, details: JSON.stringify(details) })),
      );
      if (this.#dropped > 0) log.warn('events were not put on record', { events: this.#dropped });
      this.#dropped = 0;
      if (now() - this.#sweptAt < SWEEP_MS) return;
      await ledger.forgetEvents(now() - KEPT_MS);
      this.#sweptAt = now();
    } catch (error) {
      log.warn('events cannot be put on record now', { events: events.length, error });
      const room = Math.max(0, MOST_HELD - this.#held.length);
      this.#dropped += Math.max(0, events.length - room);
      this.#held = [...events.slice(0, room), ...this.#held];
    }
  }
}
