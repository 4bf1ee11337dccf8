import { statfs } from 'node:fs/promises';
import type { Registry } from 'prom-client';
import { bytes } from '../contract/index.ts';
import type { Coordination } from '../coordination/coordination.ts';
import type { Events } from '../engine/events.ts';
import type { Log } from '../engine/log.ts';
import type { Objects } from '../engine/objects.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Declared, Room } from '../space/limits.ts';
import { SpaceMetrics } from '../space/metrics.ts';
import { WatchedStore } from '../space/reads.ts';
import { ReservingStore } from '../space/reserving.ts';
import { Space } from '../space/space.ts';
import type { Store } from '../store/store.ts';
import type { Configuration } from './configuration.ts';
import type { Settings } from './settings.ts';

/** The same, with a store that spares what is read, and what other processes are about to put on record. */
export function sparing<Storage extends { readonly store: Store; readonly ledger: Ledger }>(
  storage: Storage,
  { database }: Pick<Settings, 'database'>,
  now: () => number,
): Omit<Storage, 'store'> & { readonly store: WatchedStore } {
  const { store, ledger } = storage;
  const isShared = database.kind === 'postgres';
  return { ...storage, store: new WatchedStore(isShared ? new ReservingStore(store, ledger, now) : store, now) };
}

export interface SpaceParts {
  readonly ledger: Ledger;
  readonly store: WatchedStore;
  readonly coordination: Coordination;
  readonly objects: Objects;
  readonly evicted: (repository: string, paths: readonly string[] | 'all') => void;
  /** Asked again and again; undefined: it is not known yet. */
  readonly configuration: () => Configuration | undefined;
  readonly registry: Registry;
  readonly events: Events;
  readonly log: Log;
  readonly now: () => number;
}

/** How long the right to tidy stays with a process that died, in milliseconds. */
const LEASE = 30_000;

export function openSpace(settings: Settings, parts: SpaceParts): Space {
  const { storage, database, scrubEvery } = settings;
  const { coordination, store, registry, configuration } = parts;
  const space: Space = new Space({
    ...parts,
    declared: () => declared(settings, configuration()),
    ...(storage.kind === 'file' ? { room: () => roomAt(storage.path) } : {}),
    wasReadLately: (digest) => store.wasReadLately(digest),
    metrics: new SpaceMetrics(registry, () => space.lost.length),
    scrubEvery,
    shared: database.kind === 'postgres',
    ...(coordination.shared ? { lease: () => coordination.lease('space', LEASE) } : {}),
  });
  return space;
}

/** The same events; what was fetched is told to whoever makes room as well. */
export function growing(events: Events, space: Pick<Space, 'grew'>): Events {
  return {
    emit: (event) => {
      events.emit(event);
      if (event.kind === 'fetched') space.grew(event.repository, Number(event.details['size']));
    },
  };
}

/** For the health of the parts: throws a sentence that names what is lost. */
export async function requireSound({ lost }: Pick<Space, 'lost'>): Promise<void> {
  const [first, ...others] = lost;
  if (!first) return;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  throw new Error(
    `the bytes of ${first.path} in "${first.repository}"${more} are damaged: publish them again (entrepot verify store names all)`,
  );
}

function declared({ storageMaxSize }: Settings, configuration: Configuration | undefined): Declared {
  const remotes = [...(configuration?.snapshot.resources.values() ?? [])].flatMap(
    ({ kind, name, spec }): [string, number][] => {
      const { max_size: size } = spec;
      return kind === 'remote' && typeof size === 'string' ? [[name, bytes(size)]] : [];
    },
  );
  return { remotes: new Map(remotes), ...(storageMaxSize === undefined ? {} : { store: storageMaxSize }) };
}

async function roomAt(path: string): Promise<Room> {
  const { bavail, blocks, bsize } = await statfs(path);
  return { free: bavail * bsize, total: blocks * bsize };
}
