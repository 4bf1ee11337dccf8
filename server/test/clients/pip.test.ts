import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requireTool } from '../support/require-tool.ts';
import { pythonClientSuite } from './python-client.ts';

const REPORT = 'report.json';
const REQUIREMENTS = 'requirements.txt';

interface Report {
  readonly install: readonly {
    readonly metadata: { readonly name: string; readonly version: string };
    readonly download_info: {
      readonly url: string;
      readonly archive_info: { readonly hashes: Record<string, string> };
    };
  }[];
}

pythonClientSuite({
  command: (context) => {
    const python = requireTool(context, 'python3', 'install Python 3 with pip and venv');
    return [python, '-m', 'pip', '--python', '.venv/bin/python'];
  },
  env: (index, { home }) => ({
    PIP_CONFIG_FILE: '/dev/null',
    PIP_CACHE_DIR: `${home}/pip`,
    PIP_INDEX_URL: index,
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
  }),
  begin: async (_dependency, machine) => {
    await machine.succeed(['python3', '-m', 'venv', '--without-pip', '.venv']);
  },
  install: (dependency) => ['install', '--report', REPORT, dependency],
  installLocked: ['install', '--require-hashes', '--no-deps', '-r', REQUIREMENTS],
  lock: async (machine) => {
    const { install } = JSON.parse(await readFile(join(machine.project, REPORT), 'utf8')) as Report;
    const packages = install.map(({ metadata: { name, version }, download_info: { archive_info } }) => ({
      name: name.toLowerCase().replace(/[-_.]+/g, '-'),
      version,
      hashes: Object.entries(archive_info.hashes).map((hash) => hash.join(':')),
    }));
    const lines = packages.map(
      ({ name, version, hashes }) => `${name}==${version} --hash=${hashes.join(' --hash=')}\n`,
    );
    return {
      files: { [REQUIREMENTS]: lines.join('') },
      packages: packages.sort((a, b) => a.name.localeCompare(b.name)),
      urls: install.map(({ download_info: { url } }) => url),
    };
  },
  unavailable: (name) => `No matching distribution found for ${name}`,
  installFile: (url) => ['install', '--no-deps', url],
});
