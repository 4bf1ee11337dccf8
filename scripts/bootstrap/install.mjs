import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isInstalled, manifestOutOfStep, markIncomplete, markInstalled, packagesIn } from './installed.mjs';
import { withLock } from './lock.mjs';
import { bundledNodeIsWanted, isInside } from './node.mjs';
import { describeFailure, NpmLog } from './npm-log.mjs';
import { Problem } from './problem.mjs';
import { withProgress } from './progress.mjs';

// Not `npm ci`: it refuses a lock file that lacks some other platform's optional package, which a mirror may not have.
const NPM_INSTALL = [
  'install',
  // No package here needs its install script: what is native comes built, and building it would need a compiler and headers.
  '--ignore-scripts',
  '--no-save',
  '--loglevel=http',
  '--no-audit',
  '--no-fund',
  '--no-progress',
  '--fetch-retry-mintimeout=1000',
  '--fetch-retry-maxtimeout=8000',
];

/** Brings `node_modules` to what the lock file says, unless it is that already. */
export async function installIfNeeded(root) {
  if (isInstalled(root)) return;
  await withLock(root, async () => {
    if (isInstalled(root)) return;
    refuseManifestOutOfStep(root);
    markIncomplete(root);
    await install(root);
    if (!bundledNodeIsWanted(root)) rmSync(join(root, 'node_modules', '.bin', 'node'), { force: true });
    markInstalled(root);
  });
}

function refuseManifestOutOfStep(root) {
  const outOfStep = manifestOutOfStep(root);
  if (outOfStep) {
    throw new Problem(
      `${outOfStep} asks for other packages than package-lock.json: run "npm install", which brings the lock file up to date.`,
    );
  }
}

async function install(root) {
  const path = join(root, '.bootstrap', 'npm.log');
  const log = new NpmLog();
  const total = packagesIn(root);
  await withProgress(
    `Installing ${total} packages (npm's log: ${path})`,
    async () => {
      const code = await npmInstall(root, path, log);
      if (code !== 0) throw new Problem(describeFailure(path, code));
    },
    () => (log.fetched ? `${Math.min(log.fetched, total)} of ${total} fetched` : ''),
  );
}

function npmInstall(root, path, log) {
  const [file, ...args] = npmCommand(root);
  return new Promise((resolve, reject) => {
    const out = createWriteStream(path);
    const child = spawn(file, [...args, ...NPM_INSTALL], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        out.write(`${line}\n`);
        log.take(line);
        if (log.unreachable) child.kill();
      });
    }
    child.once('error', (error) => {
      reject(new Problem(`npm could not be started (${error.message}): it comes with Node and must be on the PATH.`));
    });
    child.once('close', (code) => out.end(() => resolve(code ?? 1)));
  });
}

/** The npm that started us, on the Node it runs on; our own may live in the folder that is about to change. */
function npmCommand(root) {
  const { npm_execpath: cli, npm_node_execpath: node = process.execPath } = process.env;
  if (cli && /npm-cli\.[cm]?js$/.test(cli) && existsSync(cli) && !isInside(root, node)) return [node, cli];
  return ['npm'];
}
