import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { diskMissing } from '../support/small-disk.ts';
import { parseOptions, USAGE } from './options.ts';
import { report } from './report.ts';
import { soak } from './run.ts';

const BUILT = fileURLToPath(new URL('../../dist/app/main.js', import.meta.url));

const given = await parseOptions(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`${(error as Error).message}\n${USAGE}`);
  process.exit(2);
});
const { keep, json, program = BUILT, ...options } = given;
const began = Date.now();
const say = (line: string): void => {
  process.stderr.write(`${String(Math.round((Date.now() - began) / 1000)).padStart(5)} s  ${line}\n`);
};
for (const missing of given.missing) say(missing);
if (diskMissing()) say(`full disks are left out: ${diskMissing()}`);
say(`seed ${options.seed}, ${options.topology}, ${options.clients} clients, ${options.milliseconds / 1000} s`);

const folder = keep ?? (await mkdtemp(join(tmpdir(), 'entrepot-soak-')));
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
const outcome = await soak({ ...options, program, folder, say, signal: interrupted.signal }).catch((error: unknown) => {
  say(
    `it could not be run to its end: ${error instanceof Error ? error.message : String(error)}; logs are in ${folder}`,
  );
  process.exit(2);
});
const isWrong = outcome.findings.length > 0;
console.log(json ? JSON.stringify(outcome, undefined, 2) : report(outcome));
if (isWrong || keep !== undefined) say(`requests and logs are in ${folder}`);
else await rm(folder, { recursive: true, force: true });
process.exit(isWrong ? 1 : 0);
