import { join } from 'node:path';
import type { FreshMachine, Skippable } from '../../support/clients.ts';
import { installed } from '../installed.ts';
import { type Ecosystem, found, partsOf } from './ecosystem.ts';

interface File {
  readonly filename: string;
  readonly url: string;
  readonly 'upload-time'?: string;
}

const releaseOf: Ecosystem['releaseOf'] = async (purl, registry) => {
  const { name, version } = partsOf(purl);
  const page = await found(`${registry}/simple/${name}/`, { accept: 'application/vnd.pypi.simple.v1+json' });
  const { files } = (await page.json()) as { files: readonly File[] };
  const own = files.filter(({ filename }) => isOf(filename, version));
  // A release is as young as the youngest of its files, and that is the one that is refused longest.
  const [youngest] = own.toSorted((one, other) => timeOf(other) - timeOf(one));
  if (!youngest) throw new Error(`${purl} has no file`);
  return { published: timeOf(youngest), url: new URL(youngest.url, page.url).href };
};

export const uv: Ecosystem = { client: 'uv', format: 'pypi', file: 'uv.lock', lock, releaseOf };

export const requirements: Ecosystem = {
  client: 'uv export, with hashes',
  format: 'pypi',
  file: 'requirements.txt',
  lock: async (context, machine, registry) => {
    await lock(context, machine, registry);
    const args = ['export', '--locked', '--format', 'requirements-txt', '--no-emit-project', '-o', 'requirements.txt'];
    await machine.succeed([installed(context, 'uv'), ...args], envOf(machine, registry));
  },
  releaseOf,
};

async function lock(context: Skippable, machine: FreshMachine, registry: string): Promise<void> {
  const version = await machine.succeed(['python3', '-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
  await machine.write({
    'pyproject.toml': [
      '[project]',
      'name = "walk"',
      'version = "1.0.0"',
      `requires-python = "==${version.trim()}.*"`,
      'dependencies = ["flask==3.0.0", "requests"]',
      '',
    ].join('\n'),
  });
  await machine.succeed([installed(context, 'uv'), 'lock'], envOf(machine, registry));
}

const envOf = ({ home }: FreshMachine, registry: string) => ({
  UV_CACHE_DIR: join(home, 'uv'),
  UV_DEFAULT_INDEX: `${registry}/simple/`,
  UV_NO_CONFIG: '1',
  UV_PYTHON_DOWNLOADS: 'never',
});

const timeOf = (file: File): number => Date.parse(file['upload-time'] ?? '');

/** `name-1.0-py3-none-any.whl`, `name-1.0.tar.gz` */
function isOf(filename: string, version: string): boolean {
  const stem = filename.replace(/\.(?:whl|tar\.gz|tar\.bz2|zip|egg|exe|msi)$/, '');
  return filename.endsWith('.whl') ? stem.split('-')[1] === version : stem.endsWith(`-${version}`);
}
