import { spawn } from 'node:child_process';

const children = [
  spawn(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'server', '--watch', '--preserveWatchOutput'], {
    stdio: 'inherit',
  }),
  spawn(process.execPath, ['--watch', '--watch-preserve-output', 'server/dist/app/main.js', ...process.argv.slice(2)], {
    stdio: 'inherit',
  }),
];

/** @param {NodeJS.Signals} [signal] */
function stopAll(signal) {
  for (const child of children) child.kill(signal);
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.once(signal, () => stopAll(signal));
for (const child of children) child.once('exit', () => stopAll());
