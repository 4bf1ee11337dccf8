import type { LockText } from './lock-text.ts';
import { PinList, type Pins } from './pins.ts';
import { normalName, normalVersion, onlyDigest } from './python-names.ts';
import { type LockedPackage, readTomlLock } from './toml.ts';
import { list, own, table, text } from './values.ts';

/** uv.lock */
export function readUvLock(source: LockText, registries: readonly string[]): Pins {
  const { packages } = readTomlLock(source);
  const pins = new PinList(source, 'pypi', registries);
  const asked = askedByMembers(packages);
  for (const { entry, name, version, line } of packages) {
    const from = table(own(entry, 'source'));
    const registry = text(from['registry']);
    if (registry === undefined) pins.skip(name, reasonOf(from), line);
    else if (!/^https?:/.test(registry)) pins.skip(name, `from the folder ${registry}`, line);
    else if (version === undefined) throw source.wrong(`${name} has no version`, line);
    else {
      const files = [own(entry, 'sdist'), ...list(own(entry, 'wheels'))].flatMap((file) => table(file)['hash'] ?? []);
      const digest = onlyDigest(files);
      pins.add({
        name: normalName(name),
        version: normalVersion(version),
        line,
        registry,
        digest,
        direct: asked.has(name),
      });
    }
  }
  return pins.done();
}

function reasonOf(from: Readonly<Record<string, unknown>>): string {
  if (text(from['git'])) return 'from Git';
  if (text(from['url'])) return `from an address of its own, ${text(from['url'])}`;
  if (text(from['editable']) || text(from['virtual'])) return 'a folder of this project';
  return 'a file or folder';
}

/** What the project and its workspace's members ask for: they are the packages that are folders. */
function askedByMembers(packages: readonly LockedPackage[]): ReadonlySet<string> {
  const asked = new Set<string>();
  for (const { entry } of packages) {
    const from = table(own(entry, 'source'));
    if (from['editable'] === undefined && from['virtual'] === undefined) continue;
    const groups = [entry['optional-dependencies'], entry['dev-dependencies']].flatMap((of) =>
      Object.values(table(of)),
    );
    for (const group of [entry['dependencies'], ...groups])
      for (const dependency of list(group)) {
        const name = text(table(dependency)['name']);
        if (name !== undefined) asked.add(name);
      }
  }
  return asked;
}
