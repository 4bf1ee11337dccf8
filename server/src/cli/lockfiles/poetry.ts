import type { LockText } from './lock-text.ts';
import { PinList, type Pins } from './pins.ts';
import { normalName, normalVersion, onlyDigest } from './python-names.ts';
import { readTomlLock } from './toml.ts';
import { list, own, table, text } from './values.ts';

/** poetry.lock: a package without a source is from the public index. */
export function readPoetryLock(source: LockText, registries: readonly string[]): Pins {
  const { packages } = readTomlLock(source);
  const pins = new PinList(source, 'pypi', registries);
  for (const { entry, name, version, line } of packages) {
    const from = table(own(entry, 'source'));
    const type = text(from['type']);
    const url = text(from['url']);
    const registry = type === 'legacy' ? url : undefined;
    if (type !== undefined && registry === undefined) pins.skip(name, reasonOf(type, url), line);
    else if (version === undefined) throw source.wrong(`${name} has no version`, line);
    else {
      const digest = onlyDigest(list(own(entry, 'files')).flatMap((file) => table(file)['hash'] ?? []));
      pins.add({ name: normalName(name), version: normalVersion(version), line, registry, digest });
    }
  }
  return pins.done();
}

function reasonOf(type: string, url: string | undefined): string {
  if (type === 'git') return 'from Git';
  return type === 'url' ? `from an address of its own, ${url}` : 'a file or folder';
}
