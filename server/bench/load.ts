import { spawn } from 'node:child_process';

export interface Load {
  readonly requestsPerSecond: number;
  readonly bytesPerSecond: number;
  /** Milliseconds. */
  readonly p99: number;
  readonly failed: number;
}

export interface LoadOptions {
  readonly connections: number;
  readonly seconds: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Asks for so many paths in turn: the address's own with 0, 1, … after it. */
  readonly rotate?: number | undefined;
}

const ROTATE = new URL('rotate.lua', import.meta.url).pathname;

/** Runs wrk against one address on this machine. */
export async function load(url: string, { connections, seconds, headers = {}, rotate }: LoadOptions): Promise<Load> {
  const named = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const asked = rotate === undefined ? [url] : ['-s', ROTATE, url, '--', String(rotate)];
  const printed = await run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', ...named, ...asked]);
  return {
    requestsPerSecond: figure(printed, /Requests\/sec:\s+([\d.]+)/),
    bytesPerSecond: bytesOf(printed),
    p99: milliseconds(printed),
    failed:
      sum(/Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(printed)) +
      sum(/Non-2xx or 3xx responses: (\d+)/.exec(printed)),
  };
}

function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(Buffer.concat(chunks).toString()) : reject(new Error(`${command} ended with ${code}`)),
    );
  });
}

function figure(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`wrk printed no ${pattern.source}:\n${text}`);
  return Number(found);
}

function milliseconds(text: string): number {
  const found = /99%\s+([\d.]+)(us|ms|s)/.exec(text);
  if (!found) throw new Error(`wrk printed no 99th percentile:\n${text}`);
  return Number(found[1]) * { us: 0.001, ms: 1, s: 1000 }[found[2] as 'us' | 'ms' | 's'];
}

function bytesOf(text: string): number {
  const found = /Transfer\/sec:\s+([\d.]+)([KMG]?)B/.exec(text);
  if (!found) throw new Error(`wrk printed no transfer:\n${text}`);
  return Number(found[1]) * { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }[found[2] as '' | 'K' | 'M' | 'G'];
}

function sum(found: RegExpExecArray | null): number {
  return (found?.slice(1) ?? []).reduce((total, each) => total + Number(each), 0);
}
