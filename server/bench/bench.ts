import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { BACKUP, backupTable, keepsake, measureBackup } from './backup.ts';
import { DECISION, decisionTable, measureDecision } from './decision.ts';
import { type Measured, measure, ROUNDS, table } from './measure.ts';
import { COOLDOWN, cooldownTable, crowd, measureCooldown } from './policy.ts';
import { repositoryOf } from './repositories.ts';
import { folderOf, type Sample } from './sample.ts';
import { samplesOf } from './samples/all.ts';
import { startEntrepot, startNginx } from './servers.ts';
import { measureSpace, SPACE, spaceTable } from './space.ts';
import { startUpstream } from './upstream.ts';

const USAGE = `npm run bench -- [--only <text>] [--seconds <number>] [--artifacts <number>] [--write <file>]
  --only       rows whose format or name contains the text, whatever the case; several times: any of them
  --seconds    how long each turn of a row lasts
  --artifacts  of "--only space", which is measured only when it is asked for alone; default: 100000
  --write      the table goes into this file too`;

/** Ends the process, saying how to get what is missing. */
function requireTools(tools: readonly string[]): void {
  const missing = tools.filter((tool) => spawnSync(tool, ['-v']).error !== undefined);
  if (missing.length === 0) return;
  console.error(`The benchmark needs ${missing.join(' and ')}: apt-get install ${missing.join(' ')}`);
  process.exit(2);
}

function options(): {
  readonly only: readonly string[];
  readonly seconds?: number;
  readonly artifacts?: number;
  readonly write?: string;
} {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', multiple: true, default: [] },
        seconds: { type: 'string' },
        artifacts: { type: 'string' },
        write: { type: 'string' },
      },
    });
    const { only, seconds, artifacts, write } = values;
    for (const count of [seconds, artifacts])
      if (count !== undefined && !/^[1-9]\d*$/.test(count)) throw new Error(`${count} is no number`);
    return {
      only,
      ...(seconds === undefined ? {} : { seconds: Number(seconds) }),
      ...(artifacts === undefined ? {} : { artifacts: Number(artifacts) }),
      ...(write === undefined ? {} : { write }),
    };
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}

/** The formats as they are built: their options are declared with decorators, which Node does not run from TypeScript. */
async function installedFormats(): Promise<readonly string[]> {
  const built: string = '../dist/formats/all.js';
  const { formats }: { formats: readonly { readonly id: string }[] } = await import(built);
  return formats.map(({ id }) => id);
}

/** Whether a row of that name is asked for. */
function chosen(only: readonly string[]): (name: string) => boolean {
  const wanted = only.map((text) => text.toLowerCase());
  return (name) => wanted.length === 0 || wanted.some((one) => name.toLowerCase().includes(one));
}

function picked(samples: readonly Sample[], isWanted: (name: string) => boolean): readonly Sample[] {
  return samples
    .map((sample) => ({ ...sample, rows: sample.rows.filter(({ name }) => isWanted(`${sample.format} ${name}`)) }))
    .filter(({ rows }) => rows.length > 0);
}

const { only, seconds, artifacts, write } = options();
if (only.length === 1 && only[0]?.toLowerCase() === 'space') await benchSpace();
requireTools(['nginx', 'wrk']);
const isWanted = chosen(only);
const samples = picked(samplesOf(await installedFormats()), isWanted);
const isCooldownWanted = isWanted(`policy ${COOLDOWN}`);
const isDecisionWanted = isWanted(DECISION);
const isBackupWanted = isWanted(`backup ${BACKUP}`);
if (samples.length === 0 && !isCooldownWanted && !isDecisionWanted && !isBackupWanted) {
  console.error(`No row has ${only.join(' or ')} in its name.`);
  process.exit(2);
}

const upstream = await startUpstream([...samples, crowd, keepsake]);
const entrepot = await startEntrepot();
const nginx = await startNginx(upstream.url);
try {
  const measured: Measured[] = [];
  for (const sample of samples) {
    const ours = await repositoryOf(sample, entrepot, upstream.url);
    for (const row of sample.rows) {
      process.stderr.write(`measuring ${row.name} …\n`);
      measured.push(await measure(row, ours, nginx.url + folderOf(sample), seconds));
    }
  }
  if (isCooldownWanted) process.stderr.write(`measuring ${COOLDOWN} …\n`);
  const cooled = isCooldownWanted ? [await measureCooldown(entrepot, upstream.url, seconds)] : [];
  if (isDecisionWanted) process.stderr.write(`measuring ${DECISION} …\n`);
  const decided = isDecisionWanted ? [await measureDecision()] : [];
  if (isBackupWanted) process.stderr.write(`measuring ${BACKUP} …\n`);
  const backedUp = isBackupWanted ? [await measureBackup(entrepot, upstream.url, seconds)] : [];
  const printed = [
    ...(measured.length > 0 ? [table(measured)] : []),
    ...cooled.map(cooldownTable),
    ...decided.map(decisionTable),
    ...backedUp.map(backupTable),
  ].join('\n\n');
  console.log(printed);
  if (write !== undefined) await writeFile(write, `${printed}\n`);
  const failed = [...measured, ...cooled].filter(({ ours }) => ours.failed > 0);
  const missed = measured.filter(isMissed);
  for (const { row, ours } of failed) console.log(`${row.name}: ${ours.failed} requests failed`);
  for (const { row, ratio } of missed)
    console.log(`${row.name}: ${ratio.toFixed(2)} of nginx, the target is ${row.target}`);
  const slower = cooled.filter(isMissed);
  for (const { row, ratio } of slower)
    console.log(`${row.name}: ${ratio.toFixed(2)} of what it is without a cooldown, the target is ${row.target}`);
  const late = decided.filter(({ isMissed }) => isMissed);
  for (const { median } of late) console.log(`${DECISION}: ${median.toFixed(1)} µs is too long`);
  const stalled = backedUp.filter(({ isMissed }) => isMissed);
  for (const { during } of stalled) console.log(`${BACKUP}: a p99 of ${during.p99.toFixed(1)} ms is too long`);
  console.log(`${cpus().length} cores, one load generator beside the servers, the median of ${ROUNDS} rounds`);
  process.exitCode = failed.length + missed.length + slower.length + late.length + stalled.length > 0 ? 1 : 0;
} finally {
  await nginx.stop();
  await entrepot.stop();
  await upstream.close();
}

function isMissed({ ratio, row }: Measured): boolean {
  return ratio < row.target;
}

/** By itself: it takes gigabytes of disk and a quarter of an hour. Ends the process. */
async function benchSpace(): Promise<never> {
  process.stderr.write(`measuring ${SPACE} …\n`);
  const measured = await measureSpace(artifacts ?? 100_000);
  console.log(spaceTable(measured));
  if (write !== undefined) await writeFile(write, `${spaceTable(measured)}\n`);
  process.exit(measured.eviction.failed > 0 || measured.eviction.p99.meanwhile >= 20 ? 1 : 0);
}
