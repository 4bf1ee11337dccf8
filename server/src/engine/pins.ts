import { LRUCache } from 'lru-cache';
import type { IndexTarget } from './format.ts';
import type { Ask, SourceDocument } from './source.ts';

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

  remember(repository: string, root: IndexTarget, ask: Ask, document: SourceDocument): void {
    this.#count += 1;
    this.#held.set(key(repository, root, ask), { at: this.#count, document });
  }

  recall(repository: string, root: IndexTarget, ask: Ask): SourceDocument | undefined {
    return this.#held.get(key(repository, root, ask))?.document;
  }

  /** How late among all it was got; 0: not. */
  at(repository: string, root: IndexTarget, ask: Ask): number {
    return this.#held.get(key(repository, root, ask))?.at ?? 0;
  }
}

/** A document of which others are parts, that changes: what a name below it means depends on which one was read. */
export function isRoot({ opaque, scope, digest }: IndexTarget): boolean {
  return opaque === true && scope === 'repository' && digest === undefined;
}

function key(repository: string, root: IndexTarget, { principal, address, client }: Ask): string {
  return [repository, root.path, principal, address ?? '', client ?? ''].join('\0');
}
