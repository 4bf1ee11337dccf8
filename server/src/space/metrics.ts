import { Counter, Gauge, type Registry } from 'prom-client';

/** What is done to the room, counted in Prometheus' conventions. */
export class SpaceMetrics {
  readonly evictedObjects: Counter<'repository'>;
  readonly evictedBytes: Counter<'repository'>;
  readonly sweptBlobs: Counter<'why'>;
  readonly scrubbedBlobs: Counter;
  readonly scrubbedBytes: Counter;
  readonly damagedBlobs: Counter<'how'>;

  /** `lost`: blobs of what was published here that are damaged and were not brought back. */
  constructor(registry: Registry, lost: () => number) {
    const registers = [registry];
    this.evictedObjects = new Counter({
      name: 'entrepot_evicted_objects_total',
      help: 'Objects removed to make room, least recently used first.',
      labelNames: ['repository'],
      registers,
    });
    this.evictedBytes = new Counter({
      name: 'entrepot_evicted_bytes_total',
      help: 'Bytes of the objects removed to make room.',
      labelNames: ['repository'],
      registers,
    });
    this.sweptBlobs = new Counter({
      name: 'entrepot_swept_blobs_total',
      help: 'Blobs deleted because nothing meant them: orphaned, stray (not on record), or of a deletion that was broken off.',
      labelNames: ['why'],
      registers,
    });
    this.scrubbedBlobs = new Counter({
      name: 'entrepot_scrubbed_blobs_total',
      help: 'Blobs read again and compared with their digest.',
      registers,
    });
    this.scrubbedBytes = new Counter({
      name: 'entrepot_scrubbed_bytes_total',
      help: 'Bytes of the blobs read again.',
      registers,
    });
    this.damagedBlobs = new Counter({
      name: 'entrepot_scrub_damaged_total',
      help: 'Blobs found corrupt or missing; those of remotes are fetched again when somebody asks.',
      labelNames: ['how'],
      registers,
    });
    new Gauge({
      name: 'entrepot_scrub_lost_blobs',
      help: 'Blobs of what was published here that are damaged: somebody has to publish them again.',
      registers,
      collect() {
        this.set(lost());
      },
    });
  }
}
