import { LRUCache } from 'lru-cache';
import type { Ledger } from '../ledger/ledger.ts';
import type { FirstSight } from './source.ts';

type Sights = Readonly<Record<string, FirstSight>>;

/** When releases were first listed: asked of the ledger once per listing, which is on record before it is served. */
export class FirstSeen {
  readonly #known = new LRUCache<string, Promise<Sights>>({ max: 5000 });
  readonly #ledger: Pick<Ledger, 'seen'>;

  constructor(ledger: Pick<Ledger, 'seen'>) {
    this.#ledger = ledger;
  }

  /** By version. `generation`: which documents were listed, so that a newer listing is asked for anew. */
  of(repository: string, name: string, generation: string): Promise<Sights> {
    const key = `${repository}\0${name}\0${generation}`;
    const known = this.#known.get(key);
    if (known) return known;
    const asked = this.#ledger.seen(repository, name).then((releases) => {
      const sights: Record<string, FirstSight> = Object.create(null);
      for (const { version, firstSeenAt, baseline } of releases) sights[version] = { at: firstSeenAt, baseline };
      return { ...sights };
    });
    this.#known.set(key, asked);
    asked.catch(() => this.#known.delete(key));
    return asked;
  }
}
