import type { LockText } from './lock-text.ts';
import { PinList, type Pins } from './pins.ts';
import { normalName, normalVersion, onlyDigest } from './python-names.ts';
import { readTomlLock } from './toml.ts';
import { list, own, type Table, table, text } from './values.ts';

/** pdm.lock; it does not say which index a package is from, and lists a package once more for each set of extras. */
export function readPdmLock(source: LockText): Pins {
  const { packages } = readTomlLock(source);
  const pins = new PinList(source, 'pypi');
  for (const { entry, name, version, line } of packages) {
    const reason = reasonOf(entry);
    if (reason !== undefined) pins.skip(name, reason, line);
    else if (version === undefined) throw source.wrong(`${name} has no version`, line);
    else {
      const digest = onlyDigest(list(own(entry, 'files')).flatMap((file) => table(file)['hash'] ?? []));
      pins.add({ name: normalName(name), version: normalVersion(version), line, digest });
    }
  }
  return pins.done();
}

function reasonOf(entry: Table): string | undefined {
  if (['git', 'hg', 'svn', 'bzr'].some((kind) => text(entry[kind]))) return 'from a version control system';
  if (text(entry['url'])) return `from an address of its own, ${text(entry['url'])}`;
  return text(entry['path']) ? 'a file or folder' : undefined;
}
