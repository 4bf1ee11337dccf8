import type { Release } from './world.ts';

/** One that a client declared; what it does between being sent and being acknowledged nobody knows. Times: epoch milliseconds. */
export interface Declared {
  readonly name: string;
  readonly release: Release;
  readonly sentAt: number;
  acknowledgedAt?: number;
  liftSentAt?: number;
  liftedAt?: number;
}

/** Which releases are blocked, as far as those who blocked them know. */
export class Blocks {
  readonly #all: Declared[] = [];

  /** At most one release of a package at a time, so that something of it is always left. */
  sent(name: string, release: Release): Declared | undefined {
    const isTaken = this.#all.some(
      (one) => sameAs(one.release, release, 'name') && (one.liftedAt === undefined || one.acknowledgedAt === undefined),
    );
    if (isTaken) return undefined;
    const declared: Declared = { name, release, sentAt: Date.now() };
    this.#all.push(declared);
    return declared;
  }

  get current(): readonly Declared[] {
    return this.#all.filter(({ liftedAt }) => liftedAt === undefined);
  }

  /** The one that a request that began then must have known of: acknowledged `grace` milliseconds before, and not lifted. */
  forbidding(release: Release, began: number, ended: number, grace: number): Declared | undefined {
    return this.#all.find(
      (one) =>
        sameAs(one.release, release) &&
        one.acknowledgedAt !== undefined &&
        one.acknowledgedAt + grace < began &&
        (one.liftSentAt === undefined || one.liftSentAt > ended),
    );
  }

  /** Whether it may have been refused between the two times. */
  mayRefuse(release: Release, began: number, ended: number, grace: number): boolean {
    return this.#all.some(
      ({ release: of, sentAt, acknowledgedAt, liftedAt }) =>
        sameAs(of, release) &&
        sentAt <= ended &&
        // One that was never acknowledged may come into force after it was lifted.
        (acknowledgedAt === undefined || liftedAt === undefined || liftedAt + grace >= began),
    );
  }
}

function sameAs(a: Release, b: Release, as: 'name' | 'version' = 'version'): boolean {
  return a.ecosystem === b.ecosystem && a.name === b.name && (as === 'name' || a.version === b.version);
}
