import { randomUUID } from 'node:crypto';
import type { Coordination } from '../../coordination/coordination.ts';
import type { ObjectRow } from '../../ledger/ledger.ts';
import type { Objects } from '../objects.ts';

export interface SharedWork<Result> {
  readonly path: string;
  /** What this process knows of it; undefined where that will not do. */
  readonly known: ObjectRow | undefined;
  /** What is known is fresh: it is asked for all the same, because there should be more. */
  readonly again: boolean;
  /** Of the row that another process recorded; undefined where that will not do. */
  readonly found: (row: ObjectRow) => Promise<Result | undefined> | Result | undefined;
  readonly fetch: (known: ObjectRow | undefined) => Promise<Result>;
  /** When all of it is here; default: when `fetch` resolves. */
  readonly ended?: (result: Result) => Promise<unknown> | undefined;
}

export interface SharedDeps {
  readonly coordination?: Coordination | undefined;
  readonly objects: Objects;
  readonly now: () => number;
}

/** How long the lease of a process that died stays; milliseconds. */
const TTL = 5000;
/** After so long, clients of this process wait no more for what another fetches: pip gives up after 15 s without a byte. */
const LONGEST_WAIT = 10_000;

/**
 * One fetch of a thing, of all processes. Who comes second waits, and then reads what the first recorded. A process that cannot
 * reach the others fetches by itself; the fence decides whose row stays.
 */
export class SharedFetch {
  readonly #deps: SharedDeps;
  readonly #repository: string;
  readonly #what: string;

  /** `what`: things of different kinds with one path do not wait for each other. */
  constructor(deps: SharedDeps, repository: string, what: 'file' | 'document') {
    this.#deps = deps;
    this.#repository = repository;
    this.#what = what;
  }

  async run<Result>(work: SharedWork<Result>): Promise<Result> {
    const { coordination } = this.#deps;
    if (!coordination?.shared) return work.fetch(work.known);
    const began = this.#deps.now();
    const { lease, waited } = await this.#turn(coordination, work.path);
    let over = async (): Promise<void> => lease?.release();
    try {
      const row = await this.#deps.objects.reread(this.#repository, work.path);
      const found = row && (waited || isNews(row, work, began)) ? await work.found(row) : undefined;
      if (found !== undefined) return found;
      if (lease) over = this.#fencing(work.path, Math.max(lease.fence, (row?.fence ?? 0) + 1), over);
      const result = await work.fetch(work.known && row);
      const ended = work.ended?.(result);
      if (ended) {
        void ended.then(over, over);
        over = async () => {};
      }
      return result;
    } finally {
      void over();
    }
  }

  /** A lease of its own after a long wait: it began later than the one that is waited for. */
  async #turn(coordination: Coordination, path: string) {
    const name = `fetch:${this.#what}:${this.#repository}:${path}`;
    const patience = AbortSignal.timeout(LONGEST_WAIT);
    for (let waited = false; ; waited = true) {
      const lease = await coordination.lease(name, TTL);
      if (lease) return { lease, waited };
      if (patience.aborted) return { lease: await coordination.lease(`${name}:${randomUUID()}`, TTL), waited };
      await coordination.released(name, patience);
    }
  }

  #fencing(path: string, fence: number, over: () => Promise<void>): () => Promise<void> {
    const fenced = this.#deps.objects.fetching(this.#repository, path, fence);
    return () => {
      fenced();
      return over();
    };
  }
}

/** Recorded by another process since this one looked. */
function isNews(row: ObjectRow, { known, again }: Pick<SharedWork<never>, 'known' | 'again'>, began: number): boolean {
  if (again) return row.checkedAt >= began;
  return !known || row.checkedAt > known.checkedAt || row.digest !== known.digest;
}
