import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { Problem } from './problem.mjs';

/** @type {NodeJS.Signals[]} */
const FORWARDED = ['SIGTERM', 'SIGINT', 'SIGHUP'];

/**
 * Becomes the command: its file runs under `node` with `args`, in this very process where Node can replace itself,
 * else in a child that gets this process's signals and whose exit becomes its exit.
 * @param {string} root
 * @param {string} node
 * @param {import('./commands.mjs').Command} command
 * @param {string[]} args
 */
export async function run(root, node, command, args) {
  const [file, ...first] = command.run;
  if (file === undefined) return;
  const entry = join(root, file);
  if (!existsSync(entry)) throw new Problem(`${entry} is missing: this checkout is not complete.`);
  if (command.atRoot) process.chdir(root);
  const argv = [entry, ...first, ...args];
  if (typeof process.execve === 'function') process.execve(node, [node, ...argv], environment(node));
  await runChild(node, argv);
}

/** Children that ask for `node` get the same one; the user's own is on the PATH already. */
function environment(node) {
  const own = node === process.execPath ? [] : [dirname(node)];
  const path = [...own, process.env.PATH].filter(Boolean).join(delimiter);
  return { ...process.env, PATH: path, NODE: node, npm_node_execpath: node };
}

function runChild(node, argv) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, argv, { stdio: 'inherit', env: environment(node) });
    for (const signal of FORWARDED) {
      process.on(signal, () => {
        // Ctrl-C reaches the whole process group: forwarding it would make it two.
        if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
      });
    }
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (signal) {
        for (const each of FORWARDED) process.removeAllListeners(each);
        process.kill(process.pid, signal);
      } else process.exitCode = code ?? 1;
      resolve(undefined);
    });
  });
}
