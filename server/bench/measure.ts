import { type Load, type LoadOptions, load } from './load.ts';
import type { Row } from './sample.ts';

export interface Measured {
  readonly row: Row;
  readonly ours: Load;
  readonly theirs: Load;
  readonly ratio: number;
}

export const ROUNDS = 3;

const CONNECTIONS = 32;
/** Paths that are asked for at a time before anything counts. */
const WARMING = 8;
const SECONDS = 2;

/**
 * Interleaved, so that a machine that slows down slows both; the median of the rounds' ratios is what counts.
 * `seconds`: instead of the row's own.
 */
export async function measure(row: Row, ours: string, theirs: string, seconds?: number): Promise<Measured> {
  const rounds: Measured[] = [];
  for (const url of [ours, theirs]) await warm(url, row);
  for (let round = 0; round < ROUNDS; round++) {
    const mine = await load(ours + row.path, await optionsFor(row, ours, seconds));
    const nginx = await load(theirs + row.path, await optionsFor(row, theirs, seconds));
    const ratio =
      row.by === 'bytes'
        ? mine.bytesPerSecond / nginx.bytesPerSecond
        : mine.requestsPerSecond / nginx.requestsPerSecond;
    rounds.push({ row, ours: mine, theirs: nginx, ratio });
  }
  return rounds.toSorted((a, b) => a.ratio - b.ratio)[Math.floor(ROUNDS / 2)] as Measured;
}

/** Fetches it once and says so when there is no such thing. */
export async function fetched(url: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  const response = await fetch(url, { headers: { ...headers } });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}

function pathsOf({ path, rotate }: Row): readonly string[] {
  return rotate === undefined ? [path] : Array.from({ length: rotate }, (_, number) => path + number);
}

async function warm(url: string, row: Row): Promise<void> {
  const paths = [...pathsOf(row)];
  const turn = async () => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop())
      for (let time = 0; time < 4; time++) await fetched(url + path, row.headers);
  };
  await Promise.all(Array.from({ length: WARMING }, turn));
}

async function optionsFor(row: Row, url: string, given: number | undefined): Promise<LoadOptions> {
  const { connections = CONNECTIONS, seconds = SECONDS, rotate } = row;
  const headers: Record<string, string> = { ...row.headers };
  if (row.conditional) {
    const plain = { 'accept-encoding': 'identity', ...headers };
    const tag = (await fetch(url + row.path, { headers: plain })).headers.get('etag');
    if (tag === null) throw new Error(`${url}${row.path} came without an ETag`);
    headers['If-None-Match'] = tag;
    const { status } = await fetch(url + row.path, { headers: { ...plain, ...headers } });
    if (status !== 304) throw new Error(`${url}${row.path} answered ${status} to its own tag`);
  }
  return { connections, seconds: given ?? seconds, headers, rotate };
}

/** `heads`: what is compared, ours first. */
export function table(
  measured: readonly Measured[],
  [ours, theirs, p99 = 'p99', theirP99 = 'nginx p99']: readonly string[] = ['entrepot', 'nginx `proxy_cache`'],
): string {
  const lines = measured.map(({ row, ours: mine, theirs: nginx, ratio }) => {
    const unit = (one: Load) =>
      row.by === 'bytes' ? `${Math.round(one.bytesPerSecond / 1e6)} MB/s` : `${Math.round(one.requestsPerSecond)}/s`;
    return `| ${row.name} | ${unit(mine)} | ${unit(nginx)} | ${ratio.toFixed(2)} | ≥ ${row.target} | ${mine.p99.toFixed(1)} ms | ${nginx.p99.toFixed(1)} ms |`;
  });
  return [
    `| work | ${ours} | ${theirs} | ratio | target | ${p99} | ${theirP99} |`,
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}
