import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { type Load, load } from './load.ts';
import { type Running, startEntrepot, startNginx } from './servers.ts';
import { type Sample, startUpstream } from './upstream.ts';

/** What is measured, and how much of nginx's figure it must reach in the same run. */
interface Row {
  readonly name: string;
  readonly path: string;
  readonly target: number;
  readonly by: 'requests' | 'bytes';
  readonly connections: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Asks with the tag that the answer came with. */
  readonly conditional?: boolean;
}

const SAMPLES: readonly Sample[] = [
  { name: 'small', packument: 2_000, tarball: 30_000 },
  { name: 'medium', packument: 135_000, tarball: 300_000 },
  { name: 'large', packument: 2_000, tarball: 100_000_000 },
];

const ROWS: readonly Row[] = [
  { name: 'packument 2 kB', path: '/small', target: 0.6, by: 'requests', connections: 32 },
  { name: 'packument 135 kB', path: '/medium', target: 0.65, by: 'requests', connections: 32 },
  {
    name: 'packument 135 kB, gzip',
    path: '/medium',
    target: 0.5,
    by: 'requests',
    connections: 32,
    headers: { 'Accept-Encoding': 'gzip' },
  },
  { name: '304', path: '/medium', target: 0.45, by: 'requests', connections: 32, conditional: true },
  { name: 'tarball 30 kB', path: '/small/-/small-1.0.0.tgz', target: 0.45, by: 'requests', connections: 32 },
  { name: 'tarball 300 kB', path: '/medium/-/medium-1.0.0.tgz', target: 1.2, by: 'requests', connections: 32 },
  { name: 'blob 100 MB', path: '/large/-/large-1.0.0.tgz', target: 1.3, by: 'bytes', connections: 4 },
];

interface Measured {
  readonly row: Row;
  readonly ours: Load;
  readonly theirs: Load;
  readonly ratio: number;
}

const SECONDS = 4;
const ROUNDS = 3;

/** Interleaved, so that a machine that slows down slows both; the median of the rounds' ratios is what counts. */
async function measure(row: Row, ours: string, theirs: string): Promise<Measured> {
  const rounds: Measured[] = [];
  for (const url of [ours, theirs]) await warm(url + row.path, row.headers);
  for (let round = 0; round < ROUNDS; round++) {
    const mine = await load(ours + row.path, await optionsFor(row, ours));
    const nginx = await load(theirs + row.path, await optionsFor(row, theirs));
    const ratio =
      row.by === 'bytes'
        ? mine.bytesPerSecond / nginx.bytesPerSecond
        : mine.requestsPerSecond / nginx.requestsPerSecond;
    rounds.push({ row, ours: mine, theirs: nginx, ratio });
  }
  return rounds.toSorted((a, b) => a.ratio - b.ratio)[Math.floor(ROUNDS / 2)] as Measured;
}

async function optionsFor(
  row: Row,
  url: string,
): Promise<{ connections: number; seconds: number; headers: Record<string, string> }> {
  const headers: Record<string, string> = { ...row.headers };
  if (row.conditional) {
    const plain = { 'accept-encoding': 'identity', ...headers };
    const tag = (await fetch(url + row.path, { headers: plain })).headers.get('etag');
    if (tag === null) throw new Error(`${url}${row.path} came without an ETag`);
    headers['If-None-Match'] = tag;
    const { status } = await fetch(url + row.path, { headers: { ...plain, ...headers } });
    if (status !== 304) throw new Error(`${url}${row.path} answered ${status} to its own tag`);
  }
  return { connections: row.connections, seconds: SECONDS, headers };
}

async function warm(url: string, headers: Readonly<Record<string, string>> | undefined): Promise<void> {
  for (let time = 0; time < 4; time++) {
    const response = await fetch(url, { headers: { ...headers } });
    if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
    await response.arrayBuffer();
  }
}

function table(measured: readonly Measured[]): string {
  const lines = measured.map(({ row, ours, theirs, ratio }) => {
    const unit = (one: Load) =>
      row.by === 'bytes' ? `${Math.round(one.bytesPerSecond / 1e6)} MB/s` : `${Math.round(one.requestsPerSecond)}/s`;
    return `| ${row.name} | ${unit(ours)} | ${unit(theirs)} | ${ratio.toFixed(2)} | ≥ ${row.target} | ${ours.p99.toFixed(1)} ms | ${theirs.p99.toFixed(1)} ms |`;
  });
  return [
    '| work | entrepot | nginx `proxy_cache` | ratio | target | p99 | nginx p99 |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

/** Ends the process, saying how to get what is missing. */
function requireTools(tools: readonly string[]): void {
  const missing = tools.filter((tool) => spawnSync(tool, ['-v']).error !== undefined);
  if (missing.length === 0) return;
  console.error(`The benchmark needs ${missing.join(' and ')}: apt-get install ${missing.join(' ')}`);
  process.exit(2);
}

async function declare(entrepot: Running & { readonly token: string }, upstream: string): Promise<void> {
  const response = await fetch(`${entrepot.url}/api/v2/remotes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${entrepot.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench', format: 'npm', url: upstream, allow_private_network: true, index_ttl: '1h' }),
  });
  if (response.status !== 201) throw new Error(`the remote was not made: ${response.status} ${await response.text()}`);
}

requireTools(['nginx', 'wrk']);
const upstream = await startUpstream(SAMPLES);
const entrepot = await startEntrepot();
const nginx = await startNginx(upstream.url);
try {
  await declare(entrepot, upstream.url);
  const measured: Measured[] = [];
  for (const row of ROWS) {
    process.stderr.write(`measuring ${row.name} …\n`);
    measured.push(await measure(row, `${entrepot.url}/bench`, nginx.url));
  }
  const printed = table(measured);
  console.log(printed);
  const out = process.argv.indexOf('--write');
  if (out > 0) await writeFile(process.argv[out + 1] as string, `${printed}\n`);
  const failed = measured.filter(({ ours }) => ours.failed > 0);
  const missed = measured.filter(({ ratio, row }) => ratio < row.target);
  for (const { row, ours } of failed) console.log(`${row.name}: ${ours.failed} requests failed`);
  for (const { row, ratio } of missed)
    console.log(`${row.name}: ${ratio.toFixed(2)} of nginx, the target is ${row.target}`);
  console.log(`${cpus().length} cores, one load generator beside the servers, ${ROUNDS} rounds of ${SECONDS} s each`);
  process.exitCode = failed.length + missed.length > 0 ? 1 : 0;
} finally {
  await nginx.stop();
  await entrepot.stop();
  await upstream.close();
}
