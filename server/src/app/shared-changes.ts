import type { Coordination } from '../coordination/coordination.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** What one call of the ledger did to paths: other processes hold some of it in memory. */
export interface ObjectChange {
  /** Removed, marked or published, so that what was served of it is not so any more; else only recorded anew. */
  readonly isGone: boolean;
  readonly of: readonly Touched[];
}

interface Touched {
  readonly repository: string;
  readonly paths: readonly string[] | 'all';
}

const TOPIC = 'objects';
/** A message names so many paths; of more it says that it is all of them. */
const MOST_NAMED = 500;

/**
 * Tells the other processes what this one changes in the ledger, and hears what they changed. The ledger counts removals, so that
 * one of which nothing was heard is noticed all the same.
 */
export class SharedChanges {
  readonly #coordination: Coordination;
  /** Removals that this process did or heard of, and the ledger's count when this began. */
  #explained = 0;
  #base: number | undefined;
  #lastCount = 0;

  constructor(coordination: Coordination) {
    this.#coordination = coordination;
  }

  follow(changed: (change: ObjectChange) => void): () => void {
    return this.#coordination.subscribe(TOPIC, (message) => {
      const change = message as unknown as ObjectChange;
      if (change.isGone) this.#explained += 1;
      changed(change);
    });
  }

  /**
   * Takes the ledger's count of removals, asked for again and again. False: some of those that were there the last time already
   * are unexplained, so that memory may hold what is gone. `before`: what `explained` was when the ledger was asked.
   */
  agrees(removals: number, before: number): boolean {
    const base = this.#base ?? removals;
    const agrees = this.#base === undefined || this.#lastCount - base <= this.#explained;
    // Heard of late, after it was given up for unheard: it must not stand for another.
    const excess = Math.max(0, before - (removals - base));
    this.#explained = agrees ? this.#explained - excess : 0;
    this.#base = agrees ? base : removals;
    this.#lastCount = removals;
    return agrees;
  }

  get explained(): number {
    return this.#explained;
  }

  /** The same ledger, whose changes the others hear of. */
  told(ledger: Ledger): Ledger {
    const after = async <Result>(work: Promise<Result>, tell: (result: Result) => void): Promise<Result> => {
      const result = await work;
      tell(result);
      return result;
    };
    return {
      ...ledger,
      recordObject: (row) =>
        after(ledger.recordObject(row), (kept) => kept && this.#tell(false, [{ ...row, paths: [row.path] }])),
      refreshObject: (repository, path, ...rest) =>
        after(ledger.refreshObject(repository, path, ...rest), () =>
          this.#tell(false, [{ repository, paths: [path] }]),
        ),
      markObject: (repository, path, mark) =>
        after(ledger.markObject(repository, path, mark), () => this.#tell(true, [{ repository, paths: [path] }])),
      evict: (filter, at) =>
        after(ledger.evict(filter, at), ({ paths }) =>
          this.#tell(true, [{ ...filter, paths: filter.all ? 'all' : paths }]),
        ),
      evictUnused: (found, at) => after(ledger.evictUnused(found, at), () => this.#tell(true, byRepository(found))),
      publish: (change) =>
        after(ledger.publish(change), () => {
          const paths = [...change.files.map(({ object }) => object.path), ...change.removed.map(({ path }) => path)];
          this.#tell(true, [{ ...change, paths }]);
        }),
    };
  }

  #tell(isGone: boolean, touched: readonly Touched[]): void {
    if (isGone) this.#explained += 1;
    const of = touched.map(({ repository, paths }) => ({
      repository,
      paths: paths.length > MOST_NAMED ? 'all' : paths,
    }));
    void this.#coordination.publish(TOPIC, { isGone, of });
  }
}

function byRepository(found: readonly { readonly repository: string; readonly path: string }[]): readonly Touched[] {
  const paths = new Map<string, string[]>();
  for (const { repository, path } of found) paths.set(repository, [...(paths.get(repository) ?? []), path]);
  return [...paths].map(([repository, of]) => ({ repository, paths: of }));
}
