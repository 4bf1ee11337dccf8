import type { Coordination } from '../coordination/coordination.ts';
import type { Rest, Rests } from '../upstream/rests.ts';

const TOPIC = 'upstream';

interface Said {
  readonly channel: string;
  /** Null: it is back. */
  readonly rest: { readonly until: number; readonly why: string } | null;
}

/** Which upstreams are left alone, over all processes. Their clocks agree to a second or so, which is what a rest may differ by. */
export class SharedRests implements Rests {
  readonly #coordination: Coordination;
  readonly #now: () => number;

  constructor(coordination: Coordination, now: () => number) {
    this.#coordination = coordination;
    this.#now = now;
  }

  begun(channel: string, { milliseconds, why }: Rest): void {
    this.#say({ channel, rest: { until: this.#now() + milliseconds, why } }, milliseconds);
  }

  ended(channel: string): void {
    this.#say({ channel, rest: null }, 1);
  }

  async of(channel: string): Promise<Rest | undefined> {
    const said = (await this.#coordination.get(keyOf(channel))) as Said | undefined;
    return said && this.#restOf(said);
  }

  follow(heard: (channel: string, rest: Rest | undefined) => void): void {
    this.#coordination.subscribe(TOPIC, (message) => {
      const said = message as unknown as Said;
      heard(said.channel, this.#restOf(said));
    });
  }

  #say(said: Said, ttlMs: number): void {
    const message = { channel: said.channel, rest: said.rest && { ...said.rest } };
    void this.#coordination.publish(TOPIC, message);
    void this.#coordination.put(keyOf(said.channel), message, ttlMs);
  }

  #restOf({ rest }: Said): Rest | undefined {
    return rest ? { milliseconds: rest.until - this.#now(), why: rest.why } : undefined;
  }
}

function keyOf(channel: string): string {
  return `rest:${channel}`;
}
