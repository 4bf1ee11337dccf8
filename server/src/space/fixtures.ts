import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import type { EngineEvent } from '../engine/events.ts';
import { Objects } from '../engine/objects.ts';
import type { Ledger, ObjectRow } from '../ledger/ledger.ts';
import { objectRow } from '../ledger/samples.ts';
import { openSqliteLedger } from '../ledger/sqlite.ts';
import { DiskStore } from '../store/disk.ts';
import type { Store } from '../store/store.ts';
import type { Declared, Room } from './limits.ts';
import { SpaceMetrics } from './metrics.ts';
import { WatchedStore } from './reads.ts';
import { Space, type SpaceDeps } from './space.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A real ledger and a real store in a folder of their own, and what looks after them. */
export interface Installation {
  readonly data: string;
  readonly ledger: Ledger;
  readonly store: Store;
  readonly objects: Objects;
  readonly space: Space;
  /** Epoch milliseconds; may be moved. */
  readonly clock: { now: number };
  readonly events: EngineEvent[];
  readonly said: string[];
  readonly limits: { current: Declared };
  readonly room: { current: Room | undefined };
  /** Stores the bytes and puts on record what means them, as a fetch does. */
  keep(path: string, bytes: Uint8Array, given?: Partial<ObjectRow>): Promise<ObjectRow>;
  fileOf(digest: string): string;
  close(): Promise<void>;
}

export interface Given {
  readonly data?: string;
  readonly ledger?: (real: Ledger) => Ledger;
  readonly store?: (real: Store) => Store;
  readonly deps?: Partial<SpaceDeps>;
}

export async function install({
  data,
  ledger: ledgerBetween,
  store: storeBetween,
  deps = {},
}: Given = {}): Promise<Installation> {
  const folder = data ?? (await mkdtemp(join(tmpdir(), 'entrepot-space-')));
  const clock = { now: Date.now() };
  const now = () => clock.now;
  const database = await openSqliteLedger(join(folder, 'entrepot.sqlite'));
  const disk = await DiskStore.open(folder, { now });
  const ledger = ledgerBetween?.(database) ?? database;
  const store = new WatchedStore(storeBetween?.(disk) ?? disk, now);
  const objects = new Objects(ledger, store, { now });
  const [events, said]: [EngineEvent[], string[]] = [[], []];
  const [limits, room] = [{ current: { remotes: new Map() } as Declared }, { current: undefined as Room | undefined }];
  const say = (message: string) => void said.push(message);
  const space = new Space({
    ledger,
    store,
    objects,
    evicted: (repository, paths) => objects.forget(repository, paths),
    declared: () => limits.current,
    room: async () => room.current ?? { free: 1e12, total: 2e12 },
    wasReadLately: (digest) => store.wasReadLately(digest),
    events: { emit: (event) => void events.push(event) },
    metrics: new SpaceMetrics(new Registry(), () => 0),
    log: { debug: () => {}, info: say, warn: say, error: say },
    now,
    scrubEvery: 0,
    shared: false,
    share: 1,
    ...deps,
  });
  const keep = async (path: string, bytes: Uint8Array, given: Partial<ObjectRow> = {}): Promise<ObjectRow> =>
    objects.keep(async () => {
      const upload = await store.begin();
      await upload.write(bytes);
      const { digest, size } = await upload.commit();
      const row = objectRow({ path, digest, size, fetchedAt: clock.now, checkedAt: clock.now, ...given });
      await objects.record(row);
      return row;
    });
  const fileOf = (digest: string): string => {
    const hex = digest.slice('sha256:'.length);
    return join(folder, 'blobs', 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex);
  };
  const close = async (): Promise<void> => {
    await space.close();
    await disk.close();
    await database.close();
    if (data === undefined) await rm(folder, { recursive: true });
  };
  return { data: folder, ledger, store, objects, space, clock, events, said, limits, room, keep, fileOf, close };
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
