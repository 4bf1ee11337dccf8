import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { FreshMachine, type Outcome } from '../support/clients.ts';
import { ClientRegistry } from '../support/clients-registry.ts';
import { requireTool } from '../support/require-tool.ts';
import { installed } from './installed.ts';
import { refusedClientSuite } from './refusals-client.ts';

const PACKAGE = 'pkg:pypi/six';

let registry: ClientRegistry;
const machines: FreshMachine[] = [];

async function fresh(): Promise<FreshMachine> {
  const machine = await FreshMachine.create();
  machines.push(machine);
  return machine;
}

const index = () => `${registry.url}simple/`;

/** Where the index says that the wheel of a version is. */
async function wheel(version: string): Promise<string> {
  const page = await (await fetch(`${index()}six/`, { headers: { accept: 'text/html' } })).text();
  const href = new RegExp(`href="([^"#]*six-${version.replaceAll('.', '\\.')}-[^"#]*\\.whl)`).exec(page)?.[1] ?? '';
  return new URL(href, `${index()}six/`).href;
}

beforeAll(async () => {
  registry = await ClientRegistry.start('pypi');
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.remove();
});
afterAll(() => registry?.stop());

describe('pip', () => {
  let python: string;

  async function install(rule: () => Promise<void>, ...what: readonly string[]): Promise<Outcome> {
    const machine = await fresh();
    await machine.succeed([python, '-m', 'venv', '--without-pip', '.venv']);
    await rule();
    return machine.run([python, '-m', 'pip', '--python', '.venv/bin/python', 'install', ...what], {
      PIP_CONFIG_FILE: '/dev/null',
      PIP_CACHE_DIR: `${machine.home}/pip`,
      PIP_INDEX_URL: index(),
      PIP_DISABLE_PIP_VERSION_CHECK: '1',
    });
  }

  refusedClientSuite({
    client: 'pip',
    require: (context) => {
      python = requireTool(context, 'python3', 'install Python 3 with pip and venv');
    },
    server: () => registry.server,
    asks: {
      index: (rule) => install(() => rule(PACKAGE), '-vv', 'six'),
      version: (rule) => install(() => rule(`${PACKAGE}@1.16.0`), 'six==1.16.0'),
      file: async (rule) => {
        const url = await wheel('1.16.0');
        return install(() => rule(`${PACKAGE}@1.16.0`), '--no-deps', url);
      },
      block: (rule) => install(() => rule(PACKAGE), '-vv', 'six'),
    },
  });
});

describe('uv', () => {
  let uv: string;

  const env = ({ home }: FreshMachine) => ({
    UV_CACHE_DIR: `${home}/uv`,
    UV_DEFAULT_INDEX: index(),
    UV_NO_CONFIG: '1',
    UV_PYTHON_DOWNLOADS: 'never',
  });
  async function project(dependency: string): Promise<FreshMachine> {
    const machine = await fresh();
    const lines = [
      'name = "walk"',
      'version = "1.0.0"',
      'requires-python = ">=3.9"',
      `dependencies = ["${dependency}"]`,
    ];
    await machine.write({ 'pyproject.toml': ['[project]', ...lines, ''].join('\n') });
    return machine;
  }
  async function sync(dependency: string, rule: () => Promise<void>): Promise<Outcome> {
    const machine = await project(dependency);
    await rule();
    return machine.run([uv, 'sync'], env(machine));
  }

  refusedClientSuite({
    client: 'uv',
    require: (context) => {
      uv = installed(context, 'uv');
    },
    server: () => registry.server,
    asks: {
      index: (rule) => sync('six', () => rule(PACKAGE)),
      version: (rule) => sync('six==1.16.0', () => rule(`${PACKAGE}@1.16.0`)),
      file: async (rule) => {
        const machine = await project('six==1.16.0');
        await machine.succeed([uv, 'lock'], env(machine));
        await rule(`${PACKAGE}@1.16.0`);
        return machine.run([uv, 'sync', '--frozen', '--no-cache'], env(machine));
      },
      block: (rule) => sync('six', () => rule(PACKAGE)),
    },
    mute: ['index', 'block'],
  });
});
