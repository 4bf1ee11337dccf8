import type { Events } from '../engine/events.ts';
import type { Log } from '../engine/log.ts';
import type { Objects } from '../engine/objects.ts';
import type { Holder, Ledger } from '../ledger/ledger.ts';
import type { Store } from '../store/store.ts';
import type { SpaceMetrics } from './metrics.ts';
import { Progress } from './progress.ts';

export interface DamageDeps {
  readonly ledger: Pick<Ledger, 'holders' | 'raiseAlert' | 'endAlert' | 'fact' | 'setFact'>;
  readonly store: Pick<Store, 'stat' | 'quarantine'>;
  readonly objects: Pick<Objects, 'evict'>;
  /** Memory forgets what was made of these objects. */
  readonly evicted: (repository: string, paths: readonly string[] | 'all') => void;
  readonly events: Events;
  readonly metrics: Pick<SpaceMetrics, 'damagedBlobs'>;
  readonly log: Log;
  readonly now: () => number;
}

/** Bytes of what was published here that are gone: somebody has to publish them again. */
export interface Lost {
  readonly digest: string;
  readonly repository: string;
  readonly path: string;
  readonly since: number;
}

export interface Repaired {
  /** Objects of remotes: dropped, so that they are fetched again when somebody asks. */
  readonly dropped: readonly Holder[];
  /** Objects that were published here: kept, and not served until they are published again. */
  readonly lost: readonly Holder[];
}

interface DamageState {
  readonly quarantined?: number;
  readonly lost?: readonly Lost[];
}

export const DAMAGED = 'damaged_blob';
/** More than these are not remembered one by one. */
const MOST = 1000;
/** Looked at in one turn. */
const LOOKED_AT = 50;

/** What becomes of a blob that is not what its digest says, or not there. */
export class Damage {
  readonly #deps: DamageDeps;
  readonly #progress: Progress<DamageState>;
  #state: DamageState = {};

  constructor(deps: DamageDeps) {
    this.#deps = deps;
    this.#progress = new Progress(deps.ledger, 'damage');
  }

  /** Of every process, as far as this one has heard. */
  get lost(): readonly Lost[] {
    return this.#state.lost ?? [];
  }

  get quarantined(): number {
    return this.#state.quarantined ?? 0;
  }

  async found(digest: string, how: 'corrupt' | 'missing'): Promise<Repaired> {
    const { ledger, store, metrics, log } = this.#deps;
    await this.load();
    const holders = await ledger.holders([digest]);
    const isQuarantined = how === 'corrupt' && (await store.quarantine(digest));
    const [lost, dropped] = [holders.filter(({ hosted }) => hosted), holders.filter(({ hosted }) => !hosted)];
    metrics.damagedBlobs.inc({ how });
    const objects = holders.map(({ repository, path }) => `${repository}/${path}`);
    log.error(`a blob is ${how}`, { digest, quarantined: isQuarantined, objects });
    if (isQuarantined) await this.#save({ ...this.#state, quarantined: this.quarantined + 1 });
    for (const one of dropped) await this.#drop(one, how);
    for (const one of lost) await this.#lose(one, how);
    return { dropped, lost };
  }

  /** What was lost may have been published again, or removed. */
  async turn(): Promise<void> {
    await this.load();
    for (const one of this.lost.slice(0, LOOKED_AT)) if (!(await this.#isStillLost(one))) await this.#end(one);
  }

  async load(): Promise<void> {
    this.#state = await this.#progress.read();
  }

  async #drop({ repository, path, digest }: Holder, how: string): Promise<void> {
    const { objects, evicted, events, now } = this.#deps;
    await objects.evict({ repository, path }, (paths) => evicted(repository, paths));
    events.emit({ kind: 'evicted', at: now(), repository, details: { path, digest, why: how } });
  }

  async #lose({ repository, path, digest }: Holder, how: string): Promise<void> {
    const { ledger, events, log, evicted, now } = this.#deps;
    evicted(repository, [path]);
    const at = now();
    const details = { digest, how };
    const isNews = await ledger.raiseAlert({ kind: DAMAGED, repository, member: '', name: path, at, details });
    const isIt = (one: Lost): boolean => one.repository === repository && one.path === path;
    const since = this.lost.find(isIt)?.since ?? at;
    const others = this.lost.filter((one) => !isIt(one));
    await this.#save({ ...this.#state, lost: [...others, { digest, repository, path, since }].slice(0, MOST) });
    if (!isNews) return;
    log.error('the bytes of what was published here are damaged: publish them again', { repository, path, digest });
    events.emit({ kind: 'alert', at, repository, details: { alert: DAMAGED, name: path, ...details } });
  }

  async #isStillLost({ digest, repository, path }: Lost): Promise<boolean> {
    if (await this.#deps.store.stat(digest)) return false;
    const holders = await this.#deps.ledger.holders([digest]);
    return holders.some((one) => one.repository === repository && one.path === path);
  }

  async #end({ repository, path }: Lost): Promise<void> {
    const { ledger, log, now } = this.#deps;
    await ledger.endAlert({ kind: DAMAGED, repository, member: '', name: path }, now());
    const lost = this.lost.filter((one) => one.repository !== repository || one.path !== path);
    await this.#save({ ...this.#state, lost });
    log.info('what was damaged is whole again, or gone', { repository, path });
  }

  async #save(state: DamageState): Promise<void> {
    this.#state = state;
    await this.#progress.write(state);
  }
}
