import type { Ledger } from '../../ledger/ledger.ts';
import { grownCache } from '../grown-cache.ts';
import type { FirstSight } from '../source.ts';

type Sights = Readonly<Record<string, FirstSight>>;

/** What the ledger said of a package. */
interface Answer {
  readonly sights: Promise<Sights>;
  /** Of which listings it was asked. */
  readonly generations: Set<string>;
}

/** What is on record may be made older, also by another server. Milliseconds. */
const KEPT = 5 * 60_000;
const MOST_GENERATIONS = 10_000;

/** When releases were first listed: asked of the ledger once per listing, which is on record before it is served. */
export class FirstSeen {
  readonly #answers = grownCache<Answer>(5000, { ttl: KEPT });
  readonly #ledger: Pick<Ledger, 'seen'>;

  constructor(ledger: Pick<Ledger, 'seen'>) {
    this.#ledger = ledger;
  }

  /** By version. `generation`: which documents were listed, so that a newer listing is asked for anew. */
  of(repository: string, name: string, generation: string): Promise<Sights> {
    const known = this.#answers.get(keyOf(repository, name));
    return known?.generations.has(generation) ? known.sights : this.#ask(repository, name, [generation]);
  }

  /** By version, these among them as far as the ledger knows them. */
  async with(repository: string, name: string, versions: readonly string[]): Promise<Sights> {
    const known = await this.#answers.get(keyOf(repository, name))?.sights;
    if (known && versions.every((version) => Object.hasOwn(known, version))) return known;
    return this.#ask(repository, name, []);
  }

  /** Later answers have all that earlier ones had. */
  #ask(repository: string, name: string, listed: readonly string[]): Promise<Sights> {
    const key = keyOf(repository, name);
    const before = this.#answers.get(key)?.generations ?? [];
    const sights = this.#ledger.seen(repository, name).then((releases) => {
      const found: Record<string, FirstSight> = Object.create(null);
      for (const { version, firstSeenAt, baseline } of releases) found[version] = { at: firstSeenAt, baseline };
      return { ...found };
    });
    const answer = { sights, generations: new Set([...[...before].slice(-MOST_GENERATIONS), ...listed]) };
    this.#answers.set(key, answer);
    sights.catch(() => {
      if (this.#answers.get(key) === answer) this.#answers.delete(key);
    });
    return sights;
  }
}

function keyOf(repository: string, name: string): string {
  return `${repository}\0${name}`;
}
