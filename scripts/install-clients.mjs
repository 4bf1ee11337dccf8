import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the client suites look for them; `ENTREPOT_CLIENTS` names another place. */
const FOLDER =
  process.env.ENTREPOT_CLIENTS || fileURLToPath(new URL('../node_modules/.cache/entrepot-clients', import.meta.url));

const npm = (folder, spec, then = []) => ({
  name: spec,
  folder,
  steps: [['npm', 'install', '--prefix', '.', '--no-audit', '--no-fund', '--loglevel=error', spec], ...then],
});

/** A program of a Go module, built here; its name is the last part of the package's. */
const go = (name, spec) => ({
  name,
  folder: name,
  file: spec.replace(/^.*\/|@.*$/g, ''),
  steps: [['go', 'install', spec]],
});

const pip = (name) => ({
  name,
  folder: name,
  file: `bin/${name}`,
  steps: [['python3', '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', '.', name]],
});

const CLIENTS = [
  { ...npm('npm11', 'npm@11'), file: 'node_modules/npm/bin/npm-cli.js' },
  { ...npm('npm10', 'npm@10'), file: 'node_modules/npm/bin/npm-cli.js' },
  { ...npm('pnpm10', 'pnpm@10'), file: 'node_modules/pnpm/bin/pnpm.cjs' },
  { ...npm('yarn12222', 'yarn@1.22.22'), file: 'node_modules/yarn/bin/yarn.js' },
  { ...npm('yarnpkgcli-dist4', '@yarnpkg/cli-dist@4'), file: 'node_modules/@yarnpkg/cli-dist/bin/yarn.js' },
  // npm may be set to run no install scripts, and bun's is what puts its program in place.
  {
    ...npm('bun', 'bun@1', [[process.execPath, 'node_modules/bun/install.js']]),
    file: 'node_modules/.bin/bun',
  },
  pip('uv'),
  pip('twine'),
  // What checks the files of deploy/.
  pip('kubernetes-validate'),
  go('helm', 'helm.sh/helm/v4/cmd/helm@v4.3.1'),
  go('compose-go', 'github.com/compose-spec/compose-go/v2/cmd@v2.16.2'),
];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !CLIENTS.some((client) => client.name === name));
if (unknown.length > 0) {
  process.stderr.write(`Not a client: ${unknown.join(', ')}. One of: ${CLIENTS.map(({ name }) => name).join(', ')}.\n`);
  process.exit(1);
}
const failed = CLIENTS.filter(({ name }) => asked.length === 0 || asked.includes(name)).filter(
  (client) => !install(client),
);
process.exitCode = failed.length > 0 ? 1 : 0;

function install({ name, folder, file, steps }) {
  const cwd = join(FOLDER, folder);
  const installed = join(cwd, file);
  if (existsSync(installed)) {
    process.stdout.write(`${name}: ${installed}\n`);
    return true;
  }
  mkdirSync(cwd, { recursive: true });
  const env = { ...process.env, PATH: [dirname(process.execPath), process.env.PATH].join(delimiter), GOBIN: cwd };
  for (const [program, ...args] of steps) {
    const { status, error, stdout, stderr } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
    if (status !== 0) {
      process.stderr.write(`${name}: ${[program, ...args].join(' ')} failed\n${error?.message ?? stdout + stderr}\n`);
      return false;
    }
  }
  process.stdout.write(`${name}: ${installed}\n`);
  return existsSync(installed);
}
