import type { Coordination } from '../coordination/coordination.ts';
import type { Engine } from '../engine/engine.ts';
import type { Log } from '../engine/log.ts';
import type { Objects } from '../engine/objects.ts';
import { type Ledger, LedgerError, type Marks } from '../ledger/ledger.ts';
import type { Configuration } from './configuration.ts';
import type { ObjectChange, SharedChanges } from './shared-changes.ts';

export interface ReplicaDeps {
  readonly coordination: Coordination;
  readonly changes: SharedChanges;
  readonly ledger: Pick<Ledger, 'marks'>;
  readonly configuration: Pick<Configuration, 'refresh' | 'snapshot'>;
  readonly engine: Pick<Engine, 'evicted'>;
  readonly objects: Pick<Objects, 'forget'>;
  readonly log: Log;
}

/** Milliseconds between two looks at what others changed: with or without messages, that is how old a rule may be. */
const LOOK = 500;
/** A process that could not look for so long takes no requests; milliseconds. */
const UNCONFIRMED = 30_000;
/** The topic of a change of what is declared. */
export const CONFIGURATION = 'configuration';

/**
 * Keeps what this process serves in step with what the others changed: by their messages at once, and by looking at the ledger
 * twice a second, which needs nobody but the database.
 */
export class Replicas {
  readonly #deps: ReplicaDeps;
  readonly #endings: (() => void)[];
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Milliseconds of `performance.now()`. */
  #confirmedAt = performance.now();
  #closed = false;

  constructor(deps: ReplicaDeps) {
    this.#deps = deps;
    const { coordination, changes } = deps;
    this.#endings = [
      changes.follow((change) => this.#changed(change)),
      coordination.subscribe(CONFIGURATION, () => this.#soon()),
      coordination.onGap(() => this.#soon()),
    ];
    this.#later();
  }

  /** Throws a sentence when it is not known whether what is served is what is declared. */
  async check(): Promise<void> {
    const silent = performance.now() - this.#confirmedAt;
    if (silent < UNCONFIRMED) return;
    throw new Error(
      `for ${Math.round(silent / 1000)} s the ledger could not be asked whether another process changed the configuration`,
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const end of this.#endings) end();
    await this.#looking;
  }

  #later(): void {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => this.#soon(), LOOK).unref();
  }

  /** What is asked for while a look is under way may be newer than what that look finds. */
  #soon(): void {
    if (this.#closed) return;
    const before = this.#looking ?? Promise.resolve();
    const looking = before.then(() => this.#look());
    this.#looking = looking;
    void looking.then(() => {
      if (this.#looking === looking) this.#looking = undefined;
      this.#later();
    });
  }

  async #look(): Promise<void> {
    const { ledger, configuration, changes, log } = this.#deps;
    const before = changes.explained;
    try {
      const marks = await ledger.marks();
      await configuration.refresh(marks.revision);
      if (!this.#agrees(marks, before)) this.#forgetAll();
      this.#confirmedAt = performance.now();
    } catch (error) {
      if (!(error instanceof LedgerError)) log.error('what other processes changed could not be taken over', { error });
    }
  }

  #agrees({ removals }: Marks, before: number): boolean {
    return this.#deps.changes.agrees(removals, before);
  }

  #changed({ isGone, of }: ObjectChange): void {
    for (const { repository, paths } of of) {
      if (isGone) this.#deps.engine.evicted(repository, paths);
      else this.#deps.objects.forget(repository, paths);
    }
  }

  #forgetAll(): void {
    const { configuration, engine, log } = this.#deps;
    log.debug('something was removed by another process, and its message did not come');
    for (const { kind, name } of configuration.snapshot.resources.values())
      if (kind === 'remote' || kind === 'hosted') engine.evicted(name, 'all');
  }
}
