import { setTimeout as sleep } from 'node:timers/promises';
import { faultsOf } from './faults/all.ts';
import type { Fault, Kind } from './faults/fault.ts';
import { comes, healthOf } from './health.ts';
import type { Hot } from './hot.ts';
import { Random } from './random.ts';
import type { Session } from './session.ts';
import type { Trouble } from './weather.ts';

/** Milliseconds in which health names what fails, and is well again. */
const NAMED_WITHIN = 5000;
const WELL_WITHIN = 30_000;
/** Share of the times in which two things go wrong at once. */
const TWO = 0.3;
const CALM: readonly [number, number] = [1500, 6000];

/** Lets things go wrong, one or two at a time, in an order that follows from the seed; ends with everything well again. */
export class Storm {
  readonly #session: Session;
  readonly #hot: Hot;
  readonly #random: Random;
  /** What went wrong, and how often. */
  readonly counts = new Map<string, number>();

  constructor(session: Session, hot: Hot) {
    this.#session = session;
    this.#hot = hot;
    this.#random = new Random(session.seed, 'faults');
  }

  async rage(until: number): Promise<void> {
    const kinds = faultsOf(this.#session.installation);
    while (Date.now() < until) {
      await sleep(this.#random.between(...CALM));
      const faults = this.#next(kinds);
      await Promise.all(faults.map((fault) => this.#live(fault, until)));
    }
  }

  #next(kinds: readonly Kind[]): readonly Fault[] {
    const first = this.#random.weighted(kinds);
    const others = kinds.filter(({ group }) => group !== first.group);
    const picked = this.#random.chance(TWO) ? [first, this.#random.weighted(others)] : [first];
    // Each has dice of its own, so that what one does does not change what the next one is.
    return picked.flatMap((kind) => kind.make(this.#session, new Random(this.#random.next())) ?? []);
  }

  async #live(fault: Fault, until: number): Promise<void> {
    const { session } = { session: this.#session };
    const lasts = fault.lasts ? this.#random.between(...fault.lasts) : 0;
    this.counts.set(fault.name, (this.counts.get(fault.name) ?? 0) + 1);
    if (fault.shows !== undefined) await this.#hot.warm();
    const trouble: Trouble = {
      name: fault.name,
      breaks: fault.breaks,
      began: Date.now(),
      settles: fault.settles,
      ...(fault.server === undefined ? {} : { server: fault.server }),
    };
    session.weather.begin(trouble);
    session.say(`begins: ${fault.name}`);
    const end = await fault.begin();
    const over = new AbortController();
    const watching = fault.shows === undefined ? [] : this.#watch(fault, fault.shows, over.signal);
    // One that has to show itself lasts long enough for it.
    const longest = Math.max(until - Date.now(), fault.lasts?.[0] ?? 0);
    await sleep(Math.min(lasts, longest));
    over.abort();
    await Promise.all(watching);
    await end();
    trouble.ended = Date.now();
    session.say(`is over: ${fault.name}`);
    if (fault.breaks.length > 0) await this.#heals(fault);
  }

  #watch(fault: Fault, part: string, signal: AbortSignal): readonly Promise<void>[] {
    const servers = fault.server === undefined ? [...this.#session.addresses.keys()] : [fault.server];
    return servers.flatMap((server) => [this.#isNamed(fault, part, server), this.#goesOn(fault, server, signal)]);
  }

  async #isNamed({ name }: Fault, part: string, server: number): Promise<void> {
    let seen: readonly string[] | undefined;
    const isNamed = await comes(NAMED_WITHIN, async () => {
      seen = (await healthOf(this.#session, server))?.failing;
      return seen?.includes(part) === true || this.#isDown(server);
    });
    if (isNamed) return;
    const said = seen === undefined ? 'does not answer' : `says that ${seen.join(', ') || 'nothing'} fails`;
    this.#session.findings.add(`health does not name ${part} within 5 s`, `${name}: server ${server} ${said}`);
  }

  async #goesOn({ name }: Fault, server: number, signal: AbortSignal): Promise<void> {
    const began = Date.now();
    const hits = await this.#hot.count(server, signal);
    const wasDown = this.#session.weather
      .between(began, Date.now(), ['process'], server)
      .some((one) => one.name !== name);
    if (hits > 0 || wasDown) return;
    this.#session.findings.add('nothing in memory was served', `${name}: server ${server}, ${Date.now() - began} ms`);
  }

  async #heals({ name }: Fault): Promise<void> {
    for (const server of this.#session.addresses.keys()) {
      let seen: string | undefined;
      const isWell = await comes(WELL_WITHIN, async () => {
        const health = await healthOf(this.#session, server);
        seen = health && (health.failing.join(', ') || `nothing, and answers ${health.status}`);
        return health?.status === 200 || this.#session.weather.now.length > 0;
      });
      if (isWell) continue;
      const said = seen === undefined ? 'does not answer' : `says that ${seen} fails`;
      this.#session.findings.add('health is not well 30 s after a fault', `${name}: server ${server} ${said}`);
    }
  }

  #isDown(server: number): boolean {
    return this.#session.installation.servers[server]?.pid === undefined;
  }
}
