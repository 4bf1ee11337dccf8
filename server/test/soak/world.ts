import { Contents } from './contents.ts';
import type { Ecosystem } from './ecosystem.ts';
import { Random } from './random.ts';

const PACKAGES = 8;
const DAY = 24 * 3600_000;

/** One release that the upstream has from `at` (epoch milliseconds) on; its bytes never change. */
export interface Release {
  readonly ecosystem: Ecosystem;
  readonly name: string;
  readonly version: string;
  readonly at: number;
  readonly contents: Contents;
}

/** Everything that is right: which releases there are at which time, and their bytes. It follows from the seed and the time it began. */
export class World {
  readonly packages: readonly Package[];
  #ended: number | undefined;

  constructor(seed: string, ecosystems: readonly Ecosystem[], began: number) {
    this.packages = ecosystems.flatMap((ecosystem) =>
      Array.from({ length: PACKAGES }, (_, nth) => new Package(seed, ecosystem, ecosystem.nameOf(nth), began)),
    );
  }

  of(format: string, name: string): Package | undefined {
    return this.packages.find((one) => one.ecosystem.format === format && one.name === name);
  }

  /** In the order in which they appeared. */
  releases(of: Package, at: number): readonly Release[] {
    return of.until(Math.min(at, this.#ended ?? at));
  }

  /** Nothing new appears any more. */
  end(at: number): void {
    this.#ended ??= at;
  }
}

export class Package {
  readonly ecosystem: Ecosystem;
  readonly name: string;
  readonly #seed: string;
  readonly #random: Random;
  readonly #releases: Release[] = [];
  #next: number;

  constructor(seed: string, ecosystem: Ecosystem, name: string, began: number) {
    this.ecosystem = ecosystem;
    this.name = name;
    this.#seed = seed;
    this.#random = new Random(seed, ecosystem.format, name);
    this.#next = began - DAY;
    const before = this.#random.between(2, 5);
    for (let nth = 0; nth < before; nth += 1) this.#release(1000);
    this.#next = began + this.#random.between(5_000, 60_000);
  }

  until(at: number): readonly Release[] {
    while (this.#next <= at) this.#release(this.#random.between(15_000, 120_000));
    return this.#releases.filter((release) => release.at <= at);
  }

  #release(interval: number): void {
    const { ecosystem, name } = this;
    const version = ecosystem.versionOf(this.#releases.length);
    const contents = new Contents([this.#seed, ecosystem.format, name, version].join(' '));
    this.#releases.push({ ecosystem, name, version, at: this.#next, contents });
    this.#next += interval;
  }
}
