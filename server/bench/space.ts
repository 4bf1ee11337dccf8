import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, statfs } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOf, fillStore, pathOf } from '../test/support/filled-store.ts';
import { freePort } from './servers.ts';

export const SPACE = 'space of a large store';

export interface SpaceMeasured {
  readonly artifacts: number;
  /** Milliseconds until it answered. */
  readonly start: number;
  /** Bytes, half a minute after the start. */
  readonly idle: number;
  /** Of one core, in per cent. */
  readonly cpu: { readonly idle: number; readonly sweep: number; readonly scrub: number };
  readonly eviction: {
    readonly bytes: number;
    readonly seconds: number;
    readonly requests: number;
    readonly failed: number;
    /** Milliseconds, of hits. */
    readonly p99: { readonly before: number; readonly meanwhile: number };
  };
}

const MAIN = new URL('../dist/app/main.js', import.meta.url).pathname;
const SMALL = 4000;
const LARGE = 1_000_000;
/** Files that are asked for all the time. */
const HOT = 100;
/** Hits a second. */
const RATE = 50;
const DAY = 86_400_000;
/** Seconds of one reading of the processor's time. */
const WATCHED = 30;
/** Clock ticks of `/proc`. */
const TICKS = 100;

/** A store of so many artifacts; then one of a tenth as many, of 1 MB each, brought under its limit. */
export async function measureSpace(artifacts: number): Promise<SpaceMeasured> {
  const large = Math.ceil(artifacts / 10);
  const { bavail, bsize } = await statfs(tmpdir());
  const needed = artifacts * SMALL * 2 + large * LARGE * 1.2;
  if (bavail * bsize < needed + 5e9) throw new Error(`${tmpdir()} needs ${Math.ceil((needed + 5e9) / 1e9)} GB free`);
  const upstream = await quietUpstream();
  try {
    const many = await ofMany(artifacts, upstream.url);
    return { artifacts, ...many, eviction: await ofEviction(large, upstream.url) };
  } finally {
    upstream.close();
  }
}

export function spaceTable({ artifacts, start, idle, cpu, eviction }: SpaceMeasured): string {
  const percent = (share: number): string => `${share.toFixed(1)} % of a core`;
  return [
    `| ${SPACE}: ${artifacts} artifacts | figure | target |`,
    '|---|---|---|',
    `| start | ${Math.round(start)} ms | < 1500 ms |`,
    `| memory, idle | ${Math.round(idle / 1e6)} MB | < 150 MB |`,
    `| processor, idle | ${percent(cpu.idle)} | |`,
    `| processor, while the whole store is walked through | ${percent(cpu.sweep)} | < 5 % |`,
    `| processor, while every blob is read again | ${percent(cpu.scrub)} | < 5 % |`,
    `| eviction of ${(eviction.bytes / 1e9).toFixed(1)} GB | ${eviction.seconds.toFixed(1)} s | |`,
    `| p99 of ${RATE} hits a second, before | ${eviction.p99.before.toFixed(1)} ms | |`,
    `| p99 of ${RATE} hits a second, meanwhile (${eviction.requests} hits, ${eviction.failed} failed) | ${eviction.p99.meanwhile.toFixed(1)} ms | < 20 ms |`,
  ].join('\n');
}

async function ofMany(count: number, upstream: string): Promise<Pick<SpaceMeasured, 'start' | 'idle' | 'cpu'>> {
  const data = await mkdtemp(join(tmpdir(), 'entrepot-many-'));
  try {
    await fillStore(data, { count, size: SMALL, upstream, usedAt: Date.now() - 2 * DAY });
    const declared = await started(data);
    await declare(declared, upstream);
    await declared.stop();
    // The first start walks through the store; the second has done that, and rests.
    const walking = await started(data, '--storage-scrub-every', '0');
    const sweep = await processorOf(walking.pid, WATCHED);
    await walked(walking);
    await walking.stop();
    const resting = await started(data, '--storage-scrub-every', '0');
    const idle = await processorOf(resting.pid, WATCHED);
    const memory = await residentOf(resting.pid);
    await resting.stop();
    const reading = await started(data, '--storage-scrub-every', '1m');
    const scrub = await processorOf(reading.pid, WATCHED);
    await reading.stop();
    return { start: resting.after, idle: memory, cpu: { idle, sweep, scrub } };
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

async function ofEviction(count: number, upstream: string): Promise<SpaceMeasured['eviction']> {
  const data = await mkdtemp(join(tmpdir(), 'entrepot-evicted-'));
  try {
    await fillStore(data, { count: count + HOT, size: LARGE, upstream, usedAt: Date.now() - 2 * DAY });
    const before = await started(data, '--storage-scrub-every', '0');
    await declare(before, upstream);
    // The hottest were used last: the numbers at the end.
    const calm = await hits(before.url, count, async () => sleep(10_000));
    await before.stop();
    const limit = 1.2 * HOT * LARGE;
    const evicting = await started(data, '--storage-scrub-every', '0', '--storage-max-size', String(limit));
    const began = performance.now();
    const busy = await hits(evicting.url, count, () => under(evicting, limit));
    const seconds = (performance.now() - began) / 1000;
    const left = await bytesIn(evicting);
    await evicting.stop();
    const p99 = { before: percentile(calm.times), meanwhile: percentile(busy.times) };
    return { bytes: (count + HOT) * LARGE - left, seconds, requests: busy.times.length, failed: busy.failed, p99 };
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

interface Started {
  readonly url: string;
  readonly pid: number;
  readonly token: string;
  /** Milliseconds until it answered. */
  readonly after: number;
  stop(): Promise<void>;
}

async function started(data: string, ...flags: readonly string[]): Promise<Started> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const began = performance.now();
  const child = spawn(process.execPath, [MAIN, '--listen', `127.0.0.1:${port}`, '--data', data, ...flags], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ENTREPOT_DEFAULTS: 'false', ENTREPOT_LOG_LEVEL: 'error' },
  });
  while (!(await answers(url))) {
    if (child.exitCode !== null) throw new Error('the server ended before it answered');
    await sleep(20);
  }
  const after = performance.now() - began;
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  return { url, pid: child.pid ?? 0, token, after, stop: () => stopped(child) };
}

function answers(url: string): Promise<boolean> {
  return fetch(`${url}/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}

function stopped(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}

async function declare({ url, token }: Started, upstream: string): Promise<void> {
  const spec = { name: 'files', format: 'generic', url: upstream, allow_private_network: true };
  const response = await fetch(`${url}/api/v2/remotes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(spec),
  });
  if (!response.ok) throw new Error(await response.text());
}

async function statsOf({ url, token }: Started): Promise<{ readonly bytes: number; readonly swept_at?: string }> {
  const response = await fetch(`${url}/api/v2/stats`, { headers: { authorization: `Bearer ${token}` } });
  return (await response.json()) as { bytes: number; swept_at?: string };
}

async function bytesIn(server: Started): Promise<number> {
  return (await statsOf(server)).bytes;
}

async function under(server: Started, limit: number): Promise<void> {
  while ((await bytesIn(server)) > limit) await sleep(500);
}

async function walked(server: Started): Promise<void> {
  while ((await statsOf(server)).swept_at === undefined) await sleep(1000);
}

/** Asks for hot files at an even rate, whatever the answers take, until the work is done. */
async function hits(
  url: string,
  first: number,
  work: () => Promise<void>,
): Promise<{ readonly times: readonly number[]; readonly failed: number }> {
  const times: number[] = [];
  let [isOver, failed, asked] = [false, 0, 0];
  const ask = async (number: number): Promise<void> => {
    const began = performance.now();
    const response = await fetch(`${url}/files/${pathOf(number)}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    times.push(performance.now() - began);
    if (!response.ok || !bytes.equals(bytesOf(number, LARGE))) failed += 1;
  };
  const timer = setInterval(() => {
    if (isOver) return;
    asked += 1;
    ask(first + (asked % HOT)).catch(() => {
      failed += 1;
    });
  }, 1000 / RATE);
  try {
    await work();
  } finally {
    isOver = true;
    clearInterval(timer);
  }
  while (times.length + failed < asked) await sleep(10);
  return { times, failed };
}

function percentile(times: readonly number[]): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.99)] ?? Number.NaN;
}

/** Per cent of one core, over so many seconds. */
async function processorOf(pid: number, seconds: number): Promise<number> {
  const before = await ticksOf(pid);
  await sleep(seconds * 1000);
  return (((await ticksOf(pid)) - before) / TICKS / seconds) * 100;
}

async function ticksOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

async function residentOf(pid: number): Promise<number> {
  const pages = Number((await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')[1]);
  return pages * 4096;
}

/** An upstream that has nothing: everything that is asked for is here. */
async function quietUpstream(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((_, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}
