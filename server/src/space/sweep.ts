import type { Log } from '../engine/log.ts';
import type { Objects } from '../engine/objects.ts';
import type { Ledger, UsedObject } from '../ledger/ledger.ts';
import type { Listed, Store } from '../store/store.ts';
import { chunkOf } from './chunk.ts';
import type { SpaceMetrics } from './metrics.ts';
import type { Pace } from './pace.ts';
import { Progress } from './progress.ts';
import { recordsUntil } from './records.ts';

export interface SweepDeps {
  readonly ledger: Pick<
    Ledger,
    'dying' | 'condemn' | 'oldEvidence' | 'evictUnused' | 'blobs' | 'disown' | 'markUnmeant' | 'fact' | 'setFact'
  >;
  readonly store: Pick<Store, 'list'>;
  readonly objects: Pick<Objects, 'clear' | 'forget'>;
  readonly metrics: Pick<SpaceMetrics, 'sweptBlobs'>;
  readonly log: Log;
  readonly pace: Pick<Pace, 'of'>;
  readonly now: () => number;
  /** Other processes use the same ledger: a deletion that is not finished may be under way there. */
  readonly shared: boolean;
  readonly times?: Partial<SweepTimes>;
}

/** Milliseconds. */
export interface SweepTimes {
  /** What nothing means is left alone so long: somebody may be reading it. */
  readonly grace: number;
  /** A deletion that takes so long was broken off. */
  readonly brokenOff: number;
  /** A blob that is not on record, and was not stored within that time, belongs to nobody. */
  readonly stray: number;
  readonly evidence: number;
  /** From the end of one walk through the store to the beginning of the next. */
  readonly between: number;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TIMES: SweepTimes = { grace: 5 * 60_000, brokenOff: 60_000, stray: DAY, evidence: 90 * DAY, between: DAY };
/** Blobs at a time; and of the store, in one turn. */
const STEP = 64;
const CHUNK = 128;
const CHUNKS = 16;

/** So many blobs that are not on record, and such a share of what was looked at, are not ours to delete. */
const FOREIGN = { most: 10, share: 0.5 };

export interface SweepState {
  /** The walk through the store has come so far; absent: none is under way. */
  readonly after?: string;
  /** Of this walk. */
  readonly looked?: number;
  readonly strays?: number;
  /** When the last walk ended. */
  readonly walkedAt?: number;
}

/** Deletes what nothing means: orphaned blobs, blobs that are not on record, and evidence that is old. */
export class Sweep {
  readonly #deps: SweepDeps;
  readonly #times: SweepTimes;
  readonly #progress: Progress<SweepState>;
  #isFirst = true;
  #evidenceAt = Number.NEGATIVE_INFINITY;

  constructor(deps: SweepDeps) {
    this.#deps = deps;
    this.#times = { ...TIMES, ...deps.times };
    this.#progress = new Progress(deps.ledger, 'sweep');
  }

  /** Does what is due, as far as it fits into one turn. */
  async turn(): Promise<void> {
    await this.#finish();
    await this.#orphans();
    await this.#evidence();
    await this.#walk();
  }

  /** Alone, every deletion found at the start was broken off by the end of the process before. */
  async #finish(): Promise<void> {
    const { ledger, shared, now } = this.#deps;
    const since = this.#isFirst && !shared ? now() + 1 : now() - this.#times.brokenOff;
    this.#isFirst = false;
    await this.#inSteps('broken_off', () => ledger.dying(since, STEP));
  }

  async #orphans(): Promise<void> {
    const { ledger, now } = this.#deps;
    await this.#inSteps('orphaned', () => ledger.condemn(now() - this.#times.grace, STEP, now()));
  }

  async #inSteps(why: string, doomed: () => Promise<readonly string[]>): Promise<void> {
    const { objects, metrics, pace } = this.#deps;
    for (let more = true; more; ) {
      const { blobs } = await pace.of(() => objects.clear(async () => ({ blobs: await doomed() })));
      if (blobs.length > 0) metrics.sweptBlobs.inc({ why }, blobs.length);
      more = blobs.length === STEP;
    }
  }

  async #evidence(): Promise<void> {
    const { ledger, pace, now, log } = this.#deps;
    if (now() - this.#evidenceAt < HOUR) return;
    for (let gone = -1; gone !== 0; ) {
      const found = await pace.of(() => ledger.oldEvidence(now() - this.#times.evidence, STEP));
      gone = 0;
      for (const [repository, some] of Map.groupBy(found, (one) => one.repository))
        gone += await pace.of(() => this.#forget(repository, some));
      if (gone > 0) log.info('removed evidence that is over its time', { objects: gone });
    }
    this.#evidenceAt = now();
  }

  async #forget(repository: string, found: readonly UsedObject[]): Promise<number> {
    const { ledger, objects, now } = this.#deps;
    const gone = await objects.clear(async () => {
      const evicted = await ledger.evictUnused(found, now());
      objects.forget(repository, evicted.paths);
      return evicted;
    });
    return gone.objects;
  }

  /** A piece of the walk through the store, or the beginning of one where it is time. */
  async #walk(): Promise<void> {
    const { store, pace, now } = this.#deps;
    let state: SweepState = await this.#progress.read();
    const { after, walkedAt = Number.NEGATIVE_INFINITY } = state;
    if (after === undefined && now() - walkedAt < this.#times.between) return;
    const listing = store.list(after)[Symbol.asyncIterator]();
    try {
      for (let turn = 0; turn < CHUNKS; turn += 1) {
        const found = await pace.of(() => chunkOf(listing, CHUNK));
        state = await pace.of(() => this.#chunk(found, state));
        if (found.length === CHUNK) continue;
        await this.#progress.write({ walkedAt: now() });
        return;
      }
    } finally {
      await listing.return?.();
    }
    await this.#progress.write(state);
  }

  async #chunk(found: readonly Listed[], state: SweepState): Promise<SweepState> {
    const { ledger, now } = this.#deps;
    const last = found.at(-1)?.digest;
    if (last === undefined) return state;
    const known = await recordsUntil(ledger, state.after, last);
    const old = now() - this.#times.stray;
    const strays = found.filter(({ digest, modified }) => modified < old && !known.has(digest));
    const { looked = 0, strays: before = 0 } = state;
    const next = { ...state, after: last, looked: looked + found.length, strays: before + strays.length };
    if (strays.length > 0) await this.#remove(strays, next);
    const digests = found.map(({ digest }) => digest).filter((digest) => known.has(digest));
    await ledger.markUnmeant(digests, now());
    return next;
  }

  /** Where most of what is there is unknown, it is rather the ledger that is not the one of this store. */
  async #remove(strays: readonly Listed[], walk: { readonly looked: number; readonly strays: number }): Promise<void> {
    const { ledger, objects, metrics, log, now } = this.#deps;
    if (walk.strays > FOREIGN.most && walk.strays > walk.looked * FOREIGN.share) {
      if (walk.strays - strays.length > FOREIGN.most) return;
      log.error(
        'most blobs in the store are not on record, and are not deleted: does another installation use it, or was the database replaced?',
        { unknown: walk.strays, of: walk.looked },
      );
      return;
    }
    const { blobs } = await objects.clear(async () => ({ blobs: await ledger.disown(strays, now()) }));
    metrics.sweptBlobs.inc({ why: 'stray' }, blobs.length);
    if (blobs.length > 0) log.info('deleted blobs that are not on record', { blobs: blobs.length });
  }
}
