import type { LockText } from './lock-text.ts';
import { PinList, type Pins } from './pins.ts';
import { type LockedPackage, readTomlLock, type TomlLock } from './toml.ts';
import { list, own, table, text } from './values.ts';

/** Cargo.lock, versions 1 (checksums apart, in `[metadata]`) to 4. */
export function readCargoLock(source: LockText, registries: readonly string[]): Pins {
  const { root, packages } = readTomlLock(source);
  const pins = new PinList(source, 'cargo', registries);
  const asked = askedByMembers(packages);
  for (const locked of packages) {
    const { entry, name, version, line } = locked;
    if (version === undefined) throw source.wrong(`${name} has no version`, line);
    const from = text(entry['source']);
    const [, kind, address] = /^([a-z-]+)\+(.+)$/.exec(from ?? '') ?? [];
    if (from === undefined) pins.skip(`${name}@${version}`, 'a folder', line);
    else if (kind !== 'registry' && kind !== 'sparse') pins.skip(`${name}@${version}`, reasonOf(kind, from), line);
    else {
      const direct = asked.has(name) || asked.has(`${name} ${version}`);
      pins.add({ name, version, line, direct, registry: address, digest: checksum(root, locked) });
    }
  }
  return pins.done();
}

function reasonOf(kind: string | undefined, from: string): string {
  return kind === 'git' ? 'from Git' : `from ${from}`;
}

function checksum(root: TomlLock['root'], { entry, name, version }: LockedPackage): string | undefined {
  const metadata = table(own(root, 'metadata'));
  const apart = own(metadata, `checksum ${name} ${version} (${text(entry['source'])})`);
  const sha256 = text(entry['checksum']) ?? text(apart);
  return sha256 !== undefined && /^[0-9a-f]{64}$/.test(sha256) ? `sha256:${sha256}` : undefined;
}

/** `name`, or `name version` where there are several: what packages without a source, the workspace's, depend on. */
function askedByMembers(packages: readonly LockedPackage[]): ReadonlySet<string> {
  const asked = new Set<string>();
  for (const { entry } of packages) {
    if (entry['source'] !== undefined) continue;
    for (const dependency of list(own(entry, 'dependencies'))) {
      const [name, version] = String(dependency).split(' ');
      if (name !== undefined) asked.add(version === undefined ? name : `${name} ${version}`);
    }
  }
  return asked;
}
