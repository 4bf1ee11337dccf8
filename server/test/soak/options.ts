import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';

export const USAGE = `npm run soak -- [<time>] [--seed <text>] [--topology single|replicas] [--clients <number>] [--keep <folder>] [--program <file>] [--json]
  <time>      how long clients go on: 90s, 10m, 1h; default 10m
  --seed      what happens follows from it; default: another each time
  --topology  one server with everything in its folder, or two on PostgreSQL, S3 and Redis; default: replicas where those are
  --clients   default 16
  --keep      the folder in which everything of the run is kept
  --program   the main.js of another build
  --json      the summary as JSON`;

export interface GivenOptions {
  readonly milliseconds: number;
  readonly seed: string;
  readonly topology: 'single' | 'replicas';
  readonly clients: number;
  readonly keep?: string;
  readonly program?: string;
  readonly json: boolean;
  /** Sentences on what is left out. */
  readonly missing: readonly string[];
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3600_000 };

/** Throws with a sentence when something is not understood, or asked for and not here. */
export async function parseOptions(argv: readonly string[]): Promise<GivenOptions> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      topology: { type: 'string' },
      clients: { type: 'string', default: '16' },
      keep: { type: 'string' },
      program: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  if (positionals.length > 1) throw new Error(`${positionals[1]} is one too many`);
  const { seed = randomBytes(4).toString('hex'), clients, keep, program, json } = values;
  if (!/^[1-9]\d{0,3}$/.test(clients)) throw new Error(`${clients} is no number of clients`);
  return {
    milliseconds: timeOf(positionals[0] ?? '10m'),
    seed,
    clients: Number(clients),
    json,
    ...(await topologyOf(values.topology)),
    ...(keep === undefined ? {} : { keep }),
    ...(program === undefined ? {} : { program }),
  };
}

function timeOf(text: string): number {
  const [, count, unit = ''] = /^([1-9]\d*)([smh])$/.exec(text) ?? [];
  const factor = UNITS[unit];
  if (count === undefined || factor === undefined) throw new Error(`${text} is no time such as 90s, 10m, 1h`);
  return Number(count) * factor;
}

async function topologyOf(given: string | undefined): Promise<Pick<GivenOptions, 'topology' | 'missing'>> {
  if (given !== undefined && given !== 'single' && given !== 'replicas') throw new Error(`${given} is no topology`);
  if (given === 'single') return { topology: 'single', missing: [] };
  const { servicesMissing } = await import('./replicas.ts');
  const missing = servicesMissing();
  if (missing.length === 0) return { topology: 'replicas', missing: [] };
  if (given === 'replicas') throw new Error(missing.join('\n'));
  return { topology: 'single', missing: [...missing, 'so there is one server with everything in its folder'] };
}
