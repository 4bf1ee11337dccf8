import type { Refused } from '../../policy/decision.ts';

/** A pull on which two policies differ. */
export interface Counted {
  /** Package URL, or the path of what is of no package. */
  readonly what: string;
  readonly package: string;
  readonly principal: string;
  readonly consumer?: string | undefined;
  readonly at: number;
  /** By the policy that refuses it. */
  readonly refused: Refused;
}

export interface Tallied {
  readonly pulls: number;
  readonly packages: number;
  readonly releases: number;
  readonly consumers: number;
  /** Those with the most pulls first. */
  readonly by_consumer: readonly {
    readonly consumer?: string;
    readonly principal: string;
    readonly pulls: number;
    readonly releases: number;
  }[];
  readonly by_release: readonly {
    readonly what: string;
    readonly pulls: number;
    readonly consumers: number;
    readonly rule: string;
    /** As it was said of the last pull. */
    readonly reason: string;
    readonly last: string;
  }[];
}

/** So many of a list are told. */
export const MOST_TOLD = 100;

interface Consumer {
  readonly consumer: string | undefined;
  readonly principal: string;
  readonly releases: Set<string>;
  pulls: number;
}

interface Release {
  readonly what: string;
  readonly consumers: Set<string>;
  pulls: number;
  last: Counted;
}

export class Tally {
  readonly #packages = new Set<string>();
  readonly #consumers = new Map<string, Consumer>();
  readonly #releases = new Map<string, Release>();
  #pulls = 0;

  add(one: Counted): void {
    const { what, principal, consumer } = one;
    this.#pulls += 1;
    this.#packages.add(one.package);
    const key = JSON.stringify([consumer, principal]);
    const known = this.#consumers.get(key) ?? { consumer, principal, releases: new Set<string>(), pulls: 0 };
    known.pulls += 1;
    known.releases.add(what);
    this.#consumers.set(key, known);
    const release = this.#releases.get(what) ?? { what, consumers: new Set<string>(), pulls: 0, last: one };
    release.pulls += 1;
    release.consumers.add(key);
    if (one.at > release.last.at) release.last = one;
    this.#releases.set(what, release);
  }

  get told(): Tallied {
    return {
      pulls: this.#pulls,
      packages: this.#packages.size,
      releases: this.#releases.size,
      consumers: this.#consumers.size,
      by_consumer: most([...this.#consumers.values()]).map(({ consumer, principal, pulls, releases }) => ({
        ...(consumer === undefined ? {} : { consumer }),
        principal,
        pulls,
        releases: releases.size,
      })),
      by_release: most([...this.#releases.values()]).map(({ what, pulls, consumers, last }) => ({
        what,
        pulls,
        consumers: consumers.size,
        rule: last.refused.rule,
        reason: last.refused.reason,
        last: new Date(last.at).toISOString(),
      })),
    };
  }
}

function most<Item extends { readonly pulls: number }>(items: readonly Item[]): readonly Item[] {
  return items.toSorted((one, other) => other.pulls - one.pulls).slice(0, MOST_TOLD);
}
