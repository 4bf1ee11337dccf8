import type { Events } from '../engine/events.ts';
import type { Log } from '../engine/log.ts';
import type { Objects } from '../engine/objects.ts';
import type { Evicted, Ledger, Sizes, UsedObject } from '../ledger/ledger.ts';
import type { SpaceMetrics } from './metrics.ts';
import type { Pace } from './pace.ts';

/** Bytes. */
export interface Declared {
  /** Of all blobs. */
  readonly store?: number;
  /** Of the objects of a remote. */
  readonly remotes: ReadonlyMap<string, number>;
}

/** Bytes of the disk that the blobs are on. */
export interface Room {
  readonly free: number;
  readonly total: number;
}

export interface LimitDeps {
  readonly ledger: Pick<Ledger, 'sizes' | 'leastUsed' | 'evictUnused'>;
  readonly objects: Pick<Objects, 'clear' | 'forget'>;
  readonly declared: () => Declared;
  /** Absent: the blobs are on no disk of this machine. */
  readonly room?: () => Promise<Room>;
  /** What somebody is reading is not deleted. */
  readonly wasReadLately: (digest: string) => boolean;
  readonly events: Events;
  readonly metrics: Pick<SpaceMetrics, 'evictedObjects' | 'evictedBytes'>;
  readonly log: Log;
  readonly pace: Pick<Pace, 'of'>;
  readonly now: () => number;
}

/** Above a limit, it is emptied to so much of it. */
const DOWN_TO = 0.9;
/** One step: so many objects, or bytes. */
const STEP = 64;
const STEP_BYTES = 256e6;
/** Milliseconds: what was used since is not evicted, so that nothing is fetched and evicted in turn. */
const RESPITE = 60_000;
/** Milliseconds between two counts where nothing says that there is more. */
const RECOUNT = 10 * 60_000;
/** Milliseconds between two warnings of the same kind. */
const AGAIN = 3_600_000;
/** Of a disk: what must stay free, within bounds in bytes; and how much more is freed. */
const KEPT_FREE = { share: 0.05, least: 1e9, most: 20e9, more: 1.2 };

const LEFT =
  'what is left was published here, is evidence or was used a moment ago: free space, or raise storage.max_size';

/** Keeps remotes, and the store as a whole, within their sizes: what was used least recently goes first, in small steps. */
export class Limits {
  readonly #deps: LimitDeps;
  readonly #warned = new Map<string, number>();
  #counted: { readonly at: number; readonly sizes: Sizes } | undefined;
  /** Bytes by repository since then, as far as this process knows. */
  #grown = new Map<string, number>();

  constructor(deps: LimitDeps) {
    this.#deps = deps;
  }

  /** A remote fetched so much. True when that may be too much. */
  grew(repository: string, bytes: number): boolean {
    this.#grown.set(repository, (this.#grown.get(repository) ?? 0) + bytes);
    return this.#counted !== undefined && this.#mayBeOver(this.#counted.sizes);
  }

  /** Does what is due. */
  async turn(): Promise<void> {
    const { store, remotes } = this.#deps.declared();
    const missing = await this.#missing();
    const isLimited = store !== undefined || remotes.size > 0;
    if (missing === 0 && !(isLimited && this.#mustCount())) return;
    for (const { repository, bytes } of (await this.#count()).byRepository) {
      const limit = remotes.get(repository);
      if (limit !== undefined && bytes > limit) await this.#keepRemote(repository, bytes, limit);
    }
    const { bytes } = await this.#count();
    if (missing > 0) await this.#relieve(bytes, missing);
    else if (store !== undefined && bytes > store) await this.#keepStore(bytes, store);
  }

  async #keepRemote(repository: string, bytes: number, limit: number): Promise<void> {
    const left = await this.#shrink({ repository, bytes, limit, to: limit * DOWN_TO });
    if (left > limit) this.#warn(`remote "${repository}" is over its max_size`, { bytes: left, limit });
  }

  async #keepStore(bytes: number, limit: number): Promise<void> {
    const left = await this.#shrink({ bytes, limit, to: limit * DOWN_TO });
    if (left > limit)
      this.#warn(`the store is over its limit and nothing more may be evicted: ${LEFT}`, { bytes: left, limit });
  }

  async #relieve(bytes: number, missing: number): Promise<void> {
    this.#warn('the disk is nearly full: what was used least recently is evicted', { missing });
    const to = Math.max(0, bytes - missing);
    const left = await this.#shrink({ bytes, limit: bytes, to });
    if (left > to) this.#warn(`the disk is nearly full and nothing more may be evicted: ${LEFT}`, { missing });
  }

  #mustCount(): boolean {
    if (!this.#counted || this.#deps.now() - this.#counted.at > RECOUNT) return true;
    return this.#mayBeOver(this.#counted.sizes);
  }

  /** As it was counted, with what was fetched since; what was there already is counted twice, which a new count shows. */
  #mayBeOver({ bytes, byRepository }: Sizes): boolean {
    const { store = Number.POSITIVE_INFINITY, remotes } = this.#deps.declared();
    let all = bytes;
    for (const grown of this.#grown.values()) all += grown;
    if (all > store) return true;
    for (const [repository, limit] of remotes) {
      const counted = byRepository.find((one) => one.repository === repository)?.bytes ?? 0;
      if (counted + (this.#grown.get(repository) ?? 0) > limit) return true;
    }
    return false;
  }

  async #count(): Promise<Sizes> {
    this.#grown = new Map();
    const sizes = await this.#deps.ledger.sizes();
    this.#counted = { at: this.#deps.now(), sizes };
    return sizes;
  }

  /** Bytes that the disk lacks. */
  async #missing(): Promise<number> {
    const room = await this.#deps.room?.();
    if (!room) return 0;
    const { share, least, most, more } = KEPT_FREE;
    const kept = Math.min(Math.max(room.total * share, least), most, room.total / 2);
    return room.free < kept ? Math.ceil(kept * more - room.free) : 0;
  }

  /** Resolves to the bytes that are left, as far as is known. */
  async #shrink({ repository, bytes, limit, to }: Shrinking): Promise<number> {
    const total = new Map<string, { objects: number; bytes: number }>();
    let left = bytes;
    const skipped = new Set<string>();
    const evict = async (found: readonly UsedObject[]): Promise<boolean> => {
      const chosen = this.#step(found, skipped, left - to);
      for (const [name, some] of Map.groupBy(chosen, (one) => one.repository)) {
        const gone = await this.#deps.pace.of(() => this.#evict(name, some));
        left -= repository === undefined ? bytesOf(gone, some) : gone.bytes;
        const sum = total.get(name) ?? { objects: 0, bytes: 0 };
        total.set(name, { objects: sum.objects + gone.objects, bytes: sum.bytes + gone.bytes });
      }
      return chosen.length > 0;
    };
    // What has no room at all goes before it drives out everything else.
    for (const name of this.#repositories(repository))
      await evict(await this.#found({ repository: name, largerThan: limit, limit: STEP }));
    while (left > to && (await evict(await this.#found({ repository, limit: STEP + skipped.size }))));
    this.#tell(total);
    return left;
  }

  #repositories(repository: string | undefined): readonly string[] {
    if (repository !== undefined) return [repository];
    return this.#counted?.sizes.byRepository.map((one) => one.repository) ?? [];
  }

  #found(filter: {
    readonly repository: string | undefined;
    readonly largerThan?: number;
    readonly limit: number;
  }): Promise<readonly UsedObject[]> {
    const { repository, ...rest } = filter;
    const before = this.#deps.now() - RESPITE;
    return this.#deps.ledger.leastUsed({ before, ...rest, ...(repository === undefined ? {} : { repository }) });
  }

  /** As many of the first as make one step, and no more than needed. What is being read is set aside. */
  #step(found: readonly UsedObject[], skipped: Set<string>, needed: number): readonly UsedObject[] {
    const chosen: UsedObject[] = [];
    let bytes = 0;
    for (const one of found) {
      if (chosen.length === STEP || bytes >= Math.min(STEP_BYTES, needed)) break;
      const key = `${one.repository}\0${one.path}`;
      if (skipped.has(key)) continue;
      if (this.#deps.wasReadLately(one.digest)) {
        skipped.add(key);
        continue;
      }
      chosen.push(one);
      bytes += one.size;
    }
    return chosen;
  }

  #evict(repository: string, found: readonly UsedObject[]): Promise<Evicted> {
    const { ledger, objects, now } = this.#deps;
    return objects.clear(async () => {
      const gone = await ledger.evictUnused(found, now());
      objects.forget(repository, gone.paths);
      return gone;
    });
  }

  #tell(total: ReadonlyMap<string, { readonly objects: number; readonly bytes: number }>): void {
    const { events, metrics, log, now } = this.#deps;
    for (const [repository, { objects, bytes }] of total) {
      if (objects === 0) continue;
      metrics.evictedObjects.inc({ repository }, objects);
      metrics.evictedBytes.inc({ repository }, bytes);
      log.info('evicted what was used least recently', { repository, objects, bytes });
      events.emit({ kind: 'evicted', at: now(), repository, details: { why: 'space', objects, bytes } });
    }
  }

  #warn(what: string, fields: Readonly<Record<string, unknown>>): void {
    const now = this.#deps.now();
    if (now - (this.#warned.get(what) ?? Number.NEGATIVE_INFINITY) < AGAIN) return;
    this.#warned.set(what, now);
    this.#deps.log.warn(what, fields);
  }
}

interface Shrinking {
  readonly repository?: string;
  readonly bytes: number;
  readonly limit: number;
  readonly to: number;
}

/** Of the blobs that went: those that others mean too stay. */
function bytesOf({ blobs }: Evicted, found: readonly UsedObject[]): number {
  const sizes = new Map(found.map(({ digest, size }) => [digest, size]));
  return blobs.reduce((sum, digest) => sum + (sizes.get(digest) ?? 0), 0);
}
