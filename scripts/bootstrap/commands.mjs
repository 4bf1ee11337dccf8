import { Problem } from './problem.mjs';

/**
 * @typedef {object} Command
 * @property {string[]} run     the file to run, from the root of the checkout, and its first arguments; none: only build
 * @property {boolean} build    whether the server and the provider are built first
 * @property {boolean} atRoot   whether it runs in the root of the checkout instead of the caller's folder
 */

const vitest = (...projects) => ({
  run: ['node_modules/vitest/vitest.mjs', 'run', ...projects.flatMap((project) => ['--project', project])],
  build: true,
  atRoot: true,
});

/** @type {Record<string, Command>} */
const COMMANDS = {
  start: { run: ['server/dist/app/main.js'], build: true, atRoot: false },
  entrepot: { run: ['server/dist/cli/main.js'], build: true, atRoot: false },
  dev: { run: ['scripts/dev.mjs'], build: true, atRoot: true },
  build: { run: [], build: true, atRoot: true },
  check: { run: ['scripts/check.mjs'], build: false, atRoot: true },
  generate: { run: ['server/dist/schema/generate.js'], build: true, atRoot: true },
  bench: { run: ['server/bench/bench.ts'], build: true, atRoot: true },
  soak: { run: ['server/test/soak/soak.ts'], build: true, atRoot: true },
  clients: { run: ['scripts/install-clients.mjs'], build: false, atRoot: true },
  test: vitest('unit'),
  'test:clients': vitest('clients'),
  'test:services': vitest('services', 'over services'),
  'test:mutation': { run: ['scripts/mutation.mjs'], build: false, atRoot: true },
};

/** @param {string | undefined} name */
export function commandNamed(name) {
  const command = name === undefined ? undefined : COMMANDS[name];
  if (command) return command;
  throw new Problem(
    `${name ? `There is no command "${name}".` : 'Which command?'} One of: ${Object.keys(COMMANDS).join(', ')}.`,
  );
}
