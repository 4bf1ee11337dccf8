import { LRUCache } from 'lru-cache';
import type { IndexTarget } from '../format.ts';
import type { Asker, SourceDocument } from '../source.ts';

/** Who gets a document, as far as two of them can be told apart. */
export type Reader = Pick<Asker, 'principal' | 'address' | 'client'>;

/** For so long, in milliseconds, a client that got a root gets the files of that root's generation. */
const HOLD = 10 * 60_000;
const MOST = 50_000;

/**
 * Which generation of a root a client got last. Names below a root (Debian's `main/binary-amd64/Packages.xz`) mean another
 * file once the upstream publishes; who read the older root expects the older file.
 */
export class Pins {
  readonly #held = new LRUCache<string, { readonly at: number; readonly document: SourceDocument }>({
    max: MOST,
    ttl: HOLD,
  });
  #count = 0;

  remember(repository: string, root: IndexTarget, reader: Reader, document: SourceDocument): void {
    this.#count += 1;
    this.#held.set(key(repository, root, reader), { at: this.#count, document });
  }

  recall(repository: string, root: IndexTarget, reader: Reader): SourceDocument | undefined {
    return this.#held.get(key(repository, root, reader))?.document;
  }

  /** How late among all it was got; 0: not. */
  at(repository: string, root: IndexTarget, reader: Reader): number {
    return this.#held.get(key(repository, root, reader))?.at ?? 0;
  }
}

/** A document of which others are parts, that changes: what a name below it means depends on which one was read. */
export function isRoot({ opaque, scope, digest }: IndexTarget): boolean {
  return opaque === true && scope === 'repository' && digest === undefined;
}

function key(repository: string, root: IndexTarget, { principal, address, client }: Reader): string {
  return [repository, root.path, principal, address ?? '', client ?? ''].join('\0');
}
