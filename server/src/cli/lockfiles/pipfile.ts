import { readJson } from './json.ts';
import type { LockText } from './lock-text.ts';
import { PinList, type Pins } from './pins.ts';
import { normalName, normalVersion, onlyDigest } from './python-names.ts';
import { list, own, section, type Table, table, text } from './values.ts';

/** Pipfile.lock: `default`, `develop` and the groups of the project's own. */
export function readPipfileLock(source: LockText, registries: readonly string[]): Pins {
  const json = readJson(source, source.text);
  const { _meta: meta, ...groups } = table(json.value);
  if (meta === undefined) throw source.wrong('has no "_meta": it is no lock file of Pipenv');
  const pins = new PinList(source, 'pypi', registries);
  const sources = sourcesOf(table(meta));
  const usual = [...sources.values()][0];
  for (const group of Object.keys(groups))
    for (const [name, value] of Object.entries(section(source, groups, group))) {
      const entry = table(value);
      const line = json.lineOf(value);
      const reason = reasonOf(entry);
      if (reason !== undefined) {
        pins.skip(name, reason, line);
        continue;
      }
      const [, version] = /^={2,3}([^\s,*]+)$/.exec(text(entry['version']) ?? '') ?? [];
      if (version === undefined) throw source.wrong(`${name} has no version`, line);
      const registry = sources.get(text(entry['index']) ?? '') ?? usual;
      const digest = onlyDigest(list(own(entry, 'hashes')));
      pins.add({ name: normalName(name), version: normalVersion(version), line, registry, digest });
    }
  return pins.done();
}

/** Addresses by name; the first is where packages without an index are from. */
function sourcesOf(meta: Table): ReadonlyMap<string, string> {
  return new Map(
    list(own(meta, 'sources')).flatMap((value): [string, string][] => {
      const { name, url } = table(value);
      return typeof name === 'string' && typeof url === 'string' ? [[name, url]] : [];
    }),
  );
}

function reasonOf(entry: Table): string | undefined {
  if (['git', 'hg', 'svn', 'bzr'].some((kind) => text(entry[kind]))) return 'from a version control system';
  const file = text(entry['file']);
  if (file !== undefined) return /^https?:/.test(file) ? `from an address of its own, ${file}` : 'a file or folder';
  return text(entry['path']) ? 'a file or folder' : undefined;
}
