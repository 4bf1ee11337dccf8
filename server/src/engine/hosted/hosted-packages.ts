import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { HostedFileRow } from '../../ledger/ledger.ts';
import type { Digest, HostedFile, HostedIndex, HostedPackage, IndexTarget } from '../format.ts';
import type { Objects } from '../objects.ts';
import type { SourceDocument } from '../source.ts';

export interface HostedPackagesDeps {
  readonly repository: string;
  readonly objects: Objects;
  readonly now: () => number;
  /** Milliseconds. */
  readonly maxAge?: number;
}

/** What an index is composed from, until when that holds by itself. */
interface Held {
  readonly document: Omit<SourceDocument, 'target'>;
  readonly until: number;
}

/** Bytes of memory for what indexes are composed from. */
const MEMORY = 32 * 1024 * 1024;
const TYPE = 'application/json';

/** The packages of a hosted repository, from the ledger; what their indexes are composed from is remembered until they change. */
export class HostedPackages {
  readonly #deps: HostedPackagesDeps;
  readonly #held = new LRUCache<string, Held>({
    maxSize: MEMORY,
    sizeCalculation: ({ document }) => document.size + 500,
  });
  /** What was read before a change may be what was. */
  #changes = 0;

  constructor(deps: HostedPackagesDeps) {
    this.#deps = deps;
  }

  async package(name: string): Promise<HostedPackage | undefined> {
    const row = await this.#deps.objects.hostedPackage(this.#deps.repository, name);
    return (
      row && {
        name,
        revision: row.revision,
        files: row.files.map(fileOf),
        ...(row.document === undefined ? {} : { document: JSON.parse(row.document) }),
      }
    );
  }

  /** What answers the target; undefined: no such package was ever published here, or nothing at all. */
  async document(
    target: IndexTarget,
  ): Promise<{ readonly document: SourceDocument; readonly until: number } | undefined> {
    if (target.scope === 'package' && target.name === undefined) return undefined;
    const key = target.scope === 'package' ? `package ${target.name}` : 'repository';
    const known = this.#held.get(key);
    const held = known && this.#deps.now() < known.until ? known : await this.#read(target, key);
    return held && { document: { ...held.document, target }, until: held.until };
  }

  forget(): void {
    this.#changes += 1;
    this.#held.clear();
  }

  async #read({ scope, name = '' }: IndexTarget, key: string): Promise<Held | undefined> {
    const changes = this.#changes;
    const held = scope === 'package' ? await this.#readPackage(name) : await this.#readNames();
    if (held && changes === this.#changes) this.#held.set(key, held);
    return held;
  }

  async #readPackage(name: string): Promise<Held | undefined> {
    const { maxAge = Number.POSITIVE_INFINITY, now } = this.#deps;
    const found = await this.package(name);
    if (!found) return undefined;
    const at = now();
    const files = found.files.filter((file) => file.publishedAt + maxAge > at);
    const until = Math.min(...files.map(({ publishedAt }) => publishedAt + maxAge));
    const since = Math.max(0, ...found.files.map((file) => file.removedAt ?? file.publishedAt));
    return heldOf({ scope: 'package', package: { ...found, files } }, since, until);
  }

  async #readNames(): Promise<Held | undefined> {
    const names = await this.#deps.objects.hostedNames(this.#deps.repository);
    return names.length === 0 ? undefined : heldOf({ scope: 'repository', names }, 0, Number.POSITIVE_INFINITY);
  }
}

function heldOf(index: HostedIndex, since: number, until: number): Held {
  const hosted = Buffer.from(JSON.stringify(index));
  const digest = `sha256:${createHash('sha256').update(hosted).digest('hex')}`;
  return { document: { digest, size: hosted.length, type: TYPE, url: '', since, hosted }, until };
}

function fileOf({ digest, metadata, ...file }: HostedFileRow): HostedFile {
  return { ...file, digest: digest as Digest, ...(metadata === undefined ? {} : { metadata: JSON.parse(metadata) }) };
}
