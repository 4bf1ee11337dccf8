import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { Objects } from '../../src/engine/objects.ts';
import { openPostgresLedger } from '../../src/ledger/postgres.ts';
import { objectRow } from '../../src/ledger/samples.ts';
import { SpaceMetrics } from '../../src/space/metrics.ts';
import { WatchedStore } from '../../src/space/reads.ts';
import { ReservingStore } from '../../src/space/reserving.ts';
import { Space } from '../../src/space/space.ts';
import { DiskStore } from '../../src/store/disk.ts';

/*
 * One of several processes on a database and a folder, which keeps, evicts and sweeps the same bytes as the others:
 * `<database url> <folder> <number> <milliseconds>`. Run with --experimental-transform-types.
 */
const [url = '', folder = '', number = '0', lasts = '1000'] = process.argv.slice(2);
const CONTENTS = 60;
const RESERVED = 2000;

const ledger = await openPostgresLedger(url, { connections: 6 });
const disk = await DiskStore.open(folder);
const store = new WatchedStore(new ReservingStore(disk, ledger, Date.now, RESERVED), Date.now);
const objects = new Objects(ledger, store);
const complaints: string[] = [];
const complain = (message: string, fields: object = {}): void =>
  void complaints.push(
    `${message} ${JSON.stringify(fields, (_, value) => (value instanceof Error ? value.stack : value))}`,
  );
const space = new Space({
  ledger,
  store,
  objects,
  evicted: (repository, paths) => objects.forget(repository, paths),
  declared: () => ({ remotes: new Map() }),
  wasReadLately: () => false,
  events: { emit: () => {} },
  metrics: new SpaceMetrics(new Registry(), () => 0),
  log: { debug: () => {}, info: () => {}, warn: complain, error: complain },
  now: Date.now,
  scrubEvery: 0,
  shared: true,
  share: 1,
  // Everything is old enough at once: only what is reserved is spared.
  times: { grace: -60_000, stray: -60_000, between: 0, brokenOff: 5000 },
});

const until = Date.now() + Number(lasts);
let turn = Number(number) * 7919;
const kept = { objects: 0, refused: 0, evicted: 0 };

async function keep(content: number): Promise<void> {
  const path = `p${(content + turn) % (CONTENTS / 2)}`;
  try {
    await objects.keep(async () => {
      const upload = await store.begin();
      await upload.write(Buffer.from(`content ${content}`));
      const { digest, size } = await upload.commit();
      // As on a busy machine: others delete meanwhile what nothing means.
      await sleep(Math.random() * 150);
      await objects.record(objectRow({ path, digest, size, fetchedAt: Date.now(), checkedAt: Date.now() }));
    });
    kept.objects += 1;
  } catch (error) {
    if (!/is being deleted/.test((error as Error).message)) throw error;
    kept.refused += 1;
  }
}

async function work(): Promise<void> {
  while (Date.now() < until) {
    turn += 1;
    await keep((turn * 31) % CONTENTS);
    if (turn % 3 !== 0) continue;
    const gone = await objects.evict({ repository: 'npm-public', path: `p${turn % (CONTENTS / 2)}` });
    kept.evicted += gone.blobs.length;
  }
}

const sweeping = (async () => {
  while (Date.now() < until) await space.look();
})();
await Promise.all([work(), work(), work(), sweeping]);
await space.close();
await ledger.close();
process.stdout.write(JSON.stringify({ ...kept, complaints }));
