import { LRUCache } from 'lru-cache';
import type { Coordination, Json } from '../../coordination/coordination.ts';
import type { IndexTarget } from '../format.ts';
import type { Asker, SourceDocument } from '../source.ts';

/** Who gets a document, as far as two of them can be told apart. */
export type Reader = Pick<Asker, 'principal' | 'address' | 'client'>;

/** For so long, in milliseconds, a client that got a root gets the files of that root's generation. */
const HOLD = 10 * 60_000;
const MOST = 50_000;
const TOPIC = 'pins';

interface Pin {
  readonly key: string;
  readonly document: SourceDocument;
}

/**
 * Which generation of a root a client got last. Names below a root (Debian's `main/binary-amd64/Packages.xz`) mean another
 * file once the upstream publishes; who read the older root expects the older file, also of another process of this installation.
 */
export class Pins {
  readonly #held = new LRUCache<string, { readonly at: number; readonly document: SourceDocument }>({
    max: MOST,
    ttl: HOLD,
  });
  readonly #coordination: Coordination | undefined;
  #count = 0;

  constructor(coordination?: Coordination) {
    this.#coordination = coordination;
    coordination?.subscribe(TOPIC, (message) => this.#hold(message as unknown as Pin));
  }

  remember(repository: string, root: IndexTarget, reader: Reader, document: SourceDocument): void {
    const pin: Pin = { key: key(repository, root, reader), document };
    this.#hold(pin);
    if (this.#coordination?.shared) void this.#coordination.publish(TOPIC, pin as unknown as Json);
  }

  recall(repository: string, root: IndexTarget, reader: Reader): SourceDocument | undefined {
    return this.#held.get(key(repository, root, reader))?.document;
  }

  /** How late among all it was got; 0: not. */
  at(repository: string, root: IndexTarget, reader: Reader): number {
    return this.#held.get(key(repository, root, reader))?.at ?? 0;
  }

  #hold({ key: reader, document }: Pin): void {
    this.#count += 1;
    this.#held.set(reader, { at: this.#count, document });
  }
}

/** A document of which others are parts, that changes: what a name below it means depends on which one was read. */
export function isRoot({ opaque, scope, digest }: IndexTarget): boolean {
  return opaque === true && scope === 'repository' && digest === undefined;
}

function key(repository: string, root: IndexTarget, { principal, address, client }: Reader): string {
  return [repository, root.path, principal, address ?? '', client ?? ''].join('\0');
}
