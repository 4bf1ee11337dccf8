import { spawn } from 'node:child_process';

const AT_ONCE = 2;

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string[]} run    a file for Node and its arguments, from the root of the checkout
 * @property {string} [after]  a step that has to succeed first
 */

const tsc = 'node_modules/typescript/bin/tsc';

/** @type {Step[]} */
const STEPS = [
  { name: 'types and build', run: ['scripts/bootstrap.mjs', 'build'] },
  { name: 'types of server tests', run: [tsc, '-p', 'server/test'] },
  { name: 'types of the provider', run: [tsc, '-p', 'terraform-provider'] },
  { name: 'types of scripts', run: [tsc, '-p', '.'] },
  {
    name: 'lint, format, names',
    run: ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '--max-diagnostics=200'],
  },
  { name: 'import rules', run: ['scripts/check-imports.mjs'] },
  { name: 'dead code', run: ['node_modules/knip/bin/knip.js', '--no-progress'] },
  { name: 'hosts', run: ['scripts/check-hosts.mjs'] },
  { name: 'generated files', run: ['server/dist/schema/generate.js', '--check'], after: 'types and build' },
];

const started = Date.now();
const succeeded = await runAll(STEPS);
process.stdout.write(`check: ${succeeded ? 'passed' : 'failed'} in ${secondsSince(started)} s\n`);
process.exitCode = succeeded ? 0 : 1;

/** @param {Step[]} steps */
async function runAll(steps) {
  const waiting = [...steps];
  /** @type {Map<string, boolean>} */
  const results = new Map();
  const next = () => waiting.findIndex(({ after }) => after === undefined || results.has(after));
  const worker = async () => {
    while (waiting.length > 0) {
      const index = next();
      const [step] = waiting.splice(Math.max(index, 0), index < 0 ? 0 : 1);
      if (step) results.set(step.name, await runStep(step, results));
      else await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return [...results.values()].every(Boolean);
}

/**
 * @param {Step} step
 * @param {ReadonlyMap<string, boolean>} results
 */
async function runStep({ name, run, after }, results) {
  if (after !== undefined && !results.get(after)) {
    process.stdout.write(`✗ ${name}: not run, because ${after} failed\n`);
    return false;
  }
  const start = Date.now();
  const { code, output } = await capture(run);
  process.stdout.write(`${code === 0 ? '✓' : '✗'} ${name} ${secondsSince(start)} s\n`);
  if (code !== 0) process.stdout.write(`${output.trimEnd()}\n\n`);
  return code === 0;
}

/** @param {string[]} args */
function capture(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk) => {
        output += chunk;
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

function secondsSince(start) {
  return ((Date.now() - start) / 1000).toFixed(1);
}
