import { readdir, readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { LoopDelay } from './loop-delay.ts';
import { VERSION } from './version.ts';

const PERCENTILES = [50, 90, 99, 100] as const;

/**
 * Of the process itself, read when somebody asks. Not prom-client's own: those look at the event loop a hundred times a second
 * for as long as the process lives.
 */
export function processMetrics(registry: Registry, loop: LoopDelay): void {
  const registers = [registry];
  new Gauge({
    name: 'entrepot_build_info',
    help: 'Which version of Entrepot this is, on which Node.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version: VERSION, node: process.versions.node }, 1);
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'When the process started, in seconds since the epoch.',
    registers,
  }).set(performance.timeOrigin / 1000);
  total(registry, 'process_cpu_seconds_total', 'Processor time, all threads.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  total(registry, 'entrepot_event_loop_active_seconds_total', 'Time that the serving thread spent working.', () => {
    return performance.eventLoopUtilization().active / 1000;
  });
  new Gauge({
    name: 'entrepot_event_loop_delay_seconds',
    help: 'How long what is due waits for the serving thread, over the last minute or less; 0 while it is idle.',
    labelNames: ['quantile'],
    registers,
    collect() {
      for (const percent of PERCENTILES) this.set({ quantile: percent / 100 }, loop.percentile(percent));
    },
  });
  const memory = (name: string, help: string, bytes: () => number) => gauge(registry, name, help, bytes);
  memory('process_resident_memory_bytes', 'Memory that is really there.', () => process.memoryUsage.rss());
  memory('nodejs_heap_used_bytes', 'Of the serving thread, used.', () => getHeapStatistics().used_heap_size);
  memory('nodejs_heap_size_bytes', 'Of the serving thread, taken.', () => getHeapStatistics().total_heap_size);
  memory('nodejs_external_memory_bytes', 'Outside the heap.', () => process.memoryUsage().external);
  gauge(registry, 'process_open_fds', 'Open files and sockets.', async () => (await readdir('/proc/self/fd')).length);
  gauge(registry, 'process_max_fds', 'How many of them there may be.', mostDescriptors);
}

/** A number that is read when somebody asks; where it cannot be read there is none. */
export function gauge(registry: Registry, name: string, help: string, read: () => number | Promise<number>): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    async collect() {
      try {
        this.set(await read());
      } catch {
        this.remove();
      }
    },
  });
}

/** One that only grows. */
export function total(registry: Registry, name: string, help: string, read: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

async function mostDescriptors(): Promise<number> {
  const [, most] = /^Max open files +(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8')) ?? [];
  if (most === undefined) throw new Error('unlimited');
  return Number(most);
}
