import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installed } from './installed.ts';
import { pythonClientSuite } from './python-client.ts';

const LOCK = 'uv.lock';

pythonClientSuite({
  command: (context) => [installed(context, 'uv')],
  env: (index, { home }) => ({
    UV_CACHE_DIR: `${home}/uv`,
    UV_DEFAULT_INDEX: index,
    UV_NO_CONFIG: '1',
    UV_PYTHON_DOWNLOADS: 'never',
  }),
  begin: async (dependency, machine) => {
    const version = await machine.succeed(['python3', '-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
    await machine.write({
      'pyproject.toml': [
        '[project]',
        'name = "walk"',
        'version = "1.0.0"',
        // One version: for several, uv locks other releases beside those it installs.
        `requires-python = "==${version.trim()}.*"`,
        `dependencies = [${JSON.stringify(dependency)}]`,
        '',
      ].join('\n'),
    });
  },
  install: () => ['sync'],
  installLocked: ['sync', '--locked'],
  lock: async (machine) => {
    const text = await readFile(join(machine.project, LOCK), 'utf8');
    return {
      files: { [LOCK]: text },
      packages: packagesOf(text),
      urls: valuesOf(text, 'url').concat(valuesOf(text, 'registry')),
    };
  },
  unavailable: () => 'returned a 403 Forbidden error',
  installFile: () => ['sync', '--locked'],
});

/** Those from an index; the project itself is none. */
function packagesOf(lock: string): { name: string; version: string; hashes: string[] }[] {
  return lock
    .split('[[package]]\n')
    .filter((entry) => /^source = \{ registry = /m.test(entry))
    .map((entry) => ({
      name: /^name = "(.+)"$/m.exec(entry)?.[1] ?? '',
      version: /^version = "(.+)"$/m.exec(entry)?.[1] ?? '',
      hashes: valuesOf(entry, 'hash'),
    }));
}

function valuesOf(text: string, key: string): string[] {
  return [...text.matchAll(new RegExp(`\\b${key} = "([^"]+)"`, 'g'))].map(([, value]) => value ?? '');
}
