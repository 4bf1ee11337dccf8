import { fileURLToPath } from 'node:url';
import { buildWhatChanged } from './build.mjs';
import { commandNamed } from './commands.mjs';
import { installIfNeeded } from './install.mjs';
import { chooseNode, refuseOldNode } from './node.mjs';
import { Problem } from './problem.mjs';
import { run } from './run.mjs';

const checkout = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Makes a checkout ready and runs one of its commands: installs what the lock file names, builds what is out of date,
 * then goes on under Node 24 or newer. Runs on any Node from 18 on and needs nothing installed.
 * @param {string | undefined} name
 * @param {string[]} args
 */
export async function bootstrap(name, args, root = checkout) {
  try {
    const command = commandNamed(name);
    refuseOldNode();
    await installIfNeeded(root);
    const node = chooseNode(root);
    if (command.build) await buildWhatChanged(root, node);
    await run(root, node, command, args);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
