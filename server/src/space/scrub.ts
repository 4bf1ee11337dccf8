import type { BlobRow, Ledger } from '../ledger/ledger.ts';
import type { Store } from '../store/store.ts';
import type { Damage } from './damage.ts';
import type { SpaceMetrics } from './metrics.ts';
import type { Pace } from './pace.ts';
import { Progress } from './progress.ts';
import { isSettled, isWanted } from './records.ts';
import { reread } from './reread.ts';

export interface ScrubDeps {
  readonly ledger: Pick<Ledger, 'blobs' | 'sizes' | 'fact' | 'setFact'>;
  readonly store: Pick<Store, 'open'>;
  readonly damage: Pick<Damage, 'found'>;
  readonly metrics: Pick<SpaceMetrics, 'scrubbedBlobs' | 'scrubbedBytes'>;
  readonly pace: Pick<Pace, 'of'>;
  readonly now: () => number;
  /** Milliseconds for one round through all blobs; 0: none. */
  readonly every: number;
}

export interface ScrubState {
  /** When this round began. */
  readonly since?: number;
  readonly after?: string;
  readonly blobs?: number;
  readonly bytes?: number;
  readonly damaged?: number;
  /** When the last round ended, and what it found. */
  readonly last?: { readonly at: number; readonly blobs: number; readonly bytes: number; readonly damaged: number };
}

type Round = Required<Pick<ScrubState, 'since' | 'blobs' | 'bytes' | 'damaged'>> & Pick<ScrubState, 'after' | 'last'>;

/** What a small blob costs as if it were so many bytes larger. */
const EACH = 4096;
/** Bytes of one turn, also when there is much to catch up with. */
const MOST = 256e6;
const PAGE = 200;
/** Milliseconds between two notes of how far it has come; what is read twice after a crash does no harm. */
const NOTED = 60_000;
/** Milliseconds for which the size of the whole is good enough. */
const RECOUNT = 3_600_000;

/** Reads every blob again, spread evenly over the time of a round. */
export class Scrub {
  readonly #deps: ScrubDeps;
  readonly #progress: Progress<ScrubState>;
  #round: Round | undefined;
  #notedAt = Number.NEGATIVE_INFINITY;
  #whole = { at: Number.NEGATIVE_INFINITY, weight: 0 };

  constructor(deps: ScrubDeps) {
    this.#deps = deps;
    this.#progress = new Progress(deps.ledger, 'scrub');
  }

  /** Another process may have gone on with it since. */
  resume(): void {
    this.#round = undefined;
  }

  /** Reads what is due by now. */
  async turn(): Promise<void> {
    const { every, now } = this.#deps;
    if (every === 0) return;
    let round = this.#round ?? (await this.#resumed());
    // After a round that was quick, because there is little, the next waits for its time.
    if (now() < round.since) return;
    const share = (now() - round.since) / every;
    // What was read and deleted since counts too: at the end of its time, whatever is left is due.
    const due = share < 1 ? (await this.#weight()) * share : Number.POSITIVE_INFINITY;
    for (let read = 0; read < MOST && weightOf(round) <= due; ) {
      const next = await this.#some(round, Math.min(due - weightOf(round), MOST - read));
      read += next.bytes - round.bytes + EACH;
      round = next;
      this.#round = round;
      if (next.after !== undefined) continue;
      await this.#end(round);
      return;
    }
    if (now() - this.#notedAt >= NOTED) await this.#note(round);
  }

  /** Until so much was read; without `after`: that was all. */
  async #some(round: Round, most: number): Promise<Round> {
    const { ledger, pace } = this.#deps;
    const { after } = round;
    const rows = await pace.of(() => ledger.blobs({ limit: PAGE, ...(after === undefined ? {} : { after }) }));
    let next = round;
    for (const row of rows) {
      if (weightOf(next) - weightOf(round) > most) return next;
      next = await this.#look(next, row);
    }
    if (rows.length === PAGE) return next;
    const { after: _, ...ended } = next;
    return ended;
  }

  async #look(round: Round, row: BlobRow): Promise<Round> {
    const { store, damage, metrics, pace } = this.#deps;
    const { digest, size } = row;
    const isRead = isSettled(row);
    const condition = isRead ? await reread(store, row, pace) : 'sound';
    // What is missing may have been deleted since the row was read.
    const isDamaged = condition !== 'sound' && (await isWanted(this.#deps.ledger, digest));
    if (isDamaged) await damage.found(digest, condition);
    metrics.scrubbedBlobs.inc();
    metrics.scrubbedBytes.inc(isRead ? size : 0);
    const { blobs, bytes, damaged } = round;
    return { ...round, after: digest, blobs: blobs + 1, bytes: bytes + size, damaged: damaged + (isDamaged ? 1 : 0) };
  }

  async #resumed(): Promise<Round> {
    const { since = this.#deps.now(), blobs = 0, bytes = 0, damaged = 0, ...known } = await this.#progress.read();
    const round = { ...known, since, blobs, bytes, damaged };
    if (known.after === undefined && blobs === 0) await this.#note(round);
    return round;
  }

  async #end({ since, blobs, bytes, damaged }: Round): Promise<void> {
    const { every, now } = this.#deps;
    const last = { at: now(), blobs, bytes, damaged };
    this.#round = { since: Math.max(now(), since + every), blobs: 0, bytes: 0, damaged: 0, last };
    await this.#note(this.#round);
  }

  async #note(round: Round): Promise<void> {
    this.#notedAt = this.#deps.now();
    await this.#progress.write(round);
  }

  async #weight(): Promise<number> {
    const { ledger, now } = this.#deps;
    if (now() - this.#whole.at > RECOUNT) {
      const { bytes, blobs } = await ledger.sizes();
      this.#whole = { at: now(), weight: bytes + blobs * EACH };
    }
    return this.#whole.weight;
  }
}

function weightOf({ blobs, bytes }: Round): number {
  return bytes + blobs * EACH;
}
