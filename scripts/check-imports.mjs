import { spawnSync } from 'node:child_process';
import { filesOfTree } from './tree.mjs';

const FOLDERS = ['server/src', 'server/test', 'server/bench', 'terraform-provider/src', 'terraform-provider/test'];

const cruised = spawnSync(
  process.execPath,
  [
    'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
    '--config',
    '.dependency-cruiser.cjs',
    '--output-type',
    'json',
    ...FOLDERS,
  ],
  { encoding: 'utf8', maxBuffer: Number.POSITIVE_INFINITY },
);
if (!cruised.stdout.startsWith('{')) {
  process.stderr.write(`dependency-cruiser did not run:\n${cruised.stderr || cruised.stdout}\n`);
  process.exit(1);
}
const { modules, summary } = JSON.parse(cruised.stdout);
const problems = [...violations(summary.violations), ...unseen(modules)];
process.stdout.write(problems.map((line) => `${line}\n`).join(''));
process.stdout.write(
  `${modules.length} modules, ${summary.totalDependenciesCruised} imports, ${problems.length} problems\n`,
);
process.exitCode = problems.length > 0 ? 1 : 0;

function violations(found) {
  return found.map(({ rule, from, to, cycle, comment }) => {
    const way = cycle ? cycle.map(({ name }) => name) : [to];
    return `${rule.name}: ${[from, ...way].join(' → ')}${comment ? `\n    ${comment}` : ''}`;
  });
}

/** A tool that cannot read TypeScript sees no modules and finds no fault: every source must have been seen. */
function unseen(modules) {
  const seen = new Set(modules.map(({ source }) => source));
  return filesOfTree()
    .filter((file) => file.endsWith('.ts') && FOLDERS.some((folder) => file.startsWith(`${folder}/`)))
    .filter((file) => !file.includes('/fixtures/') && !seen.has(file))
    .map((file) => `not seen by dependency-cruiser: ${file}`);
}
