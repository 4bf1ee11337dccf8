import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withLock } from './lock.mjs';
import { Problem } from './problem.mjs';
import { withProgress } from './progress.mjs';

const BUILDS = [
  {
    what: 'Building the server',
    sources: ['server/src', 'server/tsconfig.json', 'node_modules/.installed-from'],
    output: 'server/dist',
    run: ['node_modules/typescript/bin/tsc', '-p', 'server'],
  },
  {
    what: 'Building the Terraform provider',
    sources: [
      'terraform-provider/src',
      'terraform-provider/build.mjs',
      'terraform-provider/schema.json',
      'node_modules/.installed-from',
    ],
    output: 'terraform-provider/dist',
    run: ['terraform-provider/build.mjs'],
  },
];

/** Builds what has changed since its last build; a checkout that holds only built files is taken as it is. */
export async function buildWhatChanged(root, node) {
  const due = () => BUILDS.filter((build) => existsSync(join(root, build.sources[0])) && isOutOfDate(root, build));
  if (due().length === 0) return;
  await withLock(root, async () => {
    for (const build of due()) await runBuild(root, node, build);
  });
}

async function runBuild(root, node, build) {
  const now = sourcesOf(root, build);
  const before = readStamp(root, build);
  if (before && Object.keys(before).some((file) => !(file in now)))
    rmSync(join(root, build.output), { recursive: true, force: true });
  await withProgress(build.what, async () => {
    const { code, output } = await capture(root, node, build.run);
    if (code !== 0) throw new Problem(`${output.trimEnd()}\n\n${build.what} failed.`);
  });
  writeStamp(root, build, now);
}

function capture(root, node, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

function isOutOfDate(root, build) {
  return JSON.stringify(readStamp(root, build)) !== JSON.stringify(sourcesOf(root, build));
}

/** Every source with its time and size. */
function sourcesOf(root, build) {
  const found = {};
  const visit = (path) => {
    const stat = statSync(join(root, path), { throwIfNoEntry: false });
    if (path.endsWith('/fixtures')) return;
    if (stat?.isDirectory()) for (const name of readdirSync(join(root, path)).sort()) visit(`${path}/${name}`);
    else if (stat) found[path] = `${stat.mtimeMs} ${stat.size}`;
  };
  build.sources.forEach(visit);
  return found;
}

function readStamp(root, build) {
  try {
    return JSON.parse(readFileSync(stampPath(root, build), 'utf8'));
  } catch {
    return undefined;
  }
}

function writeStamp(root, build, sources) {
  const path = stampPath(root, build);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(sources));
}

function stampPath(root, build) {
  return join(root, build.output, '.built-from.json');
}
