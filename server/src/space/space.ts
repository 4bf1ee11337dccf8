import type { Events } from '../engine/events.ts';
import type { Log } from '../engine/log.ts';
import type { Objects } from '../engine/objects.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Store } from '../store/store.ts';
import { Damage } from './damage.ts';
import { type Declared, Limits, type Room } from './limits.ts';
import type { SpaceMetrics } from './metrics.ts';
import { Pace } from './pace.ts';
import { Progress } from './progress.ts';
import { Scrub, type ScrubState } from './scrub.ts';
import { Sweep, type SweepState, type SweepTimes } from './sweep.ts';
import { Verification } from './verification.ts';

export interface SpaceDeps {
  readonly ledger: Ledger;
  /** As it is, without what counts readers. */
  readonly store: Store;
  readonly objects: Objects;
  /** Memory forgets what was made of these objects. */
  readonly evicted: (repository: string, paths: readonly string[] | 'all') => void;
  readonly declared: () => Declared;
  readonly room?: () => Promise<Room>;
  readonly wasReadLately: (digest: string) => boolean;
  readonly events: Events;
  readonly metrics: SpaceMetrics;
  readonly log: Log;
  readonly now: () => number;
  /** Milliseconds for one round of reading every blob again; 0: never. */
  readonly scrubEvery: number;
  /** Other processes use the same store and ledger. */
  readonly shared: boolean;
  /** The right to do it, which one process has; default: it is always ours. */
  readonly lease?: () => Promise<{ readonly lost: AbortSignal; release(): Promise<void> } | undefined>;
  readonly times?: Partial<SweepTimes>;
  /** Of one core, for what has time. */
  readonly share?: number;
}

export interface SpaceStatus {
  readonly sweep: SweepState;
  readonly scrub: ScrubState;
  readonly quarantined: number;
  readonly lost: Damage['lost'];
}

/** Milliseconds from one turn to the next. */
const TURN = 15_000;
/** Of one core: what makes room may take more than what has time. */
const HURRIED = 0.8;
const LEISURELY = 0.04;
/** What somebody waits for. */
const ASKED = 0.7;

/** Space that looks after itself: limits, what nothing means any more, and bytes that went bad. */
export class Space {
  readonly verification: Verification;
  readonly #deps: SpaceDeps;
  readonly #limits: Limits;
  readonly #sweep: Sweep;
  readonly #scrub: Scrub;
  readonly #damage: Damage;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | undefined;
  #lease: Awaited<ReturnType<NonNullable<SpaceDeps['lease']>>>;

  constructor(deps: SpaceDeps) {
    const { signal } = this.#closing;
    const leisurely = new Pace(deps.share ?? LEISURELY, signal);
    this.#deps = deps;
    this.#damage = new Damage(deps);
    this.#limits = new Limits({ ...deps, pace: new Pace(HURRIED, signal) });
    this.#sweep = new Sweep({ ...deps, pace: leisurely });
    this.#scrub = new Scrub({ ...deps, damage: this.#damage, pace: leisurely, every: deps.scrubEvery });
    this.verification = new Verification({ ...deps, damage: this.#damage, pace: new Pace(ASKED, signal) });
  }

  /** From now on it looks by itself. */
  start(): void {
    this.#timer ??= setInterval(() => void this.look(), TURN).unref();
    void this.look();
  }

  /** A remote fetched so much: where that is too much, nobody waits for the next turn. */
  grew(repository: string, bytes: number): void {
    if (this.#limits.grew(repository, bytes) && !this.#closing.signal.aborted) void this.look();
  }

  /** What is published here, damaged, and was not brought back. */
  get lost(): Damage['lost'] {
    return this.#damage.lost;
  }

  /** Does what is due, unless that is under way; resolves when it is done. Never rejects. */
  look(): Promise<void> {
    this.#turn ??= this.#look()
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted)
          this.#deps.log.warn('tidying the store failed, and is tried again', { error });
      })
      .finally(() => {
        this.#turn = undefined;
      });
    return this.#turn;
  }

  async status(): Promise<SpaceStatus> {
    const { ledger } = this.#deps;
    await this.#damage.load();
    return {
      sweep: await new Progress<SweepState>(ledger, 'sweep').read(),
      scrub: await new Progress<ScrubState>(ledger, 'scrub').read(),
      quarantined: this.#damage.quarantined,
      lost: this.#damage.lost,
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort();
    await Promise.all([this.#turn, this.verification.settled()]);
    await this.#lease?.release();
  }

  async #look(): Promise<void> {
    await this.#damage.load();
    if (!(await this.#isOurs())) return;
    // Each has its turn, whatever became of those before it.
    const failed: unknown[] = [];
    for (const work of [this.#limits, this.#sweep, this.#scrub, this.#damage])
      await work.turn().catch((error: unknown) => failed.push(error));
    if (failed.length > 0) throw failed[0];
  }

  async #isOurs(): Promise<boolean> {
    const { lease } = this.#deps;
    if (!lease) return true;
    if (this.#lease && !this.#lease.lost.aborted) return true;
    this.#lease = await lease();
    this.#scrub.resume();
    return this.#lease !== undefined;
  }
}
