import type { Log } from '../engine/log.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type CheckDeps, checkStore, type Finding } from './check.ts';
import { Progress } from './progress.ts';

export interface VerificationState {
  readonly scope: 'store';
  readonly read: boolean;
  /** `broken_off`: its process has ended. */
  readonly state: 'running' | 'done' | 'failed' | 'broken_off';
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly message?: string;
  readonly total: Amount;
  readonly done: Amount;
  readonly counts: Readonly<Record<Finding['kind'], number>>;
  /** The first of them. */
  readonly findings: readonly Finding[];
}

export interface Amount {
  readonly blobs: number;
  readonly bytes: number;
}

export interface VerificationDeps extends Omit<CheckDeps, 'read' | 'ledger'> {
  readonly ledger: CheckDeps['ledger'] & Pick<Ledger, 'fact' | 'setFact'>;
  readonly log: Log;
}

/** So many findings are told one by one; the rest is counted. */
const MOST = 1000;
/** Milliseconds between two notes, and after how many without one a run is taken to be over. */
const NOTED = 2000;
const SILENT = 60_000;

/** Runs of `entrepot verify store`, one at a time; every process can say how far it is. */
export class Verification {
  readonly #deps: VerificationDeps;
  readonly #progress: Progress<{ readonly run: VerificationState }>;
  #running: { state: VerificationState; readonly over: Promise<void> } | undefined;

  constructor(deps: VerificationDeps) {
    this.#deps = deps;
    this.#progress = new Progress(deps.ledger, 'verify');
  }

  /** Undefined: there was none yet. */
  async state(): Promise<VerificationState | undefined> {
    if (this.#running) return this.#running.state;
    const { run } = await this.#progress.read();
    if (run?.state !== 'running' || this.#deps.now() - run.updatedAt < SILENT) return run;
    return { ...run, state: 'broken_off' };
  }

  /** Undefined: one is running already. */
  async start(read: boolean): Promise<VerificationState | undefined> {
    if ((await this.state())?.state === 'running' || this.#running) return undefined;
    const at = this.#deps.now();
    const none = { blobs: 0, bytes: 0 };
    const counts = { missing: 0, corrupt: 0, unreferenced: 0 };
    const begun = {
      state: 'running',
      startedAt: at,
      updatedAt: at,
      total: none,
      done: none,
      counts,
      findings: [],
    } as const;
    const running = { state: { scope: 'store', read, ...begun } as VerificationState, over: Promise.resolve() };
    this.#running = running;
    await this.#note(running.state);
    running.over = this.#run(running).finally(() => {
      this.#running = undefined;
    });
    return running.state;
  }

  /** When the run that is under way is over. */
  async settled(): Promise<void> {
    await this.#running?.over;
  }

  async #run(running: { state: VerificationState }): Promise<void> {
    const change = (changed: Partial<VerificationState>): void => {
      running.state = { ...running.state, ...changed };
    };
    try {
      await checkStore({ ...this.#deps, read: running.state.read }, this.#report(running, change));
      change({ state: 'done' });
    } catch (error) {
      const isStopped = error instanceof Error && error.name === 'AbortError';
      if (!isStopped) this.#deps.log.warn('verifying the store failed', { error });
      const message = error instanceof Error ? error.message : String(error);
      change(isStopped ? { state: 'broken_off' } : { state: 'failed', message });
    }
    change({ updatedAt: this.#deps.now() });
    await this.#note(running.state).catch((error: unknown) =>
      this.#deps.log.warn('what was verified could not be put on record', { error }),
    );
  }

  #report(running: { state: VerificationState }, change: (changed: Partial<VerificationState>) => void) {
    return {
      total: async (total: Amount) => change({ total }),
      looked: async ({ blobs, bytes }: Amount) => {
        const { done, updatedAt } = running.state;
        change({ done: { blobs: done.blobs + blobs, bytes: done.bytes + bytes } });
        const at = this.#deps.now();
        if (at - updatedAt < NOTED) return;
        change({ updatedAt: at });
        await this.#note(running.state);
      },
      found: (finding: Finding) => {
        const { counts, findings } = running.state;
        change({
          counts: { ...counts, [finding.kind]: counts[finding.kind] + 1 },
          ...(findings.length < MOST ? { findings: [...findings, finding] } : {}),
        });
      },
    };
  }

  async #note(run: VerificationState): Promise<void> {
    await this.#progress.write({ run });
  }
}
